"""AMD Zen 4, where AVX-512 instructions run as two halves.

Rates were fitted by ``fastconv tune --fit`` on a guest of two processors, those of convolutions and pooling once more
on some 1,050 problems drawn at random, as called functions; those of counts that none of these problems has were set by
hand, from times of a few problems: of filters above all, of AVX2 and portable kernels of these by scaling.
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
            "call": 1.1338e-06, "item": 4e-08, "multiply_rows": 2.0514e-11, "multiply_rows_apart": 3.7202e-11,
            "multiply_halved": 2.7385e-11, "multiply_halved_apart": 4.2279e-11, "multiply_few_rows": 1.6099e-11,
            "multiply_taps": 6.1228e-11, "tile": 7.8367e-09, "row": 1.3506e-08, "copy": 2.6843e-10,
            "bytes": 3.3333e-11, "multiply_lanes": 9.1946e-12, "multiply_lanes_rolled": 2.1545e-11,
            "multiply_lanes_groups": 3e-11, "line": 9.7434e-09, "copy_lanes": 2.5452e-10, "bytes_lanes": 5.454e-11,
            "pack": 7.289e-10,
        },
        "cython.conv.depthwise@avx512": {
            "call": 6.9379e-07, "item": 4e-08, "multiply_rows": 1.2289e-11, "multiply_rows_apart": 1.5883e-11,
            "multiply_halved": 1.1721e-11, "multiply_halved_apart": 1.7911e-11, "multiply_few_rows": 1.8057e-11,
            "multiply_taps": 3.0874e-11, "tile": 2.9345e-09, "row": 7.5e-09, "copy": 1.3053e-10, "bytes": 3.4019e-11,
            "multiply_lanes": 7.682e-12, "multiply_lanes_rolled": 1.6611e-11, "multiply_lanes_groups": 1.9e-11,
            "line": 1.3223e-08, "copy_lanes": 1.2217e-10, "bytes_lanes": 4.2092e-11, "pack": 1.2459e-09,
        },
        "cython.conv.depthwise@portable": {
            "call": 9.4253e-07, "item": 4e-08, "multiply_rows": 6.2648e-11, "multiply_rows_apart": 7.4405e-11,
            "multiply_halved": 5.5035e-11, "multiply_halved_apart": 8.8239e-11, "multiply_few_rows": 7.9498e-11,
            "multiply_taps": 1.3574e-10, "tile": 7.4214e-09, "row": 1.1478e-08, "copy": 2.5654e-10,
            "bytes": 3.1727e-11, "multiply_lanes": 3.2389e-11, "multiply_lanes_rolled": 6.0293e-11,
            "multiply_lanes_groups": 1.2e-10, "line": 5.7161e-09, "copy_lanes": 6.5257e-10, "bytes_lanes": 7.2273e-11,
            "pack": 7.7654e-10,
        },
        "cython.conv.direct@avx2": {
            "call": 9.0859e-07, "plane": 2.5628e-07, "multiply": 9.537e-12, "row": 2.7066e-09, "copy": 1.2867e-10,
            "gather": 2.3458e-10, "bytes_streamed": 4.3026e-11, "bytes": 1.1282e-10, "bytes_cached": 7.0642e-11,
            "pack_call": 2.1932e-07, "pack": 2.3846e-10,
        },
        "cython.conv.direct@avx512": {
            "call": 5.4696e-07, "plane": 1.2551e-07, "multiply": 8.3662e-12, "row": 3.9675e-09, "copy": 5.5883e-11,
            "gather": 5.4786e-10, "bytes_streamed": 5.7616e-11, "bytes": 9.0147e-11, "bytes_cached": 5.0123e-11,
            "pack_call": 2.9174e-07, "pack": 8.7575e-11,
        },
        "cython.conv.direct@portable": {
            "call": 6.2888e-07, "plane": 1.4198e-07, "multiply": 2.4821e-11, "row": 5.5819e-09, "copy": 1.0166e-10,
            "gather": 4.1702e-10, "bytes_streamed": 5.2144e-11, "bytes": 1.067e-10, "bytes_cached": 1.0249e-10,
            "pack_call": 4.5185e-07, "pack": 2.5965e-10,
        },
        "cython.conv.direct_last@avx2": {
            "call": 1.1064e-06, "multiply": 9.4922e-12, "tile": 5.1606e-09, "partial": 2.6875e-08, "run": 2.1716e-09,
            "row": 3.8006e-08, "copy": 7.6136e-11, "bytes_streamed": 9.4563e-11, "bytes": 3.1296e-11,
            "bytes_cached": 1.0494e-11, "pack_call": 1.1601e-06, "pack": 1.7387e-10, "pack_sorted": 5.0104e-10,
        },
        "cython.conv.direct_last@avx512": {
            "call": 1.986e-07, "multiply": 7.2243e-12, "tile": 6.3172e-09, "partial": 8.7245e-10, "run": 1.8736e-09,
            "row": 3.3998e-08, "copy": 1.4398e-10, "bytes_streamed": 5.2558e-11, "bytes": 3.4512e-11,
            "bytes_cached": 4.3351e-12, "pack_call": 2e-07, "pack": 6.6e-11, "pack_sorted": 1.6051e-09,
        },
        "cython.conv.direct_last@portable": {
            "call": 1.0034e-06, "multiply": 2.1748e-11, "tile": 7.8377e-09, "partial": 1.1071e-08, "run": 2.9862e-09,
            "row": 1.426e-08, "copy": 1.1517e-10, "bytes_streamed": 6.9866e-11, "bytes": 2.8224e-11,
            "bytes_cached": 3.0395e-11, "pack_call": 1.005e-06, "pack": 2.6822e-10, "pack_sorted": 5.3626e-10,
        },
        "cython.conv.gathered@avx2": {
            "call": 3.6702e-06, "row": 4.4298e-09, "run": 3.8755e-09, "element": 1.4836e-10, "place": 4.1531e-10,
            "bytes_cached": 2.1719e-11, "bytes": 3.9382e-11,
        },
        "cython.conv.gathered@avx512": {
            "call": 1.6175e-06, "row": 2.9184e-09, "run": 2.1149e-09, "element": 1.0875e-10, "place": 7.4727e-10,
            "bytes_cached": 1.65e-11, "bytes": 1.0866e-10,
        },
        "cython.conv.gathered@portable": {
            "call": 2.5059e-06, "row": 4.928e-09, "run": 4.9448e-09, "element": 1.822e-10, "place": 6.4871e-10,
            "bytes_cached": 2.0373e-11, "bytes": 8.6323e-11,
        },
        "cython.conv.grouped@avx2": {
            "call": 7.61e-07, "item": 8e-08, "multiply_rows": 1.6713e-11, "multiply_rows_apart": 3.7202e-11,
            "multiply_halved": 2.4802e-11, "multiply_halved_apart": 2.3059e-11, "multiply_few_rows": 3.0197e-11,
            "multiply_taps": 3.5126e-11, "tile": 8.9819e-09, "row": 1.1649e-08, "copy": 2.1766e-10,
            "bytes": 1.6544e-10, "multiply_lanes": 9.8557e-12, "multiply_lanes_rolled": 1.7906e-11,
            "multiply_lanes_groups": 1.7698e-11, "line": 5.2419e-09, "copy_lanes": 1.6615e-10,
            "bytes_lanes": 3.4373e-11, "pack": 5.1627e-10,
        },
        "cython.conv.grouped@avx512": {
            "call": 7.1664e-07, "item": 8e-08, "multiply_rows": 1.0742e-11, "multiply_rows_apart": 1.7857e-11,
            "multiply_halved": 1.1905e-11, "multiply_halved_apart": 1.7013e-11, "multiply_few_rows": 2.0909e-11,
            "multiply_taps": 4.4058e-11, "tile": 5.94e-09, "row": 8.5236e-09, "copy": 1.0997e-10, "bytes": 5.1344e-11,
            "multiply_lanes": 8.5913e-12, "multiply_lanes_rolled": 1.7987e-11, "multiply_lanes_groups": 1.2841e-11,
            "line": 5.2539e-09, "copy_lanes": 8.6031e-11, "bytes_lanes": 4.3801e-11, "pack": 5.7749e-10,
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
            "call": 5.9233e-07, "tile": 9.5309e-09, "multiply": 9.3406e-12, "move": 2.0193e-10,
            "bytes_cached": 1.01e-11, "bytes": 7.4638e-11, "pack_call": 5.7178e-07, "pack": 1.0206e-10,
        },
        "cython.conv.images@avx512": {
            "call": 7.177e-07, "tile": 4.4869e-09, "multiply": 7.4239e-12, "move": 1.8408e-10,
            "bytes_cached": 1.2235e-11, "bytes": 5.2771e-11, "pack_call": 7.3481e-07, "pack": 3.3233e-10,
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
            "call": 7.7212e-07, "item": 1.6904e-07, "turn": 1.2156e-10, "copy": 1.0409e-10, "pack": 2.4469e-09,
            "multiply": 6.1376e-12, "multiply_rolled": 1.0727e-11, "line": 3.2383e-09, "bytes": 1.0613e-11,
        },
        "cython.conv.planes@portable": {
            "call": 6.6233e-07, "item": 1.0171e-07, "turn": 3.9082e-10, "copy": 2e-10, "pack": 5.8955e-10,
            "multiply": 4.806e-11, "multiply_rolled": 4.8019e-11, "line": 2.8853e-09, "bytes": 2.8002e-11,
        },
        "cython.conv.pointwise@avx2": {
            "call": 5.1625e-07, "multiply": 8.9383e-12, "multiply_streamed": 9.5887e-12, "bytes_cached": 1.7374e-11,
            "bytes": 4.0377e-11, "pack_call": 1.3172e-07, "pack": 1.7658e-10,
        },
        "cython.conv.pointwise@avx512": {
            "call": 4.8531e-07, "multiply": 7.8691e-12, "multiply_streamed": 7.8112e-12, "bytes_cached": 7.3085e-12,
            "bytes": 1.5966e-11, "pack_call": 7.1248e-07, "pack": 3.7109e-10,
        },
        "cython.conv.pointwise@portable": {
            "call": 6.1976e-07, "multiply": 2.8637e-11, "multiply_streamed": 3.0094e-11, "bytes_cached": 1.8081e-11,
            "bytes": 3.5381e-11, "pack_call": 2.3803e-07, "pack": 5.259e-10,
        },
        "cython.conv.pointwise_blocked@avx2": {
            "call": 1.0718e-06, "multiply": 9.1659e-12, "move": 4.3259e-10, "bytes_streamed": 6.6667e-11,
            "pack_call": 1e-06, "pack": 1.7017e-10,
        },
        "cython.conv.pointwise_blocked@avx512": {
            "call": 9.8384e-07, "multiply": 7.4161e-12, "move": 4.0196e-10, "bytes_streamed": 6.8494e-11,
            "pack_call": 4.2836e-07, "pack": 3.3561e-10,
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
            "call": 9.9583e-08,
        },
        "cython.conv.thin@avx512": {
            "call": 1.0817e-07,
        },
        "cython.conv.thin@portable": {
            "call": 1.1866e-07,
        },
        "cython.conv.tiles@avx512": {
            "call": 2e-06, "item": 3e-07, "tile": 1.2e-07, "row": 2e-08, "pack": 8e-11, "weights": 3e-10,
            "step": 8e-09, "bytes_cached": 1.3333e-11, "bytes": 6.6667e-11,
        },
        "cython.conv.windows@avx2": {
            "store": 2.9212e-10,
        },
        "cython.conv.windows@avx512": {
            "store": 2.5901e-10,
        },
        "cython.conv.windows@portable": {
            "store": 2.5334e-10,
        },
        "cython.conv.winograd@avx2": {
            "call": 1.2633e-06, "multiply": 9.7496e-12, "transform_row": 4.6134e-09, "transform_input": 4.9458e-10,
            "transform_output": 1.1199e-10, "transform_store": 1.0006e-10, "join": 8.2527e-10,
            "bytes_streamed": 4.3122e-11, "bytes_stalled": 3.3154e-11, "bytes_stalled_depth": 3.8913e-11,
            "bytes": 4.2423e-11, "pack_256k": 9.5902e-10, "pack_4m": 6.6244e-10, "pack_32m": 1.1172e-09,
            "pack_more": 1.05e-09,
        },
        "cython.conv.winograd@avx512": {
            "call": 1.0002e-06, "multiply": 8.5542e-12, "transform_row": 3.4088e-09, "transform_input": 4.2017e-10,
            "transform_output": 1.2441e-10, "transform_store": 1.3211e-10, "join": 6.3475e-10,
            "bytes_streamed": 5.4905e-11, "bytes_stalled": 4.0655e-12, "bytes_stalled_depth": 2.4962e-11,
            "bytes": 2.1066e-11, "pack_256k": 7.202e-10, "pack_4m": 4.475e-10, "pack_32m": 9.0598e-10,
            "pack_more": 1.05e-09,
        },
        "cython.conv.winograd@portable": {
            "call": 1.061e-06, "multiply": 2.886e-11, "transform_row": 8.0893e-09, "transform_input": 9.8833e-10,
            "transform_output": 2.1708e-10, "transform_store": 4.8255e-10, "join": 9.1894e-10,
            "bytes_streamed": 5.0149e-11, "bytes_stalled": 1.5144e-11, "bytes_stalled_depth": 6.1562e-11,
            "bytes": 6.6144e-11, "pack_256k": 1.2005e-09, "pack_4m": 9.5725e-10, "pack_32m": 8.973e-10,
            "pack_more": 1.05e-09,
        },
        "cython.conv.winograd_rows@avx2": {
            "call": 1.0066e-06, "multiply": 2.1799e-11, "multiply_load": 9.9896e-14, "multiply_finish": 1.4567e-10,
            "multiply_crowded": 2.1736e-11, "multiply_load_crowded": 9.9997e-14,
            "multiply_finish_crowded": 1.3396e-10, "row": 3.1992e-08, "input": 4.8386e-10, "pack_call": 2.9444e-06,
            "pack": 3.9502e-09,
        },
        "cython.conv.winograd_rows@avx512": {
            "call": 7.6068e-07, "multiply": 5.8094e-12, "multiply_load": 1.1042e-11, "multiply_finish": 1.3806e-10,
            "multiply_crowded": 8.5173e-12, "multiply_load_crowded": 9.207e-12, "multiply_finish_crowded": 3.2523e-11,
            "row": 1.6892e-08, "input": 4.0438e-10, "pack_call": 3.4155e-06, "pack": 3.0582e-09,
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
            "tanh": 5.4055e-09, "silu": 5.6552e-09, "elu": 6e-09, "selu": 6e-09, "celu": 8e-09, "gelu": 9.052e-09,
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
            "call": 3.517e-07, "product": 2.379e-08, "output": 1.15e-09, "multiply": 1.034e-11, "pack": 1.861e-10,
            "split": 8.547e-11, "load": 2.959e-10, "bytes_cached": 1.298e-11, "bytes": 2.133e-11,
            "multiply_across": 1.47e-11, "vector": 6.804e-09, "step": 6.03e-10,
            "turned": 1.402e-10, "widened": 2e-10,
        },
        "cython.gemm.dots@avx512": {
            "call": 3.662e-07, "product": 3.923e-08, "output": 6.569e-10, "multiply": 8.631e-12,
            "pack": 2.719e-10, "split": 8.028e-11, "load": 6.832e-10, "bytes_cached": 1.076e-11, "bytes": 3.301e-11,
            "multiply_across": 5.241e-12, "vector": 7.286e-09, "step": 1.003e-09,
            "turned": 2.091e-10, "widened": 1e-10,
        },
        "cython.gemm.dots@portable": {
            "call": 4.7438e-07, "product": 4.9573e-08, "output": 9.5994e-10, "multiply": 3.1636e-11,
            "pack": 2.477e-10, "split": 7.5e-11, "load": 2.5e-10, "bytes_cached": 7e-12, "bytes": 3.9216e-11,
            "multiply_across": 4e-11, "vector": 1e-09, "step": 1e-09,
            "turned": 1.9e-10, "widened": 2.5e-09,
        },
        "cython.gemm.in_place@avx2": {
            "call": 3.868e-07, "product": 1.403e-08, "tile": 9.832e-09, "split": 1.04e-10, "turned": 1.443e-10,
            "joined": 1.655e-10, "aliased": 6.586e-10, "far": 1.972e-10, "load": 1.778e-10, "wait": 1.146e-09,
            "multiply": 9.456e-12, "bytes_cached": 4.689e-12, "bytes": 2.582e-11,
        },
        "cython.gemm.in_place@avx512": {
            "call": 3.78e-07, "product": 1.771e-09, "tile": 1.709e-08, "split": 9.044e-11, "turned": 1.875e-10,
            "joined": 1.116e-10, "aliased": 5.977e-10, "far": 2.125e-10, "load": 2.326e-10, "wait": 1.091e-09,
            "multiply": 9.085e-12, "bytes_cached": 1.111e-11, "bytes": 4.062e-11,
        },
        "cython.gemm.in_place@portable": {
            "call": 4.2911e-07, "product": 1.6563e-08, "tile": 6.4082e-09, "split": 1.4e-10, "turned": 1.88e-10,
            "joined": 2.1e-10, "aliased": 4.9423e-10, "far": 1.8635e-10, "load": 3.2133e-10, "wait": 8.2e-10,
            "multiply": 2.38e-11, "bytes_cached": 1.16e-11, "bytes": 1.1981e-10,
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
            "call": 6.441e-07, "product": 3.882e-08, "last_panel": 3.083e-08, "pack": 5.178e-11,
            "bytes_sides": 1.874e-10, "finish": 1.679e-10, "multiply_packed": 1.134e-11, "multiply": 1.478e-11,
            "bytes_cached": 1.238e-11, "bytes_packed": 2.2887e-11, "bytes": 4.489e-11,
        },
        "cython.gemm.thin@avx512": {
            "call": 9.181e-07, "product": 3.393e-08, "last_panel": 2.957e-08, "pack": 6.271e-11,
            "bytes_sides": 1.211e-10, "finish": 6.422e-11, "multiply_packed": 9.1706e-12, "multiply": 1.24e-11,
            "bytes_cached": 1.451e-11, "bytes_packed": 3.4805e-11, "bytes": 4.159e-11,
        },
        "cython.gemm.thin@portable": {
            "call": 4.9263e-07, "product": 1.248e-07, "last_panel": 6.0374e-08, "pack": 5.1017e-11,
            "bytes_sides": 4.9707e-11, "finish": 1.4076e-10, "multiply_packed": 2.9443e-11, "multiply": 4.4218e-11,
            "bytes_cached": 1.7883e-11, "bytes_packed": 4.0776e-11, "bytes": 4.902e-11,
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
            "call": 1.7997e-06, "plane": 2.2168e-09, "vector": 1.4721e-10, "bytes_cached": 7.4191e-12,
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
            "multiply_int16": 1.0398e-13, "widen": 1e-10,
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
            "thread": 4e-05, "compile": 0.001,
        },
        "numba.conv.depthwise@avx2": {
            "call": 8.5393e-06, "multiply": 1.7475e-11, "multiply_channels": 3.6181e-11, "copy": 1.5577e-10,
            "scatter": 1.4734e-09, "bytes": 4.1832e-11, "pack_call": 1.731e-05,
        },
        "numba.conv.depthwise@avx512": {
            "call": 7.7762e-06, "multiply": 1.5741e-11, "multiply_channels": 3.313e-11, "copy": 1.6139e-10,
            "scatter": 1.6422e-09, "bytes": 3.6532e-11, "pack_call": 1.6401e-05,
        },
        "numba.conv.depthwise@portable": {
            "call": 1.1517e-05, "multiply": 3.2156e-11, "multiply_channels": 6.3445e-11, "copy": 8.9425e-11,
            "scatter": 1.138e-09, "bytes": 5.6326e-11, "pack_call": 1.5848e-05,
        },
        "numba.conv.direct@avx2": {
            "call": 1.0862e-05, "multiply": 9.0738e-12, "copy": 3.998e-10, "gather": 5.1238e-10, "bytes": 2.3233e-11,
            "bytes_read": 6.201e-11, "pack_call": 2.652e-05, "pack": 1.1286e-09,
        },
        "numba.conv.direct@avx512": {
            "call": 1.305e-05, "multiply": 8.7943e-12, "copy": 2.2948e-10, "gather": 3.872e-10, "bytes": 2.7372e-11,
            "bytes_read": 7.0118e-11, "pack_call": 1.8438e-05, "pack": 1.1821e-09,
        },
        "numba.conv.direct@portable": {
            "call": 1.1367e-05, "multiply": 1.7436e-11, "copy": 3.7584e-10, "gather": 3.6649e-10, "bytes": 3.0516e-11,
            "bytes_read": 7.6413e-11, "pack_call": 2.6468e-05, "pack": 1.1912e-09,
        },
        "numba.conv.pointwise@avx2": {
            "call": 7.4279e-06, "multiply": 1.0699e-11, "bytes": 6.2442e-11, "pack_call": 9.8029e-06,
            "pack": 1.5153e-09,
        },
        "numba.conv.pointwise@avx512": {
            "call": 6.1082e-06, "multiply": 9.5104e-12, "bytes": 5.0473e-11, "pack_call": 9.6691e-06,
            "pack": 1.4951e-09,
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
            "call": 3.85e-06, "element": 4.467e-10,
        },
        "numpy.conv.im2col": {
            "call": 2.8446e-06, "multiply": 1.1031e-11, "gather": 7.1195e-10, "integer": 1e-09, "convert": 8.2034e-10,
            "bytes_copied": 7.6997e-11, "bytes": 9.1662e-11, "row": 3.7682e-09,
        },
        "numpy.conv.pointwise": {
            "call": 8.8858e-07, "multiply": 1.021e-11, "integer": 1e-09, "convert": 8.7392e-10, "bytes": 3.6032e-11,
            "unsummed": 1.15e-09, "finish": 1.1477e-10, "turned": 4.5277e-10,
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
            "convert": 9.3973e-10, "bytes": 2.2569e-11, "unsummed": 1.05e-09, "turned": 1.5022e-10,
            "finish": 2.4853e-11,
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
            "block": 3.0587e-06, "weight": 2.5712e-09, "bytes": 6.3033e-11,
        },
        "phases@avx2": {
            "block": 2.4626e-06, "weight": 9.8751e-10, "bytes": 1.8391e-10,
        },
        "phases@avx512": {
            "block": 2.6408e-06, "weight": 1.1127e-09, "bytes": 1.2235e-10,
        },
        "phases@portable": {
            "block": 4.722e-07, "weight": 3.8353e-09, "bytes": 3.04e-10,
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
