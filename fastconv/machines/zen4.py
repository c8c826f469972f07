"""AMD Zen 4, where AVX-512 instructions run as two halves.

Rates were fitted by ``fastconv tune --fit`` on a guest of two processors; those of counts that none of its problems has
were set by hand, from times of a few problems: of filters above all, of AVX2 and portable kernels of these by scaling.
"""

from fastconv.core.costs import Table

TABLE = Table(
    name="zen4",
    peak={"avx512": 1.18e+11, "avx2": 1.18e+11, "portable": 5.9e+10},
    bandwidth=1.5e+10,
    rates={
        "cython.binary@avx2": {
            "call": 3e-06, "tap": 2e-10, "held": 1.5e-10, "row": 4e-08, "item": 3e-07, "bytes": 6.6667e-11,
        },
        "cython.binary@avx512": {
            "call": 3e-06, "tap": 2.5e-10, "held": 2e-10, "row": 4e-08, "item": 3e-07, "bytes": 6.6667e-11,
        },
        "cython.binary@portable": {
            "call": 3e-06, "tap": 4e-10, "held": 3e-10, "row": 4e-08, "item": 3e-07, "bytes": 6.6667e-11,
        },
        "cython.conv.col2im@avx2": {
            "call": 7.4438e-07, "multiply": 7.1905e-12, "tile": 2.9089e-08, "window": 9.9592e-09, "run": 2e-09,
            "row": 3.6921e-09, "pack": 3e-10, "gather": 1.2e-09, "bytes_streamed": 4.6353e-11,
            "bytes_cached": 1.3052e-11, "bytes": 6.7897e-11,
        },
        "cython.conv.col2im@avx512": {
            "call": 8.6935e-07, "multiply": 8.8391e-12, "tile": 2.9815e-08, "window": 1.0296e-08, "run": 2e-09,
            "row": 2.7564e-09, "pack": 3e-10, "gather": 1.2e-09, "bytes_streamed": 5.7987e-11,
            "bytes_cached": 1.1903e-11, "bytes": 6.8053e-11,
        },
        "cython.conv.col2im@portable": {
            "call": 1.0636e-06, "multiply": 1.8953e-11, "tile": 2.9768e-08, "window": 9.9453e-09, "run": 2e-09,
            "row": 4.9294e-09, "pack": 3e-10, "gather": 1.2e-09, "bytes_streamed": 6.5656e-11,
            "bytes_cached": 1.3305e-11, "bytes": 6.698e-11,
        },
        "cython.conv.depthwise@avx2": {
            "call": 1.0415e-06, "multiply_rows": 1.6622e-11, "multiply_rows_apart": 3.7202e-11,
            "multiply_halved": 2.5278e-11, "multiply_halved_apart": 3.5275e-11, "multiply_few_rows": 3.3338e-11,
            "multiply_taps": 4.3119e-11, "tile": 1.4919e-08, "row": 1.2e-08, "copy": 2.49e-10, "bytes": 3.3333e-11,
            "multiply_lanes": 1.5866e-11, "multiply_lanes_rolled": 2e-11, "multiply_lanes_groups": 3e-11,
            "line": 3.2597e-09, "copy_lanes": 2.1466e-10, "bytes_lanes": 3.2947e-11, "pack": 5e-10,
        },
        "cython.conv.depthwise@avx512": {
            "call": 6.3403e-07, "multiply_rows": 1.1511e-11, "multiply_rows_apart": 1.7857e-11,
            "multiply_halved": 1.0313e-11, "multiply_halved_apart": 1.6898e-11, "multiply_few_rows": 1.5905e-11,
            "multiply_taps": 2.9778e-11, "tile": 6.9173e-09, "row": 1.2e-08, "copy": 2.507e-10, "bytes": 3.0907e-11,
            "multiply_lanes": 1.2392e-11, "multiply_lanes_rolled": 1.6e-11, "multiply_lanes_groups": 1.9e-11,
            "line": 3.5814e-09, "copy_lanes": 1.1374e-10, "bytes_lanes": 2.5257e-11, "pack": 5e-10,
        },
        "cython.conv.depthwise@portable": {
            "call": 9.0104e-07, "multiply_rows": 5.9898e-11, "multiply_rows_apart": 7.4405e-11,
            "multiply_halved": 5.2664e-11, "multiply_halved_apart": 8.5236e-11, "multiply_few_rows": 1.0265e-10,
            "multiply_taps": 8.0777e-11, "tile": 9.7432e-09, "row": 1.2e-08, "copy": 2.5e-10, "bytes": 3.3333e-11,
            "multiply_lanes": 4.2201e-11, "multiply_lanes_rolled": 6e-11, "multiply_lanes_groups": 1.2e-10,
            "line": 3.0041e-09, "copy_lanes": 5.7697e-10, "bytes_lanes": 3.3333e-11, "pack": 5e-10,
        },
        "cython.conv.direct@avx2": {
            "call": 5.4846e-07, "plane": 1.4834e-07, "multiply": 9.1237e-12, "row": 1.3533e-08, "copy": 1.0623e-10,
            "gather": 9.1128e-10, "bytes_streamed": 5.4504e-11, "bytes": 7.0723e-11, "bytes_cached": 4.8218e-11,
            "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.direct@avx512": {
            "call": 3.317e-07, "plane": 1.5291e-07, "multiply": 8.6689e-12, "row": 1.2614e-08, "copy": 1.1222e-10,
            "gather": 7.5228e-10, "bytes_streamed": 4.1606e-11, "bytes": 6.5046e-11, "bytes_cached": 3.9664e-11,
            "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.direct@portable": {
            "call": 5.5767e-07, "plane": 1.3496e-07, "multiply": 2.6226e-11, "row": 9.981e-09, "copy": 1.4175e-10,
            "gather": 8.102e-10, "bytes_streamed": 5.6864e-11, "bytes": 6.6181e-11, "bytes_cached": 4.914e-11,
            "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.direct_last@avx2": {
            "call": 9.7433e-07, "multiply": 7.575e-12, "tile": 4.3412e-09, "partial": 1.8341e-08, "run": 2.1998e-09,
            "row": 2.3025e-08, "copy": 8.3397e-11, "bytes_streamed": 9.2311e-11, "bytes": 2.5033e-11,
            "bytes_cached": 7.5475e-12, "pack_call": 1e-06, "pack": 3.3e-10, "pack_sorted": 5e-10,
        },
        "cython.conv.direct_last@avx512": {
            "call": 9.9298e-07, "multiply": 8.8829e-12, "tile": 9.8949e-09, "partial": 9.9995e-10, "run": 3.478e-09,
            "row": 1.6681e-08, "copy": 8.0613e-11, "bytes_streamed": 6.3972e-11, "bytes": 2.5037e-11,
            "bytes_cached": 2.1161e-11, "pack_call": 1e-06, "pack": 3.3e-10, "pack_sorted": 5e-10,
        },
        "cython.conv.direct_last@portable": {
            "call": 9.9988e-07, "multiply": 2.3808e-11, "tile": 9.7245e-09, "partial": 1.8e-08, "run": 3.8111e-09,
            "row": 1.998e-08, "copy": 8.0014e-11, "bytes_streamed": 6.6712e-11, "bytes": 2.5e-11,
            "bytes_cached": 1.9819e-11, "pack_call": 1e-06, "pack": 3.3e-10, "pack_sorted": 5e-10,
        },
        "cython.conv.gathered@avx2": {
            "call": 2.3618e-06, "row": 5e-09, "run": 5e-09, "element": 2.3e-10, "place": 1.9759e-10,
            "bytes_cached": 1.4313e-11, "bytes": 1.1e-10,
        },
        "cython.conv.gathered@avx512": {
            "call": 2.2882e-06, "row": 5e-09, "run": 5e-09, "element": 2.3e-10, "place": 4.9393e-10,
            "bytes_cached": 2.2892e-11, "bytes": 1.1e-10,
        },
        "cython.conv.gathered@portable": {
            "call": 2.5441e-06, "row": 5e-09, "run": 5e-09, "element": 2.3e-10, "place": 3.276e-10,
            "bytes_cached": 1.9403e-11, "bytes": 1.1e-10,
        },
        "cython.conv.grouped@avx2": {
            "call": 6.6575e-07, "multiply_rows": 1.5796e-11, "multiply_rows_apart": 3.7202e-11,
            "multiply_halved": 2.4802e-11, "multiply_halved_apart": 4.1002e-11, "multiply_few_rows": 6.021e-11,
            "multiply_taps": 4.1574e-11, "tile": 9.6709e-09, "row": 1.1998e-08, "copy": 2.4969e-10,
            "bytes": 7.8044e-11, "multiply_lanes": 1.1481e-11, "multiply_lanes_rolled": 2e-11,
            "multiply_lanes_groups": 2.4363e-11, "line": 2.9328e-09, "copy_lanes": 1.9477e-10,
            "bytes_lanes": 3.3333e-11, "pack": 5e-10,
        },
        "cython.conv.grouped@avx512": {
            "call": 6.144e-07, "multiply_rows": 1.0608e-11, "multiply_rows_apart": 1.7857e-11,
            "multiply_halved": 1.1905e-11, "multiply_halved_apart": 1.6059e-11, "multiply_few_rows": 2.8951e-11,
            "multiply_taps": 3.6691e-11, "tile": 6.3645e-09, "row": 1.1998e-08, "copy": 2.4983e-10,
            "bytes": 4.0012e-11, "multiply_lanes": 1.035e-11, "multiply_lanes_rolled": 1.6e-11,
            "multiply_lanes_groups": 1.6215e-11, "line": 2.9746e-09, "copy_lanes": 1.3936e-10,
            "bytes_lanes": 3.3333e-11, "pack": 5e-10,
        },
        "cython.conv.grouped@portable": {
            "call": 9.5924e-07, "multiply_rows": 6.0114e-11, "multiply_rows_apart": 7.4405e-11,
            "multiply_halved": 4.9603e-11, "multiply_halved_apart": 7.3775e-11, "multiply_few_rows": 1.2091e-10,
            "multiply_taps": 1.0236e-10, "tile": 1.0071e-08, "row": 1.2e-08, "copy": 2.4999e-10, "bytes": 3.3333e-11,
            "multiply_lanes": 4.3729e-11, "multiply_lanes_rolled": 6e-11, "multiply_lanes_groups": 1.1795e-10,
            "line": 2.9976e-09, "copy_lanes": 5.8526e-10, "bytes_lanes": 3.3333e-11, "pack": 5e-10,
        },
        "cython.conv.images@avx2": {
            "call": 1.0228e-06, "tile": 5.9415e-09, "multiply": 8.1151e-12, "move": 3.5664e-10,
            "bytes_cached": 1.4426e-11, "bytes": 7.7297e-11, "pack_call": 1e-06, "pack": 3.3e-10,
        },
        "cython.conv.images@avx512": {
            "call": 9.9506e-07, "tile": 4.9685e-09, "multiply": 7.2977e-12, "move": 2.7346e-10,
            "bytes_cached": 1.5154e-11, "bytes": 5.3789e-11, "pack_call": 1e-06, "pack": 3.3e-10,
        },
        "cython.conv.images@portable": {
            "call": 1.0057e-06, "tile": 7.1974e-09, "multiply": 2.9754e-11, "move": 2.8683e-10,
            "bytes_cached": 1.4404e-11, "bytes": 6.6584e-11, "pack_call": 1e-06, "pack": 3.3e-10,
        },
        "cython.conv.planes@avx2": {
            "call": 7.1738e-07, "item": 9.0181e-08, "turn": 1.496e-10, "copy": 1.1755e-10, "pack": 5e-10,
            "multiply": 1.3281e-11, "multiply_rolled": 2.2e-11, "line": 3.396e-09, "bytes": 2.9642e-11,
        },
        "cython.conv.planes@avx512": {
            "call": 5.9545e-07, "item": 7.004e-08, "turn": 1.6171e-10, "copy": 1.0409e-10, "pack": 5e-10,
            "multiply": 9.0228e-12, "multiply_rolled": 1.5e-11, "line": 3.3616e-09, "bytes": 1.8134e-11,
        },
        "cython.conv.planes@portable": {
            "call": 6e-07, "item": 1e-07, "turn": 5e-10, "copy": 2e-10, "pack": 5e-10, "multiply": 5.5e-11,
            "multiply_rolled": 6.5e-11, "line": 3.7e-09, "bytes": 3e-11,
        },
        "cython.conv.pointwise@avx2": {
            "call": 5.5455e-07, "multiply": 9.0292e-12, "multiply_streamed": 1.0572e-11, "bytes_cached": 1.6049e-11,
            "bytes": 3.2284e-11, "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.pointwise@avx512": {
            "call": 4.8763e-07, "multiply": 7.9435e-12, "multiply_streamed": 7.8896e-12, "bytes_cached": 7.4269e-12,
            "bytes": 2.2926e-11, "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.pointwise@portable": {
            "call": 6.2258e-07, "multiply": 2.9333e-11, "multiply_streamed": 3.1266e-11, "bytes_cached": 1.614e-11,
            "bytes": 3.3377e-11, "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.pointwise_blocked@avx2": {
            "call": 8.4554e-07, "multiply": 9.6681e-12, "move": 3.0945e-10, "bytes_streamed": 6.6667e-11,
            "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.pointwise_blocked@avx512": {
            "call": 8.9184e-07, "multiply": 7.34e-12, "move": 4.0267e-10, "bytes_streamed": 6.9073e-11,
            "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.pointwise_blocked@portable": {
            "call": 7.5064e-07, "multiply": 2.9313e-11, "move": 4.9033e-10, "bytes_streamed": 6.6667e-11,
            "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.row_sums@avx2": {
            "call": 7.3961e-07, "multiply": 9.2962e-12, "tile": 1.3244e-08, "panel": 2.6477e-09, "store": 9.3868e-11,
            "pack": 4.5e-10, "row": 1.9809e-08, "phase": 5.9561e-09, "vector": 1.7797e-09, "sum": 6.8281e-10,
            "sum_given": 8.1643e-10, "turn": 4e-10, "bytes_streamed": 7.2895e-11, "bytes_cached": 1.2158e-11,
            "bytes": 6.1974e-11,
        },
        "cython.conv.row_sums@avx512": {
            "call": 8.0171e-07, "multiply": 8.7989e-12, "tile": 1.2915e-08, "panel": 2.5842e-09, "store": 6.589e-11,
            "pack": 4.5e-10, "row": 1.6076e-08, "phase": 3.2062e-09, "vector": 1.4525e-09, "sum": 5.6958e-10,
            "sum_given": 6.6102e-10, "turn": 4e-10, "bytes_streamed": 1.8785e-10, "bytes_cached": 1.0125e-11,
            "bytes": 7.45e-11,
        },
        "cython.conv.row_sums@portable": {
            "call": 9.1304e-07, "multiply": 2.2476e-11, "tile": 1.266e-08, "panel": 2.7173e-09, "store": 9.6852e-11,
            "pack": 4.5e-10, "row": 1.6643e-08, "phase": 5.4546e-09, "vector": 1.6797e-09, "sum": 6.5497e-10,
            "sum_given": 9.0649e-10, "turn": 4e-10, "bytes_streamed": 6.6697e-11, "bytes_cached": 1.2898e-11,
            "bytes": 6.1495e-11,
        },
        "cython.conv.thin@avx2": {
            "call": 1.3275e-07,
        },
        "cython.conv.thin@avx512": {
            "call": 1.0128e-07,
        },
        "cython.conv.thin@portable": {
            "call": 1.3931e-07,
        },
        "cython.conv.tiles@avx512": {
            "call": 2e-06, "item": 3e-07, "tile": 1.2e-07, "row": 2e-08, "pack": 8e-11, "weights": 3e-10,
            "step": 8e-09, "bytes_cached": 1.3333e-11, "bytes": 6.6667e-11,
        },
        "cython.conv.windows@avx2": {
            "store": 2.5235e-10,
        },
        "cython.conv.windows@avx512": {
            "store": 2.5034e-10,
        },
        "cython.conv.windows@portable": {
            "store": 2.5054e-10,
        },
        "cython.conv.winograd@avx2": {
            "call": 1.1934e-06, "multiply": 9.7236e-12, "transform_row": 1.207e-08, "transform_input": 1.9909e-10,
            "transform_output": 9.2557e-11, "transform_store": 2.2119e-10, "join": 8.4104e-10,
            "bytes_streamed": 4.3203e-11, "bytes_stalled": 3.1995e-11, "bytes_stalled_depth": 3.6745e-11,
            "bytes": 6.3169e-11, "pack_256k": 5.5e-10, "pack_4m": 3.5e-10, "pack_32m": 6e-10, "pack_more": 1.05e-09,
        },
        "cython.conv.winograd@avx512": {
            "call": 1.2546e-06, "multiply": 8.5294e-12, "transform_row": 3.4275e-09, "transform_input": 3.6815e-10,
            "transform_output": 1.3233e-10, "transform_store": 1.6761e-10, "join": 5.4455e-10,
            "bytes_streamed": 4.4823e-11, "bytes_stalled": 8.6137e-12, "bytes_stalled_depth": 2.8203e-11,
            "bytes": 2.9759e-11, "pack_256k": 5.5e-10, "pack_4m": 3.5e-10, "pack_32m": 6e-10, "pack_more": 1.05e-09,
        },
        "cython.conv.winograd@portable": {
            "call": 8.8163e-07, "multiply": 2.8625e-11, "transform_row": 1.0169e-08, "transform_input": 9.461e-10,
            "transform_output": 2.1604e-10, "transform_store": 4.5873e-10, "join": 9.0061e-10,
            "bytes_streamed": 5.3011e-11, "bytes_stalled": 1.1772e-11, "bytes_stalled_depth": 6.4174e-11,
            "bytes": 6.6022e-11, "pack_256k": 5.5e-10, "pack_4m": 3.5e-10, "pack_32m": 6e-10, "pack_more": 1.05e-09,
        },
        "cython.conv.winograd_rows@avx2": {
            "call": 1.0689e-06, "multiply": 2.1945e-11, "multiply_load": 9.9982e-14, "multiply_finish": 1.3454e-10,
            "multiply_crowded": 2.1893e-11, "multiply_load_crowded": 9.9973e-14,
            "multiply_finish_crowded": 1.4644e-10, "row": 3.533e-08, "input": 4.6272e-10, "pack_call": 2e-06,
            "pack": 3e-09,
        },
        "cython.conv.winograd_rows@avx512": {
            "call": 8.4971e-07, "multiply": 6.7017e-12, "multiply_load": 7.8951e-12, "multiply_finish": 7.5057e-11,
            "multiply_crowded": 9.8878e-12, "multiply_load_crowded": 5.4022e-12,
            "multiply_finish_crowded": 3.9554e-11, "row": 3.5336e-08, "input": 3.756e-10, "pack_call": 2e-06,
            "pack": 3e-09,
        },
        "cython.conv.winograd_rows@portable": {
            "call": 1.0726e-06, "multiply": 3.4154e-11, "multiply_load": 1.3546e-11, "multiply_finish": 2.0156e-10,
            "multiply_crowded": 3.3828e-11, "multiply_load_crowded": 1.4329e-11, "multiply_finish_crowded": 2.269e-10,
            "row": 4.8614e-08, "input": 6.9715e-10, "pack_call": 2e-06, "pack": 3e-09,
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
            "call": 4.887e-07, "product": 4.9305e-08, "output": 7.9604e-10, "multiply": 2.35e-11, "pack": 2.4179e-10,
            "split": 7.5e-11, "bytes_cached": 7e-12, "bytes": 3.9216e-11,
        },
        "cython.gemm.dots@avx512": {
            "call": 4.7918e-07, "product": 4.9422e-08, "output": 8.3722e-10, "multiply": 1.0509e-11,
            "pack": 2.4477e-10, "split": 7.5e-11, "bytes_cached": 9.9624e-12, "bytes": 3.9216e-11,
        },
        "cython.gemm.dots@portable": {
            "call": 4.7438e-07, "product": 4.9573e-08, "output": 9.5994e-10, "multiply": 3.1636e-11,
            "pack": 2.477e-10, "split": 7.5e-11, "bytes_cached": 7e-12, "bytes": 3.9216e-11,
        },
        "cython.gemm.in_place@avx2": {
            "call": 4.2288e-07, "product": 1.7862e-08, "tile": 9.0687e-09, "split": 3.5e-11, "turned": 1.22e-10,
            "joined": 1.97e-10, "aliased": 9.2093e-10, "far": 2.6225e-10, "load": 1.7623e-10, "wait": 1.1338e-09,
            "multiply": 9.1816e-12, "bytes_cached": 1.4321e-11, "bytes": 8.4934e-11,
        },
        "cython.gemm.in_place@avx512": {
            "call": 3.4293e-07, "product": 2.8075e-09, "tile": 1.4923e-08, "split": 2e-11, "turned": 1.63e-10,
            "joined": 1.67e-10, "aliased": 6.928e-10, "far": 3.5807e-10, "load": 2.34e-10, "wait": 1.08e-09,
            "multiply": 1.0455e-11, "bytes_cached": 1.1557e-11, "bytes": 1.1205e-10,
        },
        "cython.gemm.in_place@portable": {
            "call": 4.2911e-07, "product": 1.6563e-08, "tile": 6.4082e-09, "split": 1.4e-10, "turned": 1.88e-10,
            "joined": 2.1e-10, "aliased": 4.9423e-10, "far": 1.8635e-10, "load": 3.2133e-10, "wait": 8.2e-10,
            "multiply": 2.38e-11, "bytes_cached": 1.16e-11, "bytes": 1.1981e-10,
        },
        "cython.gemm.packed@avx2": {
            "call": 9.9882e-07, "call_in_place": 3.8913e-07, "product": 1.1249e-07, "tile": 1.6662e-08,
            "multiply": 8.6813e-12, "multiply_in_place": 9.7353e-12, "pack": 1.5198e-10, "bytes_cached": 1.8383e-11,
            "bytes": 3.4221e-11,
        },
        "cython.gemm.packed@avx512": {
            "call": 1.0036e-06, "call_in_place": 3.8617e-07, "product": 6.5682e-08, "tile": 4.1856e-08,
            "multiply": 6.857e-12, "multiply_in_place": 7.3532e-12, "pack": 1.8704e-10, "bytes_cached": 2.0092e-11,
            "bytes": 4.0502e-11,
        },
        "cython.gemm.packed@portable": {
            "call": 1.0001e-06, "call_in_place": 4.1696e-07, "product": 8.6255e-08, "tile": 2.0189e-08,
            "multiply": 2.4195e-11, "multiply_in_place": 1.9988e-11, "pack": 1.3602e-10, "bytes_cached": 2.4003e-11,
            "bytes": 4.0007e-11,
        },
        "cython.gemm.thin@avx2": {
            "call": 4.4489e-07, "product": 1.1307e-07, "last_panel": 5.2854e-08, "pack": 4.5541e-11,
            "bytes_sides": 5.756e-11, "finish": 1.086e-10, "multiply_packed": 1.134e-11, "multiply": 1.4031e-11,
            "bytes_cached": 1.6359e-11, "bytes_packed": 2.2887e-11, "bytes": 3.9216e-11,
        },
        "cython.gemm.thin@avx512": {
            "call": 3.2523e-07, "product": 1.2103e-07, "last_panel": 5.1435e-08, "pack": 5.5379e-11,
            "bytes_sides": 1.1045e-11, "finish": 3.4037e-11, "multiply_packed": 9.1706e-12, "multiply": 1.4314e-11,
            "bytes_cached": 1.2417e-11, "bytes_packed": 3.4805e-11, "bytes": 3.9216e-11,
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
            "call": 2.0595e-06, "row": 3.6378e-09, "border": 1.1267e-09, "bytes_cached": 2.339e-11, "bytes": 4e-11,
        },
        "cython.pool.adaptive@avx2": {
            "call": 1.8986e-06, "row": 1.9983e-08, "window": 5.991e-09, "vector": 6.1695e-10, "bytes": 4.931e-11,
        },
        "cython.pool.adaptive@avx512": {
            "call": 1.4271e-06, "row": 1.9541e-08, "window": 5.758e-09, "vector": 3.8738e-10, "bytes": 2.026e-11,
        },
        "cython.pool.adaptive@portable": {
            "call": 1.982e-06, "row": 2.0026e-08, "window": 6.0137e-09, "vector": 7.2469e-10, "bytes": 6.2729e-11,
        },
        "cython.pool.channels@avx2": {
            "call": 3.493e-06, "load": 2.1197e-10, "store": 6.8282e-10, "window": 4.611e-09, "bytes": 1.3826e-11,
        },
        "cython.pool.channels@avx512": {
            "call": 9.9825e-07, "load": 2.8581e-10, "store": 6.6906e-10, "window": 3.0824e-09, "bytes": 1.7413e-11,
        },
        "cython.pool.channels@portable": {
            "call": 1.8668e-06, "load": 2.1675e-10, "store": 6.8842e-10, "window": 3.9309e-09, "bytes": 2.2549e-11,
        },
        "cython.pool.flat@avx512": {
            "call": 2.0426e-06, "load": 4.7431e-10, "tap": 6.1118e-10, "divide": 7.5909e-10, "plane": 1.5721e-08,
            "bytes": 3.3175e-11,
        },
        "cython.pool.global@avx2": {
            "call": 1.8601e-06, "plane": 3.3925e-09, "vector": 1.6366e-10, "bytes_cached": 9.1036e-12,
            "bytes": 6.6667e-11,
        },
        "cython.pool.global@avx512": {
            "call": 1.6524e-06, "plane": 2.1657e-09, "vector": 1.6585e-10, "bytes_cached": 7.8031e-12,
            "bytes": 6.6667e-11,
        },
        "cython.pool.global@portable": {
            "call": 1.9183e-06, "plane": 2.5827e-09, "vector": 1.8519e-10, "bytes_cached": 1.2356e-11,
            "bytes": 6.6667e-11,
        },
        "cython.pool.lanes@avx2": {
            "call": 1.6592e-06, "enter": 6.3048e-10, "leave": 1.1227e-09, "load": 2.2569e-10, "window": 2.2375e-09,
            "item": 1.0693e-07, "bytes": 2.3529e-11,
        },
        "cython.pool.lanes@avx512": {
            "call": 1.6675e-06, "enter": 8.2594e-10, "leave": 1.3509e-09, "load": 3.0206e-10, "window": 3.171e-09,
            "item": 8.3565e-08, "bytes": 2.5472e-11,
        },
        "cython.pool.lanes@portable": {
            "call": 1.9102e-06, "enter": 7.0436e-10, "leave": 1.0576e-09, "load": 2.9284e-10, "window": 2.8508e-09,
            "item": 1.3406e-07, "bytes": 4.3076e-11,
        },
        "cython.pool.pairs@avx512": {
            "call": 3.9596e-06, "vector": 9.6e-09, "bytes": 3.7125e-11,
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
            "call": 3.8592e-06, "vector": 9.6221e-10, "vector_indexed": 2.6673e-09, "vector_whole": 6.0268e-10,
            "vector_whole_indexed": 2.8775e-09, "index": 1.2409e-09, "row": 3.823e-08, "piece": 1.4375e-08,
            "bytes": 3.7167e-11,
        },
        "cython.pool.separable@avx512": {
            "call": 2.6498e-06, "vector": 8.0072e-10, "vector_indexed": 2.6195e-09, "vector_whole": 5.6505e-10,
            "vector_whole_indexed": 2.4286e-09, "index": 1.2828e-09, "row": 2.5376e-08, "piece": 1.5795e-08,
            "bytes": 2.9805e-11,
        },
        "cython.pool.separable@portable": {
            "call": 5.7076e-06, "vector": 1.0463e-09, "vector_indexed": 2.6695e-09, "vector_whole": 7.9459e-10,
            "vector_whole_indexed": 2.4371e-09, "index": 1.0614e-09, "row": 3.713e-08, "piece": 1.5758e-08,
            "bytes": 5.2653e-11,
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
            "multiply_int16": 4.2555e-12,
        },
        "cython.widened_products@avx512": {
            "call": 8.1509e-06, "convert": 1.3557e-10, "pack": 1.3e-10, "multiply_bfloat16": 1.0477e-13,
            "multiply_int16": 1.0398e-13,
        },
        "cython.widened_products@portable": {
            "call": 7.5221e-06, "convert": 3.1337e-10, "pack": 1.3e-10, "multiply_bfloat16": 2.1e-11,
            "multiply_int16": 8.8035e-11,
        },
        "cython.window@avx2": {
            "call": 3e-06, "box": 1.6e-10, "join": 5e-10, "element": 1.5e-10, "row": 2e-08, "bytes": 6.6667e-11,
        },
        "cython.window@avx512": {
            "call": 3e-06, "box": 1.4e-10, "join": 5e-10, "element": 1e-10, "row": 2e-08, "bytes": 6.6667e-11,
        },
        "cython.window@portable": {
            "call": 3e-06, "box": 2.4e-10, "join": 8e-10, "element": 4e-10, "row": 2e-08, "bytes": 6.6667e-11,
        },
        "numba": {
            "thread": 4e-05,
        },
        "numba.conv.depthwise@avx2": {
            "call": 1.0657e-05, "multiply": 1.7184e-11, "multiply_channels": 3.3006e-11, "copy": 1.2842e-10,
            "scatter": 9.7664e-10, "bytes": 3.1357e-11, "pack_call": 1.2e-05,
        },
        "numba.conv.depthwise@avx512": {
            "call": 1.0361e-05, "multiply": 1.469e-11, "multiply_channels": 3.017e-11, "copy": 1.2799e-10,
            "scatter": 9.547e-10, "bytes": 3.0628e-11, "pack_call": 1.2e-05,
        },
        "numba.conv.depthwise@portable": {
            "call": 1.1504e-05, "multiply": 2.9295e-11, "multiply_channels": 7.2175e-11, "copy": 1.5513e-10,
            "scatter": 9.9581e-10, "bytes": 4.4103e-11, "pack_call": 1.2e-05,
        },
        "numba.conv.direct@avx2": {
            "call": 1.1232e-05, "multiply": 9.5932e-12, "copy": 3.552e-10, "gather": 3.5731e-10, "bytes": 2.2366e-11,
            "bytes_read": 6.7322e-11, "pack_call": 2e-05, "pack": 1.5e-09,
        },
        "numba.conv.direct@avx512": {
            "call": 1.3255e-05, "multiply": 9.1848e-12, "copy": 2.9907e-10, "gather": 3.097e-10, "bytes": 1.9742e-11,
            "bytes_read": 6.7934e-11, "pack_call": 2e-05, "pack": 1.5e-09,
        },
        "numba.conv.direct@portable": {
            "call": 1.1075e-05, "multiply": 1.7827e-11, "copy": 3.7701e-10, "gather": 5.2612e-10, "bytes": 3.4153e-11,
            "bytes_read": 6.6994e-11, "pack_call": 2e-05, "pack": 1.5e-09,
        },
        "numba.conv.pointwise@avx2": {
            "call": 8.865e-06, "multiply": 1.0601e-11, "bytes": 6.7071e-11, "pack_call": 1e-05, "pack": 1.5e-09,
        },
        "numba.conv.pointwise@avx512": {
            "call": 7.8738e-06, "multiply": 9.5048e-12, "bytes": 4.7499e-11, "pack_call": 1e-05, "pack": 1.5e-09,
        },
        "numba.conv.pointwise@portable": {
            "call": 1.2087e-05, "multiply": 2.0841e-11, "bytes": 7.1664e-11, "pack_call": 1e-05, "pack": 1.5e-09,
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
        "numba.empty": {
            "call": 4e-06, "bytes": 6.6667e-11,
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
            "call": 1.14e-05, "tap": 2.0543e-10, "copy": 2.5615e-10, "scatter": 1.0836e-09, "bytes": 2.5754e-11,
        },
        "numba.pool@avx512": {
            "call": 1.0952e-05, "tap": 2.6742e-10, "copy": 2.7113e-10, "scatter": 1.0845e-09, "bytes": 2.296e-11,
        },
        "numba.pool@portable": {
            "call": 1.3453e-05, "tap": 2.1056e-10, "copy": 2.8118e-10, "scatter": 1.0417e-09, "bytes": 3.4749e-11,
        },
        "numpy.binary": {
            "call": 1e-06, "element": 1e-10, "bytes": 6.6667e-11,
        },
        "numpy.conv.col2im": {
            "call": 4e-06, "product": 1.7857e-11, "integer": 4e-10, "element": 1e-09, "bytes": 6.6667e-11,
        },
        "numpy.conv.depthwise": {
            "call": 3.9679e-06, "element": 4.8349e-10,
        },
        "numpy.conv.im2col": {
            "call": 2.092e-06, "multiply": 1.0773e-11, "gather": 6.2218e-10, "integer": 1e-09, "convert": 1.1056e-09,
            "bytes_copied": 8.7398e-11, "bytes": 2.9787e-11, "row": 5.7085e-09,
        },
        "numpy.conv.pointwise": {
            "call": 1.2199e-06, "multiply": 1.104e-11, "integer": 1e-09, "convert": 1.1339e-09, "bytes": 2.1852e-11,
            "unsummed": 1.15e-09, "finish": 1e-10, "turned": 4e-10,
        },
        "numpy.conv.scatter": {
            "call": 3.6335e-06, "multiply": 1.5853e-11, "element": 1.1857e-09, "bytes": 1.2551e-10,
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
            "call": 1.4229e-06, "bytes": 2.2775e-11,
        },
        "numpy.pad_backward": {
            "call": 2e-06, "bytes": 6.6667e-11,
        },
        "numpy.pool.direct": {
            "call": 2.0813e-06, "element": 4.3598e-10,
        },
        "numpy.pool.separable": {
            "call": 1.726e-06, "element": 2.2501e-10, "power": 3.738e-09,
        },
        "numpy.pool.tiles": {
            "call": 1.8282e-06, "reduce": 2.0773e-10, "run": 2.3457e-08,
        },
        "numpy.pool.windows": {
            "call": 2e-06, "reduce": 3.5e-10, "run": 2.4e-08,
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
            "block": 2.9895e-06, "weight": 3e-09, "bytes": 6.6536e-11,
        },
        "phases@avx2": {
            "block": 7.3986e-07, "weight": 3e-09, "bytes": 6.2504e-11,
        },
        "phases@avx512": {
            "block": 5.2816e-07, "weight": 3e-09, "bytes": 3.5937e-11,
        },
        "phases@portable": {
            "block": 7.8168e-07, "weight": 3e-09, "bytes": 9.9966e-11,
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
    },
)  # fmt: skip
