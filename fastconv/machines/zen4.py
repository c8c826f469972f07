"""AMD Zen 4, where AVX-512 instructions run as two halves.

Rates were fitted by ``fastconv tune --fit`` on a guest of two processors, those of pooling and transposed convolutions
once more on some 1,050 problems drawn at random, as called functions, and those of convolutions on 2,100; those of
counts that none of these problems has were set by hand, from times of a few problems: of filters above all, of AVX2 and
portable kernels of these by scaling.
"""

from fastconv.core.costs import Table

TABLE = Table(
    name="zen4",
    peak={"avx512": 1.18e+11, "avx2": 1.18e+11, "portable": 5.9e+10},
    bandwidth=1.5e+10,
    rates={
        "cython.bits@avx2": {
            "call": 3e-06, "tap": 1.1e-10, "packed": 5e-11, "row": 1.04e-08, "item": 1e-07, "bytes": 1.9e-11,
        },
        "cython.bits@avx512": {
            "call": 3e-06, "tap": 2.3e-10, "packed": 1e-10, "row": 1.05e-08, "item": 1e-07, "bytes": 1.2e-11,
        },
        "cython.bits@portable": {
            "call": 3e-06, "tap": 4e-11, "packed": 8e-11, "row": 1.06e-08, "item": 1e-07, "bytes": 2.2e-10,
        },
        "cython.conv.col2im@avx2": {
            "call": 7.7506e-07, "multiply": 9.451e-12, "tile": 2.7712e-08, "window": 4.9496e-09, "run": 2.6484e-09,
            "row": 2.3511e-09, "pack": 3.8302e-10, "gather": 8.5001e-10, "bytes_streamed": 2.7126e-11,
            "bytes_cached": 1.7773e-11, "bytes": 5.9214e-11,
        },
        "cython.conv.col2im@avx512": {
            "call": 1.1053e-06, "multiply": 9.2858e-12, "tile": 3.3968e-08, "window": 6.3964e-09, "run": 1.5726e-09,
            "row": 3.0337e-09, "pack": 3.2761e-10, "gather": 6.0931e-10, "bytes_streamed": 8.8695e-11,
            "bytes_cached": 1.3183e-11, "bytes": 4.7127e-11,
        },
        "cython.conv.col2im@portable": {
            "call": 1.0102e-06, "multiply": 2.4039e-11, "tile": 3.369e-08, "window": 9.888e-09, "run": 2.1361e-09,
            "row": 3.7663e-09, "pack": 2.9849e-10, "gather": 1.1417e-09, "bytes_streamed": 6.4808e-11,
            "bytes_cached": 1.5867e-11, "bytes": 7.7532e-11,
        },
        "cython.conv.depthwise@avx2": {
            "call": 2.2945e-06, "item": 7.5451e-08, "multiply_rows": 1.8462e-11, "multiply_rows_apart": 3.1368e-11,
            "multiply_halved": 2.8093e-11, "multiply_halved_apart": 3.6071e-11, "multiply_few_rows": 1.4373e-11,
            "multiply_taps": 5.8697e-11, "tile": 7.9156e-09, "row": 1.2739e-08, "copy": 1.6667e-10,
            "bytes": 2.4555e-11, "multiply_lanes": 1.1247e-11, "multiply_lanes_rolled": 1.9718e-11,
            "multiply_lanes_groups": 3e-11, "line": 7.8934e-09, "copy_lanes": 2.594e-10, "bytes_lanes": 5.0484e-11,
            "pack": 1.1743e-09, "split": 2e-10,
        },
        "cython.conv.depthwise@avx512": {
            "call": 9.656e-07, "item": 3.9786e-08, "multiply_rows": 1.1438e-11, "multiply_rows_apart": 1.1735e-11,
            "multiply_halved": 1.2052e-11, "multiply_halved_apart": 1.714e-11, "multiply_few_rows": 1.8283e-11,
            "multiply_taps": 2.8273e-11, "tile": 2.7373e-09, "row": 5.9014e-09, "copy": 1.555e-10, "bytes": 3.4601e-11,
            "multiply_lanes": 8.5945e-12, "multiply_lanes_rolled": 1.5822e-11, "multiply_lanes_groups": 1.9e-11,
            "line": 8.64e-09, "copy_lanes": 7.7045e-11, "bytes_lanes": 4.25e-11, "pack": 1.6339e-09, "split": 2.4e-09,
        },
        "cython.conv.depthwise@portable": {
            "call": 9.4253e-07, "item": 4e-08, "multiply_rows": 6.2648e-11, "multiply_rows_apart": 7.4405e-11,
            "multiply_halved": 5.5035e-11, "multiply_halved_apart": 8.8239e-11, "multiply_few_rows": 7.9498e-11,
            "multiply_taps": 1.3574e-10, "tile": 7.4214e-09, "row": 1.1478e-08, "copy": 2.5654e-10,
            "bytes": 3.1727e-11, "multiply_lanes": 3.2389e-11, "multiply_lanes_rolled": 6.0293e-11,
            "multiply_lanes_groups": 1.2e-10, "line": 5.7161e-09, "copy_lanes": 6.5257e-10, "bytes_lanes": 7.2273e-11,
            "pack": 7.7654e-10, "split": 2e-10,
        },
        "cython.conv.direct@avx2": {
            "call": 8.139e-07, "plane": 1.2851e-07, "multiply": 9.7131e-12, "row": 1.9268e-09, "copy": 1.4505e-10,
            "gather": 3.9016e-10, "bytes_streamed": 5.9847e-11, "bytes": 8.752e-11, "bytes_cached": 7.2615e-11,
            "pack_call": 9.7319e-07, "pack": 8.6613e-11,
            "turn_call": 3e-06, "turn": 4e-10,
        },
        "cython.conv.direct@avx512": {
            "call": 6.8046e-07, "plane": 1.0986e-07, "multiply": 8.0538e-12, "row": 1.6778e-09, "copy": 9.3054e-11,
            "gather": 3.7131e-10, "bytes_streamed": 6.0478e-11, "bytes": 7.7922e-11, "bytes_cached": 5.3228e-11,
            "pack_call": 5.4849e-07, "pack": 2.5497e-10,
            "turn_call": 3e-06, "turn": 4e-10,
        },
        "cython.conv.direct@portable": {
            "call": 6.2888e-07, "plane": 1.4198e-07, "multiply": 2.4821e-11, "row": 5.5819e-09, "copy": 1.0166e-10,
            "gather": 4.1702e-10, "bytes_streamed": 5.2144e-11, "bytes": 1.067e-10, "bytes_cached": 1.0249e-10,
            "pack_call": 4.5185e-07, "pack": 2.5965e-10,
            "turn_call": 3e-06, "turn": 4e-10,
        },
        "cython.conv.direct_last@avx2": {
            "call": 1.0552e-06, "multiply": 1.0735e-11, "tile": 6.0517e-09, "partial": 2.4028e-08, "run": 1.1149e-09,
            "row": 4.0032e-08, "copy": 4.4942e-11, "bytes_streamed": 8.9359e-11, "bytes": 2.8507e-11,
            "bytes_cached": 6.9131e-12, "pack_call": 1.1159e-06, "pack": 1.0354e-10, "pack_sorted": 3.5067e-10,
        },
        "cython.conv.direct_last@avx512": {
            "call": 5.2688e-07, "multiply": 7.3063e-12, "tile": 8.9557e-09, "partial": 7.8502e-10, "run": 1.2752e-09,
            "row": 3.5379e-08, "copy": 1.2358e-10, "bytes_streamed": 4.0876e-11, "bytes": 3.2092e-11,
            "bytes_cached": 6.5734e-12, "pack_call": 5.5446e-07, "pack": 7.7457e-11, "pack_sorted": 1.2359e-09,
        },
        "cython.conv.direct_last@portable": {
            "call": 1.0034e-06, "multiply": 2.1748e-11, "tile": 7.8377e-09, "partial": 1.1071e-08, "run": 2.9862e-09,
            "row": 1.426e-08, "copy": 1.1517e-10, "bytes_streamed": 6.9866e-11, "bytes": 2.8224e-11,
            "bytes_cached": 3.0395e-11, "pack_call": 1.005e-06, "pack": 2.6822e-10, "pack_sorted": 5.3626e-10,
        },
        "cython.conv.gathered@avx2": {
            "call": 3.0773e-06, "row": 5.4896e-09, "run": 3.1025e-09, "element": 5e-11, "place": 5.3119e-10,
            "bytes_cached": 2.8973e-11, "bytes": 7e-11,
            "split": 1.2e-08, "picked": 2.5e-10,
        },
        "cython.conv.gathered@avx512": {
            "call": 1.7187e-06, "row": 5.219e-09, "run": 2.1987e-09, "element": 3.2849e-11, "place": 3.6103e-10,
            "bytes_cached": 3.1244e-11, "bytes": 7e-11,
            "split": 1.2e-08, "picked": 2.5e-10,
        },
        "cython.conv.gathered@portable": {
            "call": 2.5059e-06, "row": 4.928e-09, "run": 4.9448e-09, "element": 1.822e-10, "place": 6.4871e-10,
            "bytes_cached": 2.0373e-11, "bytes": 8.6323e-11,
            "split": 1.2e-08, "picked": 2.5e-10,
        },
        "cython.conv.grouped@avx2": {
            "call": 8.0365e-07, "item": 3.4172e-07, "multiply_rows": 1.7529e-11, "multiply_rows_apart": 3.7202e-11,
            "multiply_halved": 2.4802e-11, "multiply_halved_apart": 2.2583e-11, "multiply_few_rows": 2.6109e-11,
            "multiply_taps": 4.0436e-11, "tile": 9.997e-09, "row": 6.3616e-09, "copy": 9.2519e-11,
            "bytes": 9.0281e-11, "multiply_lanes": 1.1018e-11, "multiply_lanes_rolled": 1.5422e-11,
            "multiply_lanes_groups": 1.5784e-11, "line": 9.3737e-09, "copy_lanes": 1.4728e-10,
            "bytes_lanes": 2.7917e-11, "pack": 9.7438e-10,
        },
        "cython.conv.grouped@avx512": {
            "call": 7.8709e-07, "item": 3.7953e-08, "multiply_rows": 1.0848e-11, "multiply_rows_apart": 7.0186e-12,
            "multiply_halved": 1.1905e-11, "multiply_halved_apart": 1.6725e-11, "multiply_few_rows": 2.3836e-11,
            "multiply_taps": 3.0234e-11, "tile": 4.0924e-09, "row": 2.5514e-08, "copy": 4.1055e-11, "bytes": 4.3704e-11,
            "multiply_lanes": 1.0196e-11, "multiply_lanes_rolled": 1.8477e-11, "multiply_lanes_groups": 1.2285e-11,
            "line": 5.7195e-09, "copy_lanes": 8.7609e-11, "bytes_lanes": 5.1134e-11, "pack": 1.1065e-09,
        },
        "cython.conv.grouped@portable": {
            "call": 9.8391e-07, "item": 8e-08, "multiply_rows": 5.3465e-11, "multiply_rows_apart": 7.4405e-11,
            "multiply_halved": 4.9603e-11, "multiply_halved_apart": 7.0851e-11, "multiply_few_rows": 7.8111e-11,
            "multiply_taps": 1.1651e-10, "tile": 1.5552e-08, "row": 1.1842e-08, "copy": 2.3226e-10,
            "bytes": 3.3333e-11, "multiply_lanes": 4.2206e-11, "multiply_lanes_rolled": 5.9735e-11,
            "multiply_lanes_groups": 1.1393e-10, "line": 3.1955e-09, "copy_lanes": 6.1559e-10,
            "bytes_lanes": 3.3333e-11, "pack": 5.0131e-10,
        },
        "cython.conv.images@avx2": {
            "call": 4.8e-07, "tile": 6.5089e-09, "multiply": 9.8787e-12, "move": 1.3509e-10,
            "bytes_cached": 7.4168e-12, "bytes": 7.832e-11, "pack_call": 4.5054e-07, "pack": 3.9692e-11,
        },
        "cython.conv.images@avx512": {
            "call": 4.0902e-07, "tile": 2.4915e-09, "multiply": 8.7978e-12, "move": 1.2702e-10,
            "bytes_cached": 6.3245e-12, "bytes": 4.5191e-11, "pack_call": 4.0983e-07, "pack": 3.7734e-10,
        },
        "cython.conv.images@portable": {
            "call": 1.1679e-06, "tile": 6.6298e-09, "multiply": 2.2589e-11, "move": 2.0615e-10,
            "bytes_cached": 1.4964e-11, "bytes": 6.6584e-11, "pack_call": 1.1624e-06, "pack": 5.3726e-10,
        },
        "cython.conv.planes@avx2": {
            "call": 7.8123e-07, "item": 1.0995e-07, "turn": 1.9052e-10, "copy": 1.1755e-10, "pack": 5.7784e-10,
            "multiply": 7.9247e-12, "multiply_rolled": 2.3444e-11, "line": 2.8805e-09, "bytes": 2.3731e-11,
        },
        "cython.conv.planes@avx512": {
            "call": 1.1108e-06, "item": 1.8443e-07, "turn": 1.3301e-10, "copy": 1.0409e-10, "pack": 1.7839e-09,
            "multiply": 5.7328e-12, "multiply_rolled": 1.4404e-11, "line": 2.1104e-09, "bytes": 8.9045e-12,
        },
        "cython.conv.planes@portable": {
            "call": 6.6233e-07, "item": 1.0171e-07, "turn": 3.9082e-10, "copy": 2e-10, "pack": 5.8955e-10,
            "multiply": 4.806e-11, "multiply_rolled": 4.8019e-11, "line": 2.8853e-09, "bytes": 2.8002e-11,
        },
        "cython.conv.pointwise@avx2": {
            "call": 6.4251e-07, "multiply": 9.3419e-12, "multiply_streamed": 1.0738e-11, "bytes_cached": 1.7645e-11,
            "bytes": 3.5119e-11, "pack_call": 2.2825e-07, "pack": 2.9893e-10,
            "tile": 3e-09, "narrow": 1e-09, "narrow_channel": 2e-09, "narrow_row": 1.2e-08,
        },
        "cython.conv.pointwise@avx512": {
            "call": 5.7139e-07, "multiply": 7.3673e-12, "multiply_streamed": 7.9027e-12, "bytes_cached": 7.9904e-12,
            "bytes": 1.6557e-11, "pack_call": 9.3202e-07, "pack": 1.9124e-10,
            "tile": 8e-09, "narrow": 1.5e-08, "narrow_channel": 1.5e-09, "narrow_row": 5e-09,
        },
        "cython.conv.pointwise@portable": {
            "call": 6.1976e-07, "multiply": 2.8637e-11, "multiply_streamed": 3.0094e-11, "bytes_cached": 1.8081e-11,
            "bytes": 3.5381e-11, "pack_call": 2.3803e-07, "pack": 5.259e-10,
            "tile": 3e-09, "narrow": 1e-09, "narrow_channel": 3e-09, "narrow_row": 1.8e-08,
        },
        "cython.conv.pointwise_blocked@avx2": {
            "call": 7.7264e-07, "multiply": 9.4901e-12, "move": 3.7501e-10, "bytes_streamed": 6.6667e-11,
            "pack_call": 1.4166e-06, "pack": 4.3797e-11,
        },
        "cython.conv.pointwise_blocked@avx512": {
            "call": 9.6953e-07, "multiply": 7.7195e-12, "move": 3.4399e-10, "bytes_streamed": 6.6283e-11,
            "pack_call": 1.4013e-06, "pack": 2.2019e-10,
        },
        "cython.conv.pointwise_blocked@portable": {
            "call": 7.8872e-07, "multiply": 2.8981e-11, "move": 8.7062e-10, "bytes_streamed": 6.6667e-11,
            "pack_call": 2.661e-07, "pack": 2.2411e-10,
        },
        "cython.conv.row_sums@avx2": {
            "call": 8.0931e-07, "multiply": 1.0243e-11, "tile": 7.9382e-09, "panel": 1.4125e-09, "store": 6.8609e-11,
            "pack": 4.6896e-10, "row": 2.7045e-08, "phase": 5.6024e-09, "vector": 1.4618e-09, "sum": 7.0715e-10,
            "sum_given": 7.9848e-10, "turn": 6.8961e-10, "bytes_streamed": 9.8874e-11, "bytes_cached": 9.5074e-12,
            "bytes": 5.837e-11,
        },
        "cython.conv.row_sums@avx512": {
            "call": 6.69e-07, "multiply": 8.5579e-12, "tile": 7.2333e-09, "panel": 2.2835e-09, "store": 3.5914e-11,
            "pack": 4.4353e-10, "row": 1.6429e-08, "phase": 8.4975e-09, "vector": 1.2331e-09, "sum": 1.2478e-09,
            "sum_given": 7.7321e-10, "turn": 5.6226e-10, "bytes_streamed": 2.9776e-10, "bytes_cached": 7.1063e-12,
            "bytes": 6.9116e-11,
        },
        "cython.conv.row_sums@portable": {
            "call": 8.7565e-07, "multiply": 2.2575e-11, "tile": 1.0154e-08, "panel": 1.7279e-09, "store": 9.2122e-11,
            "pack": 5.1559e-10, "row": 1.8652e-08, "phase": 5.1489e-09, "vector": 1.3714e-09, "sum": 6.2605e-10,
            "sum_given": 6.2058e-10, "turn": 7.6053e-10, "bytes_streamed": 6.7576e-11, "bytes_cached": 1.1854e-11,
            "bytes": 5.1373e-11,
        },
        "cython.conv.thin@avx2": {
            "call": 2e-08,
        },
        "cython.conv.thin@avx512": {
            "call": 2e-08,
        },
        "cython.conv.thin@portable": {
            "call": 2e-08,
        },
        "cython.conv.tiles@avx512": {
            "call": 2e-06, "item": 3e-07, "tile": 1.2e-07, "row": 2e-08, "pack": 8e-11, "weights": 3e-10,
            "step": 8e-09, "bytes_cached": 1.3333e-11, "bytes": 6.6667e-11,
        },
        "cython.conv.windows@avx2": {
            "store": 2.9507e-10,
        },
        "cython.conv.windows@avx512": {
            "store": 2.5901e-10,
        },
        "cython.conv.windows@portable": {
            "store": 2.5334e-10,
        },
        "cython.conv.winograd@avx2": {
            "call": 1.7439e-06, "multiply": 9.5524e-12, "transform_row": 4.2587e-09, "transform_input": 5.3052e-10,
            "transform_output": 1.4511e-10, "transform_store": 7.7129e-11, "join": 8.1328e-10,
            "bytes_streamed": 4.307e-11, "bytes_stalled": 3.3507e-11, "bytes_stalled_depth": 4.6559e-11,
            "bytes": 3.3789e-11, "pack_256k": 9.3631e-10, "pack_4m": 5.8395e-10, "pack_32m": 7.7343e-10,
            "pack_more": 1.1406e-09,
        },
        "cython.conv.winograd@avx512": {
            "call": 1.3542e-06, "multiply": 8.7981e-12, "transform_row": 2.8529e-09, "transform_input": 4.2408e-10,
            "transform_output": 1.1485e-10, "transform_store": 1.4667e-10, "join": 5.5339e-10,
            "bytes_streamed": 5.5927e-11, "bytes_stalled": 3.0623e-12, "bytes_stalled_depth": 3.0148e-11,
            "bytes": 1.3836e-11, "pack_256k": 7.2108e-10, "pack_4m": 4.0674e-10, "pack_32m": 5.1505e-10,
            "pack_more": 1.1183e-09,
        },
        "cython.conv.winograd@portable": {
            "call": 1.061e-06, "multiply": 2.886e-11, "transform_row": 8.0893e-09, "transform_input": 9.8833e-10,
            "transform_output": 2.1708e-10, "transform_store": 4.8255e-10, "join": 9.1894e-10,
            "bytes_streamed": 5.0149e-11, "bytes_stalled": 1.5144e-11, "bytes_stalled_depth": 6.1562e-11,
            "bytes": 6.6144e-11, "pack_256k": 1.2005e-09, "pack_4m": 9.5725e-10, "pack_32m": 8.973e-10,
            "pack_more": 1.05e-09,
        },
        "cython.conv.winograd_rows@avx2": {
            "call": 9.7228e-07, "multiply": 2.079e-11, "multiply_load": 9.9556e-14, "multiply_finish": 1.5408e-10,
            "multiply_crowded": 2.0535e-11, "multiply_load_crowded": 9.9997e-14,
            "multiply_finish_crowded": 1.2184e-10, "row": 3.1383e-08, "input": 5.5122e-10, "pack_call": 3.7881e-06,
            "pack": 3.9782e-09,
        },
        "cython.conv.winograd_rows@avx512": {
            "call": 9.1149e-07, "multiply": 4.1348e-12, "multiply_load": 1.8445e-11, "multiply_finish": 1.3806e-10,
            "multiply_crowded": 9.1537e-12, "multiply_load_crowded": 7.6849e-12, "multiply_finish_crowded": 2.7414e-11,
            "row": 1.4427e-08, "input": 3.7226e-10, "pack_call": 4.1811e-06, "pack": 2.545e-09,
        },
        "cython.conv.winograd_rows@portable": {
            "call": 9.5799e-07, "multiply": 3.1624e-11, "multiply_load": 1.3111e-11, "multiply_finish": 2.0729e-10,
            "multiply_crowded": 3.0388e-11, "multiply_load_crowded": 1.3658e-11,
            "multiply_finish_crowded": 2.2545e-10, "row": 5.0256e-08, "input": 8.0736e-10, "pack_call": 2.5049e-06,
            "pack": 3.5482e-09,
        },
        "cython.conv_weight.direct@avx2": {
            "call": 1.4649e-05, "multiply": 1.0518e-11, "copy": 4.8902e-10, "pack": 2.5713e-10,
        },
        "cython.conv_weight.direct@avx512": {
            "call": 1.4822e-05, "multiply": 8.4267e-12, "copy": 5.0302e-10, "pack": 2.5726e-10,
        },
        "cython.conv_weight.direct@portable": {
            "call": 1.5011e-05, "multiply": 2.854e-11, "copy": 5.0292e-10, "pack": 2.5256e-10,
        },
        "cython.conv_weight.rows@avx2": {
            "call": 6.0259e-06, "multiply": 1.9293e-11, "multiply_row": 1.9925e-11, "tile": 2.0488e-08,
            "gather": 1e-09, "bytes_near": 9.8903e-12, "row": 1e-08, "copy": 1.5e-10, "bytes": 6.5485e-11,
        },
        "cython.conv_weight.rows@avx512": {
            "call": 5.9716e-06, "multiply": 9.0302e-12, "multiply_row": 2.0419e-11, "tile": 1.9034e-08,
            "gather": 1e-09, "bytes_near": 1.0261e-11, "row": 1e-08, "copy": 1.5e-10, "bytes": 4.7482e-11,
        },
        "cython.conv_weight.rows@portable": {
            "call": 6.0029e-06, "multiply": 7.6909e-11, "multiply_row": 7.1429e-11, "tile": 2.0017e-08,
            "gather": 1e-09, "bytes_near": 9.9977e-12, "row": 1e-08, "copy": 1.5e-10, "bytes": 3.5518e-11,
        },
        "cython.conv_weight.winograd@avx2": {
            "call": 9.775e-06, "multiply": 1.1973e-11, "transform": 2.5558e-10, "transform_output": 7.3796e-10,
            "bytes_sums": 6.9959e-11, "bytes_segments": 1.6814e-11,
        },
        "cython.conv_weight.winograd@avx512": {
            "call": 1.0746e-05, "multiply": 9.2319e-12, "transform": 2.2337e-10, "transform_output": 5.4475e-10,
            "bytes_sums": 7.3717e-11, "bytes_segments": 1.6351e-11,
        },
        "cython.conv_weight.winograd@portable": {
            "call": 1.0027e-05, "multiply": 2.9261e-11, "transform": 5.2938e-10, "transform_output": 1.0795e-09,
            "bytes_sums": 6.5318e-11, "bytes_segments": 1.6674e-11,
        },
        "cython.correlation@avx2": {
            "call": 3e-06, "multiply": 2.5e-10, "load": 2e-10, "element": 2e-10, "row": 4e-08, "item": 3e-07,
            "bytes": 6.6667e-11,
        },
        "cython.correlation@avx512": {
            "call": 3e-06, "multiply": 2e-10, "load": 2.5e-10, "element": 1.5e-10, "row": 4e-08, "item": 3e-07,
            "bytes": 6.6667e-11,
        },
        "cython.correlation@portable": {
            "call": 3e-06, "multiply": 6e-10, "load": 3e-10, "element": 4e-10, "row": 4e-08, "item": 3e-07,
            "bytes": 6.6667e-11,
        },
        "cython.elementwise@avx2": {
            "call": 9.8666e-07, "bytes": 1.2977e-11, "relu": 3e-10, "relu6": 3e-10, "hardtanh": 3e-10,
            "leaky_relu": 3e-10, "hardswish": 3e-09, "hardsigmoid": 3e-09, "softsign": 3e-09, "sigmoid": 5.5243e-09,
            "tanh": 4.6896e-09, "silu": 5.5345e-09, "elu": 6e-09, "selu": 6e-09, "celu": 8e-09, "gelu": 7.3303e-09,
            "gelu_tanh": 6.6242e-09, "logsigmoid": 1.2e-08, "softplus": 1.2624e-08, "mish": 5.757e-09,
            "hardshrink": 3e-10, "softshrink": 3e-10, "tanhshrink": 8e-09, "threshold": 3e-10, "clamp": 3e-10,
        },
        "cython.elementwise@avx512": {
            "call": 9.8807e-07, "bytes": 1.4733e-11, "relu": 3e-10, "relu6": 3e-10, "hardtanh": 3e-10,
            "leaky_relu": 3e-10, "hardswish": 3e-09, "hardsigmoid": 3e-09, "softsign": 3e-09, "sigmoid": 6.36e-09,
            "tanh": 5.4055e-09, "silu": 5.6552e-09, "elu": 6e-09, "selu": 6e-09, "celu": 8e-09, "gelu": 6.4e-09,
            "gelu_tanh": 7.4667e-09, "logsigmoid": 1.2e-08, "softplus": 1.3632e-08, "mish": 5.2501e-09,
            "hardshrink": 3e-10, "softshrink": 3e-10, "tanhshrink": 8e-09, "threshold": 3e-10, "clamp": 3e-10,
        },
        "cython.elementwise@portable": {
            "call": 9.963e-07, "bytes": 2.5335e-11, "relu": 3e-10, "relu6": 3e-10, "hardtanh": 3e-10,
            "leaky_relu": 3e-10, "hardswish": 3e-09, "hardsigmoid": 3e-09, "softsign": 3e-09, "sigmoid": 7.0594e-09,
            "tanh": 7.8501e-09, "silu": 7.1045e-09, "elu": 6e-09, "selu": 6e-09, "celu": 8e-09, "gelu": 1.0315e-08,
            "gelu_tanh": 8.1294e-09, "logsigmoid": 1.2e-08, "softplus": 1.4514e-08, "mish": 7.1253e-09,
            "hardshrink": 3e-10, "softshrink": 3e-10, "tanhshrink": 8e-09, "threshold": 3e-10, "clamp": 3e-10,
        },
        "cython.footprint@avx2": {
            "call": 3e-06, "tap": 2e-10, "held": 1.5e-10, "element": 2e-10, "row": 4e-08, "item": 3e-07,
            "bytes": 6.6667e-11,
        },
        "cython.footprint@avx512": {
            "call": 3e-06, "tap": 2.5e-10, "held": 2e-10, "element": 1.5e-10, "row": 4e-08, "item": 3e-07,
            "bytes": 6.6667e-11,
        },
        "cython.footprint@portable": {
            "call": 3e-06, "tap": 4e-10, "held": 3e-10, "element": 4e-10, "row": 4e-08, "item": 3e-07,
            "bytes": 6.6667e-11,
        },
        "cython.gated@avx2": {
            "call": 1e-06, "vector": 7e-09, "row": 8e-09, "bytes": 6.6667e-11,
        },
        "cython.gated@avx512": {
            "call": 1e-06, "vector": 7e-09, "row": 8e-09, "bytes": 6.6667e-11,
        },
        "cython.gated@portable": {
            "call": 1e-06, "vector": 7e-09, "row": 8e-09, "bytes": 6.6667e-11,
        },
        "cython.gemm.dots@avx2": {
            "call": 3.517e-07, "product": 2.379e-08, "finish": 5e-09, "output": 1.15e-09, "multiply": 1.034e-11,
            "pack": 1.861e-10, "split": 8.547e-11, "load": 2.959e-10, "bytes_cached": 1.298e-11, "bytes": 2.133e-11,
            "multiply_across": 1.47e-11, "vector": 6.804e-09, "step": 6.03e-10, "turned": 1.402e-10, "widened": 2e-10,
        },
        "cython.gemm.dots@avx512": {
            "call": 3.662e-07, "product": 3.923e-08, "finish": 2.2e-09, "output": 6.569e-10, "multiply": 8.631e-12,
            "pack": 2.719e-10, "split": 8.028e-11, "load": 6.832e-10, "bytes_cached": 1.076e-11, "bytes": 3.301e-11,
            "multiply_across": 5.241e-12, "vector": 7.286e-09, "step": 1.003e-09, "turned": 2.091e-10,
            "widened": 1e-10,
        },
        "cython.gemm.dots@portable": {
            "call": 4.7438e-07, "product": 4.9573e-08, "finish": 5e-09, "output": 9.5994e-10, "multiply": 3.1636e-11,
            "pack": 2.477e-10, "split": 7.5e-11, "load": 2.5e-10, "bytes_cached": 7e-12, "bytes": 3.9216e-11,
            "multiply_across": 4e-11, "vector": 1e-09, "step": 1e-09, "turned": 1.9e-10, "widened": 2.5e-09,
        },
        "cython.gemm.in_place@avx2": {
            "call": 3.868e-07, "product": 1.403e-08, "tile": 9.832e-09, "short": 5e-09, "store": 5.2e-10,
            "split": 1.04e-10, "turned": 1.443e-10, "joined": 1.655e-10, "aliased": 4.1e-10, "far": 1.972e-10,
            "distant": 1.1e-08,
            "load": 1.778e-10, "wait": 1.146e-09, "multiply": 9.456e-12, "bytes_cached": 1.2e-11,
            "bytes": 6.5e-11,
        },
        "cython.gemm.in_place@avx512": {
            "call": 3.78e-07, "product": 1.771e-09, "tile": 1.4e-08, "short": 2.5e-09, "store": 9e-10,
            "split": 9.044e-11, "turned": 1.875e-10, "joined": 1.116e-10, "aliased": 2.1e-10, "far": 2.125e-10,
            "distant": 2e-08,
            "load": 2.326e-10, "wait": 1.091e-09, "multiply": 9.085e-12, "bytes_cached": 1.111e-11,
            "bytes": 6.5e-11,
        },
        "cython.gemm.in_place@portable": {
            "call": 4.2911e-07, "product": 1.6563e-08, "tile": 6.4082e-09, "short": 5e-09, "store": 5e-10,
            "split": 1.4e-10, "turned": 1.88e-10, "joined": 2.1e-10, "aliased": 4.9423e-10, "far": 1.8635e-10,
            "distant": 1.1e-08,
            "load": 3.2133e-10, "wait": 8.2e-10, "multiply": 2.38e-11, "bytes_cached": 1.16e-11, "bytes": 1.1981e-10,
        },
        "cython.gemm.packed@avx2": {
            "call": 1.119e-06, "call_in_place": 3.539e-07, "product": 4.4e-08, "tile": 1.773e-08,
            "multiply": 8.233e-12, "multiply_in_place": 1.126e-11, "pack": 1.01e-10, "bytes_cached": 1.271e-11,
            "bytes": 6.107e-11,
        },
        "cython.gemm.packed@avx512": {
            "call": 1.193e-06, "call_in_place": 3.641e-07, "product": 2.045e-08, "tile": 1.223e-08,
            "multiply": 8.048e-12, "multiply_in_place": 9.655e-12, "pack": 1.439e-10, "bytes_cached": 1.654e-11,
            "bytes": 6.414e-11,
        },
        "cython.gemm.packed@portable": {
            "call": 1.0001e-06, "call_in_place": 4.1696e-07, "product": 8.6255e-08, "tile": 2.0189e-08,
            "multiply": 2.4195e-11, "multiply_in_place": 1.9988e-11, "pack": 1.3602e-10, "bytes_cached": 2.4003e-11,
            "bytes": 4.0007e-11,
        },
        "cython.gemm.thin@avx2": {
            "call": 4.5e-07, "product": 3.882e-08, "last_panel": 3.083e-08, "pack": 5.178e-11,
            "bytes_sides": 1.874e-10, "finish": 1.679e-10, "multiply_packed": 1.134e-11, "multiply": 1.478e-11,
            "bytes_cached": 1.238e-11, "bytes_packed": 2.2887e-11, "bytes": 4.489e-11, "bytes_again": 4.5e-11,
        },
        "cython.gemm.thin@avx512": {
            "call": 4.5e-07, "product": 3.393e-08, "last_panel": 2.957e-08, "pack": 6.271e-11,
            "bytes_sides": 1.211e-10, "finish": 6.422e-11, "multiply_packed": 9.1706e-12, "multiply": 1.24e-11,
            "bytes_cached": 1.22e-11, "bytes_packed": 3.4805e-11, "bytes": 4.159e-11, "bytes_again": 4.5e-11,
        },
        "cython.gemm.thin@portable": {
            "call": 4.8e-07, "product": 1.248e-07, "last_panel": 6.0374e-08, "pack": 5.1017e-11,
            "bytes_sides": 4.9707e-11, "finish": 1.4076e-10, "multiply_packed": 2.9443e-11, "multiply": 4.4218e-11,
            "bytes_cached": 1.7883e-11, "bytes_packed": 4.0776e-11, "bytes": 4.902e-11, "bytes_again": 4.5e-11,
        },
        "cython.gemm.tiles@avx512": {
            "call": 2e-06, "step": 7e-09, "tile": 1.2e-07, "pack": 6e-11, "bytes_cached": 1.3333e-11,
            "bytes": 6.6667e-11,
        },
        "cython.heights@avx2": {
            "call": 3e-06, "tap": 4.5e-10, "held": 1.5e-10, "element": 4e-10, "row": 4e-08, "item": 3e-07,
            "bytes": 6.6667e-11,
        },
        "cython.heights@avx512": {
            "call": 3e-06, "tap": 6.5e-10, "held": 2e-10, "element": 3e-10, "row": 4e-08, "item": 3e-07,
            "bytes": 6.6667e-11,
        },
        "cython.heights@portable": {
            "call": 3e-06, "tap": 8e-10, "held": 3e-10, "element": 1e-09, "row": 4e-08, "item": 3e-07,
            "bytes": 6.6667e-11,
        },
        "cython.loss@avx2": {
            "call": 8.869e-07, "vector": 3.6871e-09, "row": 9.2369e-09, "sample": 3.8708e-09, "bytes": 6.6667e-11,
        },
        "cython.loss@avx512": {
            "call": 6.1031e-07, "vector": 3.9568e-09, "row": 7.0207e-09, "sample": 3.394e-09, "bytes": 6.5144e-11,
        },
        "cython.loss@portable": {
            "call": 9.6424e-07, "vector": 6.5344e-09, "row": 9.7668e-09, "sample": 3.9621e-09, "bytes": 6.6667e-11,
        },
        "cython.pad": {
            "call": 1.4e-06, "row": 1.88e-09, "border": 3.59e-10, "bytes_cached": 1.38e-11, "bytes": 2.07e-11,
        },
        "cython.pool.adaptive@avx2": {
            "call": 1.4015e-06, "row": 1.8541e-08, "window": 9.9286e-09, "vector": 5.8278e-10, "bytes": 2.655e-11,
        },
        "cython.pool.adaptive@avx512": {
            "call": 9.8442e-07, "row": 2.8645e-08, "window": 3.154e-09, "vector": 7.2491e-10, "bytes": 2.4942e-11,
        },
        "cython.pool.adaptive@portable": {
            "call": 2.1644e-06, "row": 2.1667e-08, "window": 7.6646e-09, "vector": 8.0269e-10, "bytes": 4.2988e-11,
        },
        "cython.pool.channels@avx2": {
            "call": 2.4327e-06, "load": 2.9651e-10, "store": 2.5455e-10, "window": 5.9379e-09, "bytes": 1.3642e-11,
        },
        "cython.pool.channels@avx512": {
            "call": 1.2655e-06, "load": 8.158e-10, "store": 9.6038e-10, "window": 2.1573e-09, "bytes": 7.6621e-12,
        },
        "cython.pool.channels@portable": {
            "call": 2.2606e-06, "load": 4.9861e-10, "store": 2.6135e-10, "window": 2.0458e-09, "bytes": 9.0933e-12,
        },
        "cython.pool.flat@avx512": {
            "call": 2.0441e-06, "load": 4.8087e-10, "tap": 6.2276e-10, "divide": 7.4441e-10, "plane": 1.662e-08,
            "bytes": 3.4264e-11,
        },
        "cython.pool.global@avx2": {
            "call": 1.0778e-06, "plane": 3.4938e-09, "vector": 1.4517e-10, "bytes_cached": 7.9356e-12,
            "bytes": 4.0435e-11,
        },
        "cython.pool.global@avx512": {
            "call": 1.7997e-06, "plane": 4e-10, "vector": 1.4721e-10, "bytes_cached": 7.4191e-12,
            "bytes": 2.501e-11,
        },
        "cython.pool.global@portable": {
            "call": 1.5629e-06, "plane": 3.0874e-09, "vector": 1.2196e-10, "bytes_cached": 8.5924e-12,
            "bytes": 4.0094e-11,
        },
        "cython.pool.lanes@avx2": {
            "call": 9.6605e-07, "enter": 6.5808e-10, "leave": 1.3558e-09, "load": 3.5921e-10, "window": 3.4591e-09,
            "item": 5.2229e-08, "bytes": 1.2493e-11,
        },
        "cython.pool.lanes@avx512": {
            "call": 9.1028e-07, "enter": 8.3991e-10, "leave": 1.795e-09, "load": 6.2854e-10, "window": 4.8848e-09,
            "item": 4.7129e-08, "bytes": 9.8128e-12,
        },
        "cython.pool.lanes@portable": {
            "call": 1.1377e-06, "enter": 4.6702e-10, "leave": 9.4714e-10, "load": 3.0599e-10, "window": 2.2482e-09,
            "item": 7.138e-08, "bytes": 2.9397e-11,
        },
        "cython.pool.pairs@avx512": {
            "call": 3.9448e-06, "vector": 9.6e-09, "bytes": 3.1479e-11,
        },
        "cython.pool.powers@avx2": {
            "call": 6e-06, "product": 4e-09, "logarithm": 2.5e-08, "add": 7e-10, "row": 4e-08, "bytes": 6.6667e-11,
        },
        "cython.pool.powers@avx512": {
            "call": 6e-06, "product": 4e-09, "logarithm": 2.5e-08, "add": 7e-10, "row": 4e-08, "bytes": 6.6667e-11,
        },
        "cython.pool.powers@portable": {
            "call": 6e-06, "product": 4e-09, "logarithm": 2.5e-08, "add": 7e-10, "row": 4e-08, "bytes": 6.6667e-11,
        },
        "cython.pool.separable@avx2": {
            "call": 8.8096e-07, "vector": 6.163e-10, "vector_indexed": 2.6709e-09, "vector_whole": 8.1843e-10,
            "vector_whole_indexed": 3.3297e-09, "index": 1.3405e-09, "row": 3.6951e-08, "piece": 1.7315e-08,
            "bytes": 3.1225e-11,
        },
        "cython.pool.separable@avx512": {
            "call": 1.9369e-06, "vector": 7.5846e-10, "vector_indexed": 2.5936e-09, "vector_whole": 1.2783e-09,
            "vector_whole_indexed": 2.7881e-09, "index": 1.5417e-09, "row": 2.2598e-08, "piece": 3.406e-09,
            "bytes": 2.3899e-11,
        },
        "cython.pool.separable@portable": {
            "call": 2.5145e-06, "vector": 7.7753e-10, "vector_indexed": 2.679e-09, "vector_whole": 9.9118e-10,
            "vector_whole_indexed": 2.7852e-09, "index": 1.0992e-09, "row": 3.4638e-08, "piece": 1.5218e-08,
            "bytes": 3.931e-11,
        },
        "cython.pool.shifts@avx2": {
            "call": 1.94e-06, "load": 2.9339e-10, "tap": 5.048e-10, "row": 4.0924e-09, "plane": 5.122e-09,
            "bytes": 3.0451e-11,
        },
        "cython.pool.shifts@avx512": {
            "call": 1.308e-06, "load": 2.9202e-10, "tap": 7.9278e-10, "row": 2.1e-09, "plane": 3.3191e-09,
            "bytes": 2.072e-11,
        },
        "cython.pool.shifts@portable": {
            "call": 1.9798e-06, "load": 3.2714e-10, "tap": 5.8566e-10, "row": 4.2248e-09, "plane": 5.0764e-09,
            "bytes": 4.4859e-11,
        },
        "cython.pool.strided@avx512": {
            "call": 1.6141e-06, "load": 5.752e-10, "shuffle": 3.9073e-10, "row": 1.6695e-08, "bytes": 2.7743e-11,
        },
        "cython.pool_backward.collect": {
            "call": 6e-06, "widen": 1e-09, "bytes": 6.6667e-11,
        },
        "cython.pool_backward.scatter": {
            "call": 6e-06, "gradient": 1e-09, "bytes": 6.6667e-11,
        },
        "cython.pool_backward.separable": {
            "call": 6e-06, "add": 3e-10, "widen": 1e-09, "bytes": 6.6667e-11,
        },
        "cython.rank@avx2": {
            "call": 3e-06, "network": 4e-10, "tap": 4e-10, "element": 2e-10, "row": 4e-08, "item": 3e-07,
            "bytes": 6.6667e-11,
        },
        "cython.rank@avx512": {
            "call": 3e-06, "network": 4e-10, "tap": 6e-10, "element": 1.5e-10, "row": 4e-08, "item": 3e-07,
            "bytes": 6.6667e-11,
        },
        "cython.rank@portable": {
            "call": 3e-06, "network": 8e-10, "tap": 1e-09, "element": 4e-10, "row": 4e-08, "item": 3e-07,
            "bytes": 6.6667e-11,
        },
        "cython.rank_histogram@avx2": {
            "call": 3e-06, "count": 2.94e-09, "clear": 1e-08, "element": 8.61e-09, "window": 4.2e-10, "row": 2e-07,
            "bytes": 6.6667e-11,
        },
        "cython.rank_histogram@avx512": {
            "call": 3e-06, "count": 2.8e-09, "clear": 1e-08, "element": 8.2e-09, "window": 4e-10, "row": 2e-07,
            "bytes": 6.6667e-11,
        },
        "cython.rank_histogram@portable": {
            "call": 3e-06, "count": 6.16e-09, "clear": 1e-08, "element": 1.804e-08, "window": 8.8e-10, "row": 2e-07,
            "bytes": 6.6667e-11,
        },
        "cython.separable@avx2": {
            "call": 3e-06, "multiply": 3e-10, "element": 2e-10, "item": 3e-07, "bytes": 6.6667e-11,
        },
        "cython.separable@avx512": {
            "call": 3e-06, "multiply": 3e-10, "element": 1.5e-10, "item": 3e-07, "bytes": 6.6667e-11,
        },
        "cython.separable@portable": {
            "call": 3e-06, "multiply": 5e-10, "element": 4e-10, "item": 3e-07, "bytes": 6.6667e-11,
        },
        "cython.small@avx2": {
            "call": 4e-06, "vector": 1.2e-09, "dot": 5e-10, "row": 2e-08, "bytes": 2e-11,
        },
        "cython.small@avx512": {
            "call": 4e-06, "vector": 1.3e-09, "dot": 5e-10, "row": 2e-08, "bytes": 2e-11,
        },
        "cython.small@portable": {
            "call": 4e-06, "vector": 1.2e-09, "dot": 1.5e-09, "row": 2e-08, "bytes": 2e-11,
        },
        "cython.softmax@avx2": {
            "call": 9.8983e-07, "vector": 3.9916e-09, "row": 9.9749e-09, "bytes": 1.0474e-10,
        },
        "cython.softmax@avx512": {
            "call": 6.7457e-07, "vector": 3.8786e-09, "row": 6.444e-09, "bytes": 6.4726e-11,
        },
        "cython.softmax@portable": {
            "call": 9.8715e-07, "vector": 7.4149e-09, "row": 9.8379e-09, "bytes": 6.6667e-11,
        },
        "cython.truncated@avx2": {
            "call": 4e-06, "multiply": 2e-10, "vector": 5e-09, "item": 1e-06, "bytes": 6.6667e-11,
        },
        "cython.truncated@avx512": {
            "call": 4e-06, "multiply": 2e-10, "vector": 5e-09, "item": 1e-06, "bytes": 6.6667e-11,
        },
        "cython.truncated@portable": {
            "call": 4e-06, "multiply": 3e-10, "vector": 5e-09, "item": 1e-06, "bytes": 6.6667e-11,
        },
        "cython.unpool": {
            "call": 2e-06, "element": 1e-09, "bytes": 6.6667e-11,
        },
        "cython.widened@avx2": {
            "call": 1.5e-05, "convert": 4e-10, "convert_integer": 6e-10,
        },
        "cython.widened@avx512": {
            "call": 1.5e-05, "convert": 4e-10, "convert_integer": 6e-10,
        },
        "cython.widened@portable": {
            "call": 1.5e-05, "convert": 4e-10, "convert_integer": 6e-10,
        },
        "cython.widened_products@avx2": {
            "call": 6.5415e-06, "convert": 1.3012e-10, "pack": 1.3e-10, "multiply_bfloat16": 1.3534e-11,
            "multiply_int16": 4.2555e-12, "widen": 2e-10,
        },
        "cython.widened_products@avx512": {
            "call": 8.1509e-06, "convert": 1.3557e-10, "pack": 1.3e-10, "multiply_bfloat16": 1.0477e-13,
            "multiply_int16": 1.0398e-13, "widen": 3e-10,
        },
        "cython.widened_products@portable": {
            "call": 7.5221e-06, "convert": 3.1337e-10, "pack": 1.3e-10, "multiply_bfloat16": 2.1e-11,
            "multiply_int16": 8.8035e-11, "widen": 2.5e-09,
        },
        "cython.window@avx2": {
            "call": 3e-06, "box": 2e-10, "join": 1e-09, "element": 1.5e-10, "row": 2e-08, "bytes": 3e-11,
        },
        "cython.window@avx512": {
            "call": 3e-06, "box": 2.5e-10, "join": 1.2e-09, "element": 1e-10, "row": 2e-08, "bytes": 3e-11,
        },
        "cython.window@portable": {
            "call": 3e-06, "box": 2.5e-10, "join": 1.2e-09, "element": 4e-10, "row": 2e-08, "bytes": 3e-11,
        },
        "numba": {
            "thread": 4e-05, "compile": 0.02,
        },
        "numba.conv.depthwise@avx2": {
            "call": 1.1959e-05, "multiply": 1.4788e-11, "multiply_channels": 3.4334e-11, "copy": 6.358e-11,
            "scatter": 2.4131e-09, "bytes": 5.9731e-11, "pack_call": 2.0391e-05,
        },
        "numba.conv.depthwise@avx512": {
            "call": 8.1946e-06, "multiply": 1.6555e-11, "multiply_channels": 3.275e-11, "copy": 9.2623e-11,
            "scatter": 2.6506e-09, "bytes": 3.8718e-11, "pack_call": 2.2494e-05,
        },
        "numba.conv.depthwise@portable": {
            "call": 1.1517e-05, "multiply": 3.2156e-11, "multiply_channels": 6.3445e-11, "copy": 8.9425e-11,
            "scatter": 1.138e-09, "bytes": 5.6326e-11, "pack_call": 1.5848e-05,
        },
        "numba.conv.direct@avx2": {
            "call": 1.0975e-05, "multiply": 8.6391e-12, "copy": 2.857e-10, "gather": 4.8816e-10, "bytes": 3.0024e-11,
            "bytes_read": 3.6711e-11, "pack_call": 2.8674e-05, "pack": 9.9806e-10,
        },
        "numba.conv.direct@avx512": {
            "call": 1.1714e-05, "multiply": 8.7218e-12, "copy": 1.7042e-10, "gather": 4.7266e-10, "bytes": 2.7877e-11,
            "bytes_read": 6.7332e-11, "pack_call": 2.0546e-05, "pack": 1.0212e-09,
        },
        "numba.conv.direct@portable": {
            "call": 1.1367e-05, "multiply": 1.7436e-11, "copy": 3.7584e-10, "gather": 3.6649e-10, "bytes": 3.0516e-11,
            "bytes_read": 7.6413e-11, "pack_call": 2.6468e-05, "pack": 1.1912e-09,
        },
        "numba.conv.pointwise@avx2": {
            "call": 6.8427e-06, "multiply": 1.1006e-11, "bytes": 5.8125e-11, "pack_call": 1.0306e-05,
            "pack": 1.4951e-09,
        },
        "numba.conv.pointwise@avx512": {
            "call": 5.5249e-06, "multiply": 9.6587e-12, "bytes": 4.589e-11, "pack_call": 1.0608e-05,
            "pack": 1.4492e-09,
        },
        "numba.conv.pointwise@portable": {
            "call": 1.0225e-05, "multiply": 2.0385e-11, "bytes": 9.4356e-11, "pack_call": 9.7324e-06,
            "pack": 1.4974e-09,
        },
        "numba.conv_weight.direct@avx2": {
            "call": 3.2747e-05, "multiply": 1.0341e-11, "copy": 4.8069e-10, "pack": 3.9883e-10, "join": 4.2689e-10,
        },
        "numba.conv_weight.direct@avx512": {
            "call": 3.2927e-05, "multiply": 1.0064e-11, "copy": 4.9218e-10, "pack": 4.2128e-10, "join": 4.3417e-10,
        },
        "numba.conv_weight.direct@portable": {
            "call": 3.4629e-05, "multiply": 1.9591e-11, "copy": 4.9416e-10, "pack": 3.9134e-10, "join": 4.8625e-10,
        },
        "numba.correlation": {
            "call": 2.5e-05, "multiply": 4.8e-10, "vector": 7.4e-10, "row": 1.4e-08, "item": 1e-06, "bytes": 5e-11,
        },
        "numba.empty": {
            "call": 4e-06, "bytes": 6.6667e-11,
        },
        "numba.footprint": {
            "call": 1e-05, "tap": 6.5e-10, "vector": 7e-10, "row": 1.4e-08, "item": 1e-06, "bytes": 5e-11,
        },
        "numba.gemm@avx2": {
            "call": 7.8326e-06, "multiply": 8.6709e-12, "bytes_packed": 1.2828e-10, "bytes": 1.2828e-10,
            "pack_row": 3e-08,
        },
        "numba.gemm@avx512": {
            "call": 7.4387e-06, "multiply": 8.1655e-12, "bytes_packed": 1.175e-10, "bytes": 1.175e-10,
            "pack_row": 3e-08,
        },
        "numba.gemm@portable": {
            "call": 1.1658e-05, "multiply": 1.6135e-11, "bytes_packed": 1.3273e-10, "bytes": 1.3273e-10,
            "pack_row": 3e-08,
        },
        "numba.pool@avx2": {
            "call": 8.055e-06, "tap": 2.9665e-10, "copy": 2.4431e-10, "scatter": 1.2123e-09, "bytes": 2.5247e-11,
        },
        "numba.pool@avx512": {
            "call": 6.7742e-06, "tap": 5.0405e-10, "copy": 3.04e-10, "scatter": 1.1955e-09, "bytes": 1.6452e-11,
        },
        "numba.pool@portable": {
            "call": 9.8385e-06, "tap": 2.4801e-10, "copy": 2.5608e-10, "scatter": 1.0968e-09, "bytes": 3.576e-11,
        },
        "numba.rank": {
            "call": 1e-05, "step": 1.4e-09, "vector": 7e-10, "row": 1.4e-08, "item": 1e-06, "bytes": 5e-11,
        },
        "numba.rank_ordinal": {
            "call": 1e-05, "sort": 2e-09, "flip": 1.8e-09, "clear": 2e-10, "element": 2.4e-08, "vector": 7e-10,
            "row": 1.4e-08, "item": 1e-06, "bytes": 5e-11,
        },
        "numba.separable": {
            "call": 3e-05, "multiply": 4.6e-10, "vector": 6e-10, "row": 1.4e-08, "bytes": 2e-11, "sum": 5e-10,
        },
        "numba.window": {
            "call": 1e-05, "join": 1.4e-09, "vector": 6e-10, "row": 1.4e-08, "bytes": 2e-11,
        },
        "numpy.binary": {
            "call": 1e-06, "element": 1e-10, "bytes": 6.6667e-11,
        },
        "numpy.conv.col2im": {
            "call": 4e-06, "product": 1.7857e-11, "integer": 4e-10, "element": 1e-09, "bytes": 6.6667e-11,
        },
        "numpy.conv.depthwise": {
            "call": 4.7596e-06, "element": 4.9371e-10,
        },
        "numpy.conv.im2col": {
            "call": 3.4741e-06, "multiply": 1.1379e-11, "gather": 1.011e-09, "integer": 1e-09, "convert": 6.5555e-10,
            "bytes_copied": 7.448e-11, "bytes": 9.7675e-11, "row": 2.2608e-09,
        },
        "numpy.conv.pointwise": {
            "call": 9.7783e-07, "multiply": 1.0514e-11, "integer": 1e-09, "convert": 7.1796e-10, "bytes": 2.1615e-11,
            "unsummed": 9.2695e-10, "finish": 2.8594e-10, "turned": 4.7473e-10,
        },
        "numpy.conv.scatter": {
            "call": 2.6017e-06, "multiply": 1.3098e-11, "element": 1.1495e-09, "bytes": 2.2054e-10,
        },
        "numpy.conv_weight.depthwise": {
            "call": 4.0562e-06, "element": 1.76e-10,
        },
        "numpy.conv_weight.im2col": {
            "call": 3.9417e-06, "multiply": 1.109e-11, "bytes_copied": 2.5204e-10, "bytes": 6.2082e-11,
        },
        "numpy.correlation": {
            "call": 1e-06, "element": 4e-10, "bytes": 6.6667e-11,
        },
        "numpy.elementwise": {
            "call": 1.973e-05, "element": 1.2728e-09, "scalar": 2.1e-08,
        },
        "numpy.elementwise_backward": {
            "call": 2e-05, "element": 3e-09,
        },
        "numpy.fold": {
            "call": 2e-06, "bytes": 6.6667e-11,
        },
        "numpy.footprint": {
            "call": 2e-06, "element": 1.2e-09, "bytes": 6.6667e-11,
        },
        "numpy.gemm.matmul": {
            "call": 2.8538e-06, "converted_call": 7.2062e-06, "multiply": 1.0971e-11, "integer": 1e-09,
            "convert": 9.3973e-10, "bytes_cached": 2.2569e-11, "bytes": 8e-11, "unsummed": 1.05e-09,
            "turned": 1.5022e-10, "finish": 2.4853e-11,
        },
        "numpy.loss.blocks": {
            "call": 5e-05, "element": 1e-08,
        },
        "numpy.loss.picked": {
            "call": 1.5e-05, "sample": 1.2e-08,
        },
        "numpy.loss_backward": {
            "call": 5e-05, "element": 1e-08,
        },
        "numpy.pad": {
            "call": 1.4229e-06, "row": 3.5e-09, "bytes": 2.2775e-11,
        },
        "numpy.pad_backward": {
            "call": 2e-06, "bytes": 6.6667e-11,
        },
        "numpy.pool.direct": {
            "call": 2.9065e-06, "element": 2.1099e-10,
        },
        "numpy.pool.separable": {
            "call": 1.444e-06, "element": 1.5924e-10, "power": 3.738e-09,
        },
        "numpy.pool.tiles": {
            "call": 1.9415e-06, "reduce": 1.522e-10, "run": 4.6914e-09,
        },
        "numpy.pool.windows": {
            "call": 1.8768e-06, "reduce": 3.0249e-10, "run": 2.2987e-08,
        },
        "numpy.pool_backward.scatter": {
            "call": 2e-06, "gradient": 1.5e-09, "bytes": 6.6667e-11,
        },
        "numpy.pool_backward.separable": {
            "call": 2e-06, "element": 3e-10, "power": 2e-09, "bytes": 6.6667e-11,
        },
        "numpy.pool_backward.shared": {
            "call": 2e-06, "element": 3e-10,
        },
        "numpy.pool_backward.tiles": {
            "call": 2e-06, "reduce": 3.5e-10, "run": 4e-09,
        },
        "numpy.rank": {
            "call": 2e-06, "element": 1e-08, "bytes": 6.6667e-11,
        },
        "numpy.separable": {
            "call": 2e-06, "element": 8e-10, "bytes": 6.6667e-11,
        },
        "numpy.softmax": {
            "call": 1.9915e-05, "element": 7.9826e-09,
        },
        "numpy.softmax_backward": {
            "call": 2e-05, "element": 1e-08,
        },
        "numpy.unpool": {
            "call": 2e-06, "element": 5e-09, "bytes": 6.6667e-11,
        },
        "numpy.unpool_backward": {
            "call": 2e-06, "element": 4e-09, "bytes": 6.6667e-11,
        },
        "numpy.window": {
            "call": 2e-06, "element": 8e-10, "bytes": 6.6667e-11,
        },
        "phases": {
            "block": 3.0587e-06, "weight": 2.5712e-09, "bytes": 6.3033e-11, "bytes_cycled": 6.6667e-11,
        },
        "phases@avx2": {
            "block": 2.4626e-06, "weight": 9.8751e-10, "bytes": 1.8391e-10, "bytes_cycled": 6.6667e-11,
        },
        "phases@avx512": {
            "block": 2.6408e-06, "weight": 1.1127e-09, "bytes": 1.2235e-10, "bytes_cycled": 6.6667e-11,
        },
        "phases@portable": {
            "block": 4.722e-07, "weight": 3.8353e-09, "bytes": 3.04e-10, "bytes_cycled": 6.6667e-11,
        },
        "reference.definition": {
            "call": 0.001, "product": 1e-08,
        },
        "reference.pool_backward": {
            "call": 0.001, "product": 4e-08,
        },
        "reference.unpool": {
            "call": 0.001, "product": 1e-07,
        },
        "reference.unpool_backward": {
            "call": 0.001, "product": 1e-07,
        },
        "trimmed": {
            "part": 1e-05, "run": 7e-09, "weight": 1e-10,
        },
    },
)  # fmt: skip
