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
            "call": 1.1512e-06, "multiply": 8.747e-12, "tile": 2.9745e-08, "window": 9.8927e-09, "run": 2e-09,
            "row": 3.8425e-09, "pack": 3e-10, "gather": 1.2e-09, "bytes_streamed": 6.56e-11,
            "bytes_cached": 1.3278e-11, "bytes": 6.7056e-11,
        },
        "cython.conv.col2im@avx512": {
            "call": 8.124e-07, "multiply": 8.1447e-12, "tile": 2.9513e-08, "window": 9.7523e-09, "run": 2e-09,
            "row": 3.5457e-09, "pack": 3e-10, "gather": 1.2e-09, "bytes_streamed": 5.5026e-11,
            "bytes_cached": 1.2625e-11, "bytes": 6.7771e-11,
        },
        "cython.conv.col2im@portable": {
            "call": 1.1278e-06, "multiply": 1.9304e-11, "tile": 2.987e-08, "window": 9.9797e-09, "run": 2e-09,
            "row": 5.6483e-09, "pack": 3e-10, "gather": 1.2e-09, "bytes_streamed": 6.6088e-11,
            "bytes_cached": 1.3321e-11, "bytes": 6.685e-11,
        },
        "cython.conv.depthwise@avx2": {
            "call": 1.0745e-06, "multiply_rows": 1.9319e-11, "multiply_rows_apart": 3.7202e-11,
            "multiply_halved": 2.3725e-11, "multiply_halved_apart": 3.1007e-11, "multiply_few_rows": 4.2528e-11,
            "multiply_taps": 4.2598e-11, "tile": 1.4678e-08, "row": 1.2e-08, "copy": 2.4944e-10, "bytes": 3.3333e-11,
            "multiply_lanes": 1.7408e-11, "multiply_lanes_rolled": 2e-11, "multiply_lanes_groups": 3e-11,
            "line": 3.1045e-09, "copy_lanes": 2.5033e-10, "bytes_lanes": 3.3843e-11, "pack": 5e-10,
        },
        "cython.conv.depthwise@avx512": {
            "call": 7.8131e-07, "multiply_rows": 1.1062e-11, "multiply_rows_apart": 1.7857e-11,
            "multiply_halved": 1.069e-11, "multiply_halved_apart": 1.6084e-11, "multiply_few_rows": 1.9387e-11,
            "multiply_taps": 2.2232e-11, "tile": 6.7377e-09, "row": 1.2e-08, "copy": 2.4984e-10, "bytes": 2.9584e-11,
            "multiply_lanes": 1.293e-11, "multiply_lanes_rolled": 1.6e-11, "multiply_lanes_groups": 1.9e-11,
            "line": 3.2388e-09, "copy_lanes": 1.2667e-10, "bytes_lanes": 2.6638e-11, "pack": 5e-10,
        },
        "cython.conv.depthwise@portable": {
            "call": 1.0669e-06, "multiply_rows": 5.5606e-11, "multiply_rows_apart": 7.4405e-11,
            "multiply_halved": 4.9859e-11, "multiply_halved_apart": 8.4977e-11, "multiply_few_rows": 1.1062e-10,
            "multiply_taps": 8.2171e-11, "tile": 9.4168e-09, "row": 1.2e-08, "copy": 2.5e-10, "bytes": 3.3333e-11,
            "multiply_lanes": 4.4587e-11, "multiply_lanes_rolled": 6e-11, "multiply_lanes_groups": 1.2e-10,
            "line": 2.9993e-09, "copy_lanes": 5.8809e-10, "bytes_lanes": 3.3333e-11, "pack": 5e-10,
        },
        "cython.conv.direct@avx2": {
            "call": 6.0465e-07, "plane": 1.6475e-07, "multiply": 9.0848e-12, "row": 1.2066e-08, "copy": 1.1313e-10,
            "gather": 1.2018e-09, "bytes_streamed": 5.9282e-11, "bytes": 6.8453e-11, "bytes_cached": 4.4906e-11,
            "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.direct@avx512": {
            "call": 4.1068e-07, "plane": 1.5952e-07, "multiply": 8.5326e-12, "row": 1.0385e-08, "copy": 1.1551e-10,
            "gather": 7.3387e-10, "bytes_streamed": 5.1097e-11, "bytes": 6.8159e-11, "bytes_cached": 4.706e-11,
            "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.direct@portable": {
            "call": 6.3925e-07, "plane": 1.5319e-07, "multiply": 2.6647e-11, "row": 9.2085e-09, "copy": 1.3872e-10,
            "gather": 9.4588e-10, "bytes_streamed": 6.1373e-11, "bytes": 6.6638e-11, "bytes_cached": 4.7744e-11,
            "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.direct_last@avx2": {
            "call": 9.7804e-07, "multiply": 7.3057e-12, "tile": 8.012e-09, "partial": 1.8e-08, "run": 3.3096e-09,
            "row": 1.9815e-08, "copy": 8.2685e-11, "bytes_streamed": 7.5035e-11, "bytes": 2.5016e-11,
            "bytes_cached": 1.2547e-11, "pack_call": 1e-06, "pack": 3.3e-10, "pack_sorted": 5e-10,
        },
        "cython.conv.direct_last@avx512": {
            "call": 1.0038e-06, "multiply": 6.6432e-12, "tile": 9.8085e-09, "partial": 1e-09, "run": 3.9017e-09,
            "row": 1.9951e-08, "copy": 8.0104e-11, "bytes_streamed": 6.3359e-11, "bytes": 2.504e-11,
            "bytes_cached": 2.1536e-11, "pack_call": 1e-06, "pack": 3.3e-10, "pack_sorted": 5e-10,
        },
        "cython.conv.direct_last@portable": {
            "call": 9.9992e-07, "multiply": 2.444e-11, "tile": 9.8494e-09, "partial": 1.8e-08, "run": 3.9015e-09,
            "row": 1.9994e-08, "copy": 8.0024e-11, "bytes_streamed": 6.6652e-11, "bytes": 2.5e-11,
            "bytes_cached": 1.9898e-11, "pack_call": 1e-06, "pack": 3.3e-10, "pack_sorted": 5e-10,
        },
        "cython.conv.gathered@avx2": {
            "call": 4e-06, "row": 5e-09, "run": 5e-09, "element": 2.3e-10, "place": 3.5e-10,
            "bytes_cached": 2e-11, "bytes": 1.1e-10,
        },
        "cython.conv.gathered@avx512": {
            "call": 4e-06, "row": 5e-09, "run": 5e-09, "element": 2.3e-10, "place": 3.5e-10,
            "bytes_cached": 2e-11, "bytes": 1.1e-10,
        },
        "cython.conv.gathered@portable": {
            "call": 4e-06, "row": 5e-09, "run": 5e-09, "element": 2.3e-10, "place": 3.5e-10,
            "bytes_cached": 2e-11, "bytes": 1.1e-10,
        },
        "cython.conv.grouped@avx2": {
            "call": 7.7105e-07, "multiply_rows": 1.5848e-11, "multiply_rows_apart": 3.7202e-11,
            "multiply_halved": 2.4802e-11, "multiply_halved_apart": 3.8782e-11, "multiply_few_rows": 5.9993e-11,
            "multiply_taps": 4.2199e-11, "tile": 8.677e-09, "row": 1.1999e-08, "copy": 2.4985e-10,
            "bytes": 6.2474e-11, "multiply_lanes": 1.3308e-11, "multiply_lanes_rolled": 2e-11,
            "multiply_lanes_groups": 2.5177e-11, "line": 2.9592e-09, "copy_lanes": 2.3333e-10,
            "bytes_lanes": 3.3333e-11, "pack": 5e-10,
        },
        "cython.conv.grouped@avx512": {
            "call": 7.0841e-07, "multiply_rows": 1.0363e-11, "multiply_rows_apart": 1.7857e-11,
            "multiply_halved": 1.1905e-11, "multiply_halved_apart": 1.5034e-11, "multiply_few_rows": 2.8719e-11,
            "multiply_taps": 2.2628e-11, "tile": 8.3292e-09, "row": 1.2e-08, "copy": 2.5002e-10, "bytes": 3.7704e-11,
            "multiply_lanes": 1.0715e-11, "multiply_lanes_rolled": 1.6e-11, "multiply_lanes_groups": 1.5089e-11,
            "line": 2.9711e-09, "copy_lanes": 1.4586e-10, "bytes_lanes": 3.3333e-11, "pack": 5e-10,
        },
        "cython.conv.grouped@portable": {
            "call": 1.0776e-06, "multiply_rows": 5.1835e-11, "multiply_rows_apart": 7.4405e-11,
            "multiply_halved": 4.9603e-11, "multiply_halved_apart": 7.3336e-11, "multiply_few_rows": 1.2011e-10,
            "multiply_taps": 9.3581e-11, "tile": 9.1249e-09, "row": 1.2e-08, "copy": 2.4999e-10, "bytes": 3.3333e-11,
            "multiply_lanes": 4.4455e-11, "multiply_lanes_rolled": 6e-11, "multiply_lanes_groups": 1.1919e-10,
            "line": 2.9991e-09, "copy_lanes": 5.9341e-10, "bytes_lanes": 3.3333e-11, "pack": 5e-10,
        },
        "cython.conv.images@avx2": {
            "call": 1.0194e-06, "tile": 5.9055e-09, "multiply": 7.1332e-12, "move": 2.8363e-10,
            "bytes_cached": 1.397e-11, "bytes": 7.5237e-11, "pack_call": 1e-06, "pack": 3.3e-10,
        },
        "cython.conv.images@avx512": {
            "call": 9.9044e-07, "tile": 5.6989e-09, "multiply": 1.0354e-11, "move": 2.1469e-10,
            "bytes_cached": 1.4146e-11, "bytes": 5.6695e-11, "pack_call": 1e-06, "pack": 3.3e-10,
        },
        "cython.conv.images@portable": {
            "call": 1.0052e-06, "tile": 6.6638e-09, "multiply": 3.1129e-11, "move": 2.5116e-10,
            "bytes_cached": 1.4028e-11, "bytes": 6.6584e-11, "pack_call": 1e-06, "pack": 3.3e-10,
        },
        "cython.conv.planes@avx2": {
            "call": 5.3297e-07, "item": 8.6751e-08, "turn": 1.2474e-10, "copy": 1.1755e-10, "pack": 5e-10,
            "multiply": 1.4218e-11, "multiply_rolled": 2.2e-11, "line": 3.1138e-09, "bytes": 2.9642e-11,
        },
        "cython.conv.planes@avx512": {
            "call": 8.4287e-07, "item": 7.7187e-08, "turn": 1.1089e-10, "copy": 1.0409e-10, "pack": 5e-10,
            "multiply": 9.8055e-12, "multiply_rolled": 1.5e-11, "line": 3.3543e-09, "bytes": 2.0771e-11,
        },
        "cython.conv.planes@portable": {
            "call": 6e-07, "item": 1e-07, "turn": 5e-10, "copy": 2e-10, "pack": 5e-10, "multiply": 5.5e-11,
            "multiply_rolled": 6.5e-11, "line": 3.7e-09, "bytes": 3e-11,
        },
        "cython.conv.pointwise@avx2": {
            "call": 5.8421e-07, "multiply": 9.3582e-12, "multiply_streamed": 1.0843e-11, "bytes_cached": 1.7644e-11,
            "bytes": 3.307e-11, "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.pointwise@avx512": {
            "call": 6.281e-07, "multiply": 7.6986e-12, "multiply_streamed": 7.7747e-12, "bytes_cached": 9.6357e-12,
            "bytes": 2.596e-11, "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.pointwise@portable": {
            "call": 7.3483e-07, "multiply": 2.9208e-11, "multiply_streamed": 3.1299e-11, "bytes_cached": 1.6409e-11,
            "bytes": 3.3362e-11, "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.pointwise_blocked@avx2": {
            "call": 9.4203e-07, "multiply": 9.0248e-12, "move": 4.7837e-10, "bytes_streamed": 6.6667e-11,
            "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.pointwise_blocked@avx512": {
            "call": 8.3811e-07, "multiply": 7.6453e-12, "move": 3.1517e-10, "bytes_streamed": 6.7032e-11,
            "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.pointwise_blocked@portable": {
            "call": 8.8731e-07, "multiply": 3.1311e-11, "move": 4.3006e-10, "bytes_streamed": 6.6667e-11,
            "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.row_sums@avx2": {
            "call": 8.9991e-07, "multiply": 9.406e-12, "tile": 1.4408e-08, "panel": 2.8357e-09, "store": 9.8516e-11,
            "pack": 4.5e-10, "row": 1.9448e-08, "phase": 6.1454e-09, "vector": 1.886e-09, "sum": 6.9503e-10,
            "sum_given": 9.4769e-10, "turn": 4e-10, "bytes_streamed": 7.0222e-11, "bytes_cached": 1.2662e-11,
            "bytes": 6.4712e-11,
        },
        "cython.conv.row_sums@avx512": {
            "call": 1.0711e-06, "multiply": 8.903e-12, "tile": 1.4046e-08, "panel": 2.768e-09, "store": 8.4438e-11,
            "pack": 4.5e-10, "row": 1.1926e-08, "phase": 4.1336e-09, "vector": 1.6379e-09, "sum": 6.1912e-10,
            "sum_given": 8.0217e-10, "turn": 4e-10, "bytes_streamed": 7.985e-11, "bytes_cached": 1.13e-11,
            "bytes": 7.1479e-11,
        },
        "cython.conv.row_sums@portable": {
            "call": 1.0356e-06, "multiply": 2.2894e-11, "tile": 1.4051e-08, "panel": 2.8528e-09, "store": 9.8937e-11,
            "pack": 4.5e-10, "row": 1.8419e-08, "phase": 5.7744e-09, "vector": 1.8402e-09, "sum": 6.843e-10,
            "sum_given": 1.0499e-09, "turn": 4e-10, "bytes_streamed": 6.6652e-11, "bytes_cached": 1.3108e-11,
            "bytes": 6.3982e-11,
        },
        "cython.conv.thin@avx2": {
            "call": 1.4565e-07,
        },
        "cython.conv.thin@avx512": {
            "call": 1.1678e-07,
        },
        "cython.conv.thin@portable": {
            "call": 1.5665e-07,
        },
        "cython.conv.tiles@avx512": {
            "call": 2e-06, "item": 3e-07, "tile": 1.2e-07, "row": 2e-08, "pack": 8e-11, "weights": 3e-10,
            "step": 8e-09, "bytes_cached": 1.3333e-11, "bytes": 6.6667e-11,
        },
        "cython.conv.windows@avx2": {
            "store": 2.5135e-10,
        },
        "cython.conv.windows@avx512": {
            "store": 2.4902e-10,
        },
        "cython.conv.windows@portable": {
            "store": 2.5025e-10,
        },
        "cython.conv.winograd@avx2": {
            "call": 1.1831e-06, "multiply": 9.9437e-12, "transform_row": 1.2181e-08, "transform_input": 2.1193e-10,
            "transform_output": 9.489e-11, "transform_store": 2.051e-10, "join": 7.7403e-10,
            "bytes_streamed": 4.4427e-11, "bytes_stalled": 2.717e-11, "bytes_stalled_depth": 4.5811e-11,
            "bytes": 5.7253e-11, "pack_256k": 5.5e-10, "pack_4m": 3.5e-10, "pack_32m": 6e-10, "pack_more": 1.05e-09,
        },
        "cython.conv.winograd@avx512": {
            "call": 1.1511e-06, "multiply": 8.3734e-12, "transform_row": 3.4061e-09, "transform_input": 3.7398e-10,
            "transform_output": 1.3768e-10, "transform_store": 1.4086e-10, "join": 6.4653e-10,
            "bytes_streamed": 4.3466e-11, "bytes_stalled": 8.7408e-12, "bytes_stalled_depth": 3.4661e-11,
            "bytes": 3.7488e-11, "pack_256k": 5.5e-10, "pack_4m": 3.5e-10, "pack_32m": 6e-10, "pack_more": 1.05e-09,
        },
        "cython.conv.winograd@portable": {
            "call": 9.3964e-07, "multiply": 2.9145e-11, "transform_row": 1.0936e-08, "transform_input": 9.0812e-10,
            "transform_output": 2.131e-10, "transform_store": 4.4715e-10, "join": 8.2831e-10,
            "bytes_streamed": 5.8397e-11, "bytes_stalled": 1.0795e-11, "bytes_stalled_depth": 6.8163e-11,
            "bytes": 6.5921e-11, "pack_256k": 5.5e-10, "pack_4m": 3.5e-10, "pack_32m": 6e-10, "pack_more": 1.05e-09,
        },
        "cython.conv.winograd_rows@avx2": {
            "call": 1.2132e-06, "multiply": 2.2316e-11, "multiply_load": 9.9994e-14, "multiply_finish": 1.3337e-10,
            "multiply_crowded": 2.3206e-11, "multiply_load_crowded": 9.9957e-14, "multiply_finish_crowded": 1.502e-10,
            "row": 4.0405e-08, "input": 4.0419e-10, "pack_call": 2e-06, "pack": 3e-09,
        },
        "cython.conv.winograd_rows@avx512": {
            "call": 1.071e-06, "multiply": 7.3459e-12, "multiply_load": 6.0429e-12, "multiply_finish": 6.0182e-11,
            "multiply_crowded": 9.6191e-12, "multiply_load_crowded": 6.1401e-12,
            "multiply_finish_crowded": 4.1829e-11, "row": 3.3697e-08, "input": 3.9892e-10, "pack_call": 2e-06,
            "pack": 3e-09,
        },
        "cython.conv.winograd_rows@portable": {
            "call": 1.2568e-06, "multiply": 3.5996e-11, "multiply_load": 1.3653e-11, "multiply_finish": 2.0056e-10,
            "multiply_crowded": 3.6441e-11, "multiply_load_crowded": 1.4788e-11,
            "multiply_finish_crowded": 2.2648e-10, "row": 5.0498e-08, "input": 5.3763e-10, "pack_call": 2e-06,
            "pack": 3e-09,
        },
        "cython.conv_weight.direct@avx2": {
            "call": 1.4749e-05, "multiply": 1.1829e-11, "copy": 4.9606e-10, "pack": 2.5804e-10,
        },
        "cython.conv_weight.direct@avx512": {
            "call": 1.4827e-05, "multiply": 9.3012e-12, "copy": 5.3705e-10, "pack": 2.9247e-10,
        },
        "cython.conv_weight.direct@portable": {
            "call": 1.5009e-05, "multiply": 2.7042e-11, "copy": 5.0317e-10, "pack": 2.5248e-10,
        },
        "cython.conv_weight.rows@avx2": {
            "call": 6.0215e-06, "multiply": 1.9072e-11, "multiply_row": 1.9913e-11, "tile": 2.0399e-08,
            "gather": 1e-09, "bytes_near": 9.9672e-12, "row": 1e-08, "copy": 1.5e-10, "bytes": 5.9039e-11,
        },
        "cython.conv_weight.rows@avx512": {
            "call": 5.9935e-06, "multiply": 9.1701e-12, "multiply_row": 2.0459e-11, "tile": 1.9605e-08,
            "gather": 1e-09, "bytes_near": 1.0147e-11, "row": 1e-08, "copy": 1.5e-10, "bytes": 4.8314e-11,
        },
        "cython.conv_weight.rows@portable": {
            "call": 6.003e-06, "multiply": 7.7267e-11, "multiply_row": 7.1429e-11, "tile": 2.0042e-08,
            "gather": 1e-09, "bytes_near": 1e-11, "row": 1e-08, "copy": 1.5e-10, "bytes": 3.5123e-11,
        },
        "cython.conv_weight.winograd@avx2": {
            "call": 9.0881e-06, "multiply": 1.2194e-11, "transform": 2.0827e-10, "transform_output": 5.7e-10,
            "bytes_sums": 6.8093e-11, "bytes_segments": 1.6817e-11,
        },
        "cython.conv_weight.winograd@avx512": {
            "call": 1.1947e-05, "multiply": 8.9608e-12, "transform": 2.8567e-10, "transform_output": 5.6905e-10,
            "bytes_sums": 6.7731e-11, "bytes_segments": 1.6357e-11,
        },
        "cython.conv_weight.winograd@portable": {
            "call": 1.0013e-05, "multiply": 2.892e-11, "transform": 5.175e-10, "transform_output": 1.1122e-09,
            "bytes_sums": 6.5946e-11, "bytes_segments": 1.6669e-11,
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
            "call": 9.9107e-07, "bytes": 1.9088e-11, "relu": 3e-10, "relu6": 3e-10, "hardtanh": 3e-10,
            "leaky_relu": 3e-10, "hardswish": 3e-09, "hardsigmoid": 3e-09, "softsign": 3e-09, "sigmoid": 6.0426e-09,
            "tanh": 5.8917e-09, "silu": 6.0388e-09, "elu": 6e-09, "selu": 6e-09, "celu": 8e-09, "gelu": 8.3661e-09,
            "gelu_tanh": 7.1251e-09, "logsigmoid": 1.2e-08, "softplus": 1.3144e-08, "mish": 6.2738e-09,
            "hardshrink": 3e-10, "softshrink": 3e-10, "tanhshrink": 8e-09, "threshold": 3e-10, "clamp": 3e-10,
        },
        "cython.elementwise@avx512": {
            "call": 9.9214e-07, "bytes": 2.2793e-11, "relu": 3e-10, "relu6": 3e-10, "hardtanh": 3e-10,
            "leaky_relu": 3e-10, "hardswish": 3e-09, "hardsigmoid": 3e-09, "softsign": 3e-09, "sigmoid": 5.7161e-09,
            "tanh": 6.1699e-09, "silu": 5.9806e-09, "elu": 6e-09, "selu": 6e-09, "celu": 8e-09, "gelu": 9.3705e-09,
            "gelu_tanh": 7.6469e-09, "logsigmoid": 1.2e-08, "softplus": 1.4463e-08, "mish": 5.6071e-09,
            "hardshrink": 3e-10, "softshrink": 3e-10, "tanhshrink": 8e-09, "threshold": 3e-10, "clamp": 3e-10,
        },
        "cython.elementwise@portable": {
            "call": 9.9757e-07, "bytes": 3.3402e-11, "relu": 3e-10, "relu6": 3e-10, "hardtanh": 3e-10,
            "leaky_relu": 3e-10, "hardswish": 3e-09, "hardsigmoid": 3e-09, "softsign": 3e-09, "sigmoid": 6.994e-09,
            "tanh": 7.9384e-09, "silu": 7.051e-09, "elu": 6e-09, "selu": 6e-09, "celu": 8e-09, "gelu": 1.0169e-08,
            "gelu_tanh": 8.063e-09, "logsigmoid": 1.2e-08, "softplus": 1.4278e-08, "mish": 7.0638e-09,
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
            "call": 5.1516e-07, "product": 4.9765e-08, "output": 8.7592e-10, "multiply": 2.4879e-11,
            "pack": 2.4457e-10, "split": 7.5e-11, "bytes_cached": 7e-12, "bytes": 3.9216e-11,
        },
        "cython.gemm.dots@avx512": {
            "call": 4.9282e-07, "product": 4.9679e-08, "output": 9.5405e-10, "multiply": 1.0404e-11,
            "pack": 2.464e-10, "split": 7.5e-11, "bytes_cached": 1.0222e-11, "bytes": 3.9216e-11,
        },
        "cython.gemm.dots@portable": {
            "call": 4.8745e-07, "product": 4.9771e-08, "output": 9.7389e-10, "multiply": 3.3682e-11,
            "pack": 2.4853e-10, "split": 7.5e-11, "bytes_cached": 7e-12, "bytes": 3.9216e-11,
        },
        "cython.gemm.in_place@avx2": {
            "call": 3.3e-07, "product": 1.8e-08, "tile": 8.5e-09, "split": 3.5e-11, "turned": 1.22e-10,
            "joined": 1.97e-10, "aliased": 7.5e-10, "far": 2.3e-10, "load": 1.71e-10, "wait": 1.12e-09,
            "multiply": 9.73e-12, "bytes_cached": 1.49e-11, "bytes": 7.8e-11,
        },
        "cython.gemm.in_place@avx512": {
            "call": 3.05e-07, "product": 2.8e-09, "tile": 1.98e-08, "split": 2e-11, "turned": 1.63e-10,
            "joined": 1.67e-10, "aliased": 6e-10, "far": 2.4e-10, "load": 2.34e-10, "wait": 1.08e-09,
            "multiply": 9.13e-12, "bytes_cached": 1.2e-11, "bytes": 9.56e-11,
        },
        "cython.gemm.in_place@portable": {
            "call": 3.24e-07, "product": 1.64e-08, "tile": 6.4e-09, "split": 1.4e-10, "turned": 1.88e-10,
            "joined": 2.1e-10, "aliased": 4.7e-10, "far": 1.8e-10, "load": 2.95e-10, "wait": 8.2e-10,
            "multiply": 2.38e-11, "bytes_cached": 1.16e-11, "bytes": 1.17e-10,
        },
        "cython.gemm.packed@avx2": {
            "call": 1e-06, "call_in_place": 3.6666e-07, "product": 1.1184e-07, "tile": 2.0032e-08,
            "multiply": 8.8184e-12, "multiply_in_place": 9.9584e-12, "pack": 1.4316e-10, "bytes_cached": 1.9637e-11,
            "bytes": 3.6648e-11,
        },
        "cython.gemm.packed@avx512": {
            "call": 1.0049e-06, "call_in_place": 3.177e-07, "product": 6.4336e-08, "tile": 3.1524e-08,
            "multiply": 7.1488e-12, "multiply_in_place": 7.8454e-12, "pack": 1.7848e-10, "bytes_cached": 1.9653e-11,
            "bytes": 3.7507e-11,
        },
        "cython.gemm.packed@portable": {
            "call": 1.0001e-06, "call_in_place": 3.94e-07, "product": 8.5085e-08, "tile": 2.0163e-08,
            "multiply": 2.376e-11, "multiply_in_place": 2.0566e-11, "pack": 1.3294e-10, "bytes_cached": 2.222e-11,
            "bytes": 4.2153e-11,
        },
        "cython.gemm.thin@avx2": {
            "call": 5.5644e-07, "product": 1.2237e-07, "last_panel": 5.518e-08, "pack": 4.735e-11,
            "bytes_sides": 6.3543e-11, "finish": 1.4e-10, "multiply_packed": 1.1553e-11, "multiply": 1.5344e-11,
            "bytes_cached": 1.5751e-11, "bytes_packed": 2.6549e-11, "bytes": 3.9216e-11,
        },
        "cython.gemm.thin@avx512": {
            "call": 3.9768e-07, "product": 1.1261e-07, "last_panel": 5.1505e-08, "pack": 5.4773e-11,
            "bytes_sides": 1.5881e-11, "finish": 1.4e-10, "multiply_packed": 9.2721e-12, "multiply": 1.6783e-11,
            "bytes_cached": 1.1958e-11, "bytes_packed": 3.4527e-11, "bytes": 3.9216e-11,
        },
        "cython.gemm.thin@portable": {
            "call": 6.7146e-07, "product": 1.3443e-07, "last_panel": 6.0284e-08, "pack": 5.0732e-11,
            "bytes_sides": 5.1931e-11, "finish": 1.4e-10, "multiply_packed": 2.7772e-11, "multiply": 4.2648e-11,
            "bytes_cached": 1.7074e-11, "bytes_packed": 3.86e-11, "bytes": 4.902e-11,
        },
        "cython.gemm.tiles@avx512": {
            "call": 2e-06, "step": 7e-09, "tile": 1.2e-07, "pack": 6e-11, "bytes_cached": 1.3333e-11,
            "bytes": 6.6667e-11,
        },
        "cython.loss@avx2": {
            "call": 9.5364e-07, "vector": 3.8538e-09, "row": 9.6946e-09, "sample": 3.9499e-09, "bytes": 6.6667e-11,
        },
        "cython.loss@avx512": {
            "call": 7.1961e-07, "vector": 4.2361e-09, "row": 7.924e-09, "sample": 3.5985e-09, "bytes": 6.6646e-11,
        },
        "cython.loss@portable": {
            "call": 9.7898e-07, "vector": 6.7238e-09, "row": 9.8637e-09, "sample": 3.978e-09, "bytes": 6.6667e-11,
        },
        "cython.pad": {
            "call": 2.0606e-06, "row": 3.6501e-09, "border": 1.1291e-09, "bytes_cached": 2.362e-11, "bytes": 4e-11,
        },
        "cython.pool.adaptive@avx2": {
            "call": 1.9483e-06, "row": 1.999e-08, "window": 5.9946e-09, "vector": 6.9739e-10, "bytes": 5.6767e-11,
        },
        "cython.pool.adaptive@avx512": {
            "call": 1.6353e-06, "row": 1.9729e-08, "window": 5.8561e-09, "vector": 5.0729e-10, "bytes": 3.0396e-11,
        },
        "cython.pool.adaptive@portable": {
            "call": 1.991e-06, "row": 2.0012e-08, "window": 6.0064e-09, "vector": 7.6071e-10, "bytes": 6.4649e-11,
        },
        "cython.pool.channels@avx2": {
            "call": 1.8086e-06, "load": 2.3497e-10, "store": 7.0318e-10, "window": 3.888e-09, "bytes": 2.2281e-11,
        },
        "cython.pool.channels@avx512": {
            "call": 1.4295e-06, "load": 2.9888e-10, "store": 7.3526e-10, "window": 3.4661e-09, "bytes": 1.839e-11,
        },
        "cython.pool.channels@portable": {
            "call": 1.848e-06, "load": 2.843e-10, "store": 7.8378e-10, "window": 3.9541e-09, "bytes": 2.9274e-11,
        },
        "cython.pool.flat@avx512": {
            "call": 2.1097e-06, "load": 5.6163e-10, "tap": 7.6019e-10, "divide": 7.9638e-10, "plane": 1.6764e-08,
            "bytes": 3.9125e-11,
        },
        "cython.pool.global@avx2": {
            "call": 1.9282e-06, "plane": 3.2583e-09, "vector": 1.7902e-10, "bytes_cached": 1.0708e-11,
            "bytes": 6.6667e-11,
        },
        "cython.pool.global@avx512": {
            "call": 1.7488e-06, "plane": 2.3709e-09, "vector": 1.752e-10, "bytes_cached": 9.0444e-12,
            "bytes": 6.6667e-11,
        },
        "cython.pool.global@portable": {
            "call": 1.956e-06, "plane": 2.7602e-09, "vector": 1.9161e-10, "bytes_cached": 1.2777e-11,
            "bytes": 6.6667e-11,
        },
        "cython.pool.lanes@avx2": {
            "call": 1.7864e-06, "enter": 7.3847e-10, "leave": 1.2236e-09, "load": 2.6523e-10, "window": 2.6352e-09,
            "item": 1.3651e-07, "bytes": 3.0161e-11,
        },
        "cython.pool.lanes@avx512": {
            "call": 1.8081e-06, "enter": 9.4228e-10, "leave": 1.4073e-09, "load": 3.516e-10, "window": 3.4899e-09,
            "item": 8.925e-08, "bytes": 3.4216e-11,
        },
        "cython.pool.lanes@portable": {
            "call": 1.9547e-06, "enter": 7.9508e-10, "leave": 1.1081e-09, "load": 3.3463e-10, "window": 3.2067e-09,
            "item": 1.6368e-07, "bytes": 4.9973e-11,
        },
        "cython.pool.pairs@avx512": {
            "call": 3.9683e-06, "vector": 9.6e-09, "bytes": 4.1653e-11,
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
            "call": 4.6078e-06, "vector": 1.1403e-09, "vector_indexed": 2.6658e-09, "vector_whole": 6.1798e-10,
            "vector_whole_indexed": 2.5604e-09, "index": 1.16e-09, "row": 3.9316e-08, "piece": 1.4683e-08,
            "bytes": 4.0464e-11,
        },
        "cython.pool.separable@avx512": {
            "call": 3.5115e-06, "vector": 8.7827e-10, "vector_indexed": 2.6409e-09, "vector_whole": 5.9492e-10,
            "vector_whole_indexed": 2.3485e-09, "index": 1.2369e-09, "row": 2.9073e-08, "piece": 1.5658e-08,
            "bytes": 3.144e-11,
        },
        "cython.pool.separable@portable": {
            "call": 5.8586e-06, "vector": 1.1264e-09, "vector_indexed": 2.667e-09, "vector_whole": 7.9779e-10,
            "vector_whole_indexed": 2.2527e-09, "index": 1.0372e-09, "row": 3.7702e-08, "piece": 1.5394e-08,
            "bytes": 5.5883e-11,
        },
        "cython.pool.shifts@avx2": {
            "call": 1.9663e-06, "load": 3.4323e-10, "tap": 6.0975e-10, "row": 4.1491e-09, "plane": 5.0796e-09,
            "bytes": 4.4708e-11,
        },
        "cython.pool.shifts@avx512": {
            "call": 1.5117e-06, "load": 3.4081e-10, "tap": 8.0623e-10, "row": 2.7047e-09, "plane": 3.9366e-09,
            "bytes": 2.7481e-11,
        },
        "cython.pool.shifts@portable": {
            "call": 1.9887e-06, "load": 3.7074e-10, "tap": 6.587e-10, "row": 4.0838e-09, "plane": 5.0371e-09,
            "bytes": 6.2705e-11,
        },
        "cython.pool.strided@avx512": {
            "call": 1.65e-06, "load": 5.65e-10, "shuffle": 3.9e-10, "row": 1.57e-08, "bytes": 2.7e-11,
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
            "call": 1.0128e-06, "vector": 4.0634e-09, "row": 1.02e-08, "bytes": 9.12e-11,
        },
        "cython.softmax@avx512": {
            "call": 7.8846e-07, "vector": 4.288e-09, "row": 7.613e-09, "bytes": 6.0469e-11,
        },
        "cython.softmax@portable": {
            "call": 9.9703e-07, "vector": 7.1084e-09, "row": 9.9627e-09, "bytes": 6.6667e-11,
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
            "call": 7.0199e-06, "convert": 1.7973e-10, "pack": 1.3e-10, "multiply_bfloat16": 1.1229e-11,
            "multiply_int16": 4.3195e-12,
        },
        "cython.widened_products@avx512": {
            "call": 7.9483e-06, "convert": 1.6077e-10, "pack": 1.3e-10, "multiply_bfloat16": 1.0234e-13,
            "multiply_int16": 1.0193e-13,
        },
        "cython.widened_products@portable": {
            "call": 7.811e-06, "convert": 3.5313e-10, "pack": 1.3e-10, "multiply_bfloat16": 1.8971e-11,
            "multiply_int16": 8.4136e-11,
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
        "cython.window@avx2": {
            "call": 3e-06, "join": 5e-10, "element": 1.5e-10, "row": 2e-08, "bytes": 6.6667e-11,
        },
        "cython.window@avx512": {
            "call": 3e-06, "join": 5e-10, "element": 1e-10, "row": 2e-08, "bytes": 6.6667e-11,
        },
        "cython.window@portable": {
            "call": 3e-06, "join": 8e-10, "element": 4e-10, "row": 2e-08, "bytes": 6.6667e-11,
        },
        "numba": {
            "thread": 4e-05,
        },
        "numba.conv.depthwise@avx2": {
            "call": 1.1529e-05, "multiply": 1.6183e-11, "multiply_channels": 3.8337e-11, "copy": 1.4224e-10,
            "scatter": 9.8929e-10, "bytes": 3.49e-11, "pack_call": 1.2e-05,
        },
        "numba.conv.depthwise@avx512": {
            "call": 1.1402e-05, "multiply": 1.3649e-11, "multiply_channels": 3.2042e-11, "copy": 1.4163e-10,
            "scatter": 9.7491e-10, "bytes": 3.336e-11, "pack_call": 1.2e-05,
        },
        "numba.conv.depthwise@portable": {
            "call": 1.2387e-05, "multiply": 3.071e-11, "multiply_channels": 8.1887e-11, "copy": 1.7554e-10,
            "scatter": 9.9738e-10, "bytes": 4.6928e-11, "pack_call": 1.2e-05,
        },
        "numba.conv.direct@avx2": {
            "call": 1.2832e-05, "multiply": 9.2073e-12, "copy": 3.5475e-10, "gather": 4.5867e-10, "bytes": 2.3539e-11,
            "bytes_read": 6.7e-11, "pack_call": 2e-05, "pack": 1.5e-09,
        },
        "numba.conv.direct@avx512": {
            "call": 1.4694e-05, "multiply": 8.4441e-12, "copy": 3.6995e-10, "gather": 3.6185e-10, "bytes": 2.2066e-11,
            "bytes_read": 6.7e-11, "pack_call": 2e-05, "pack": 1.5e-09,
        },
        "numba.conv.direct@portable": {
            "call": 1.2062e-05, "multiply": 1.7468e-11, "copy": 3.8513e-10, "gather": 6.5595e-10, "bytes": 4.1445e-11,
            "bytes_read": 6.7e-11, "pack_call": 2e-05, "pack": 1.5e-09,
        },
        "numba.conv.pointwise@avx2": {
            "call": 1.0956e-05, "multiply": 1.0571e-11, "bytes": 6.1434e-11, "pack_call": 1e-05, "pack": 1.5e-09,
        },
        "numba.conv.pointwise@avx512": {
            "call": 1.0027e-05, "multiply": 9.1192e-12, "bytes": 5.2584e-11, "pack_call": 1e-05, "pack": 1.5e-09,
        },
        "numba.conv.pointwise@portable": {
            "call": 1.3298e-05, "multiply": 2.079e-11, "bytes": 6.813e-11, "pack_call": 1e-05, "pack": 1.5e-09,
        },
        "numba.conv_weight.direct@avx2": {
            "call": 3.3626e-05, "multiply": 1.1694e-11, "copy": 4.8883e-10, "pack": 4.0233e-10, "join": 4.5721e-10,
        },
        "numba.conv_weight.direct@avx512": {
            "call": 3.3638e-05, "multiply": 1.0508e-11, "copy": 4.9503e-10, "pack": 4.1044e-10, "join": 4.6151e-10,
        },
        "numba.conv_weight.direct@portable": {
            "call": 3.4762e-05, "multiply": 2.1196e-11, "copy": 4.964e-10, "pack": 3.9467e-10, "join": 4.9146e-10,
        },
        "numba.empty": {
            "call": 4e-06, "bytes": 6.6667e-11,
        },
        "numba.gemm@avx2": {
            "call": 9.4558e-06, "multiply": 9.362e-12, "bytes_packed": 1.4548e-10, "bytes": 1.4548e-10,
            "pack_row": 3e-08,
        },
        "numba.gemm@avx512": {
            "call": 9.6226e-06, "multiply": 8.3197e-12, "bytes_packed": 1.4117e-10, "bytes": 1.4117e-10,
            "pack_row": 3e-08,
        },
        "numba.gemm@portable": {
            "call": 1.3049e-05, "multiply": 1.7825e-11, "bytes_packed": 1.4537e-10, "bytes": 1.4537e-10,
            "pack_row": 3e-08,
        },
        "numba.pool@avx2": {
            "call": 1.2738e-05, "tap": 2.2808e-10, "copy": 2.8221e-10, "scatter": 1.0417e-09, "bytes": 3.152e-11,
        },
        "numba.pool@avx512": {
            "call": 1.2119e-05, "tap": 2.6443e-10, "copy": 3.0071e-10, "scatter": 1.0368e-09, "bytes": 2.6455e-11,
        },
        "numba.pool@portable": {
            "call": 1.4159e-05, "tap": 2.4215e-10, "copy": 2.935e-10, "scatter": 1.0218e-09, "bytes": 4.1144e-11,
        },
        "numpy.binary": {
            "call": 1e-06, "element": 1e-10, "bytes": 6.6667e-11,
        },
        "numpy.conv.col2im": {
            "call": 4e-06, "product": 1.7857e-11, "integer": 4e-10, "element": 1e-09, "bytes": 6.6667e-11,
        },
        "numpy.conv.depthwise": {
            "call": 3.9806e-06, "element": 4.8873e-10,
        },
        "numpy.conv.im2col": {
            "call": 2.5539e-06, "multiply": 9.9026e-12, "gather": 9.5e-10, "integer": 1e-09, "convert": 1.4076e-09,
            "bytes_copied": 1.2843e-10, "bytes": 3.7996e-11, "row": 8.7275e-09,
        },
        "numpy.conv.pointwise": {
            "call": 1.7182e-06, "multiply": 1.0499e-11, "integer": 1e-09, "convert": 1.4084e-09, "bytes": 2.923e-11,
        },
        "numpy.conv.scatter": {
            "call": 3.4098e-06, "multiply": 1.0812e-11, "element": 9.185e-10, "bytes": 5.5488e-11,
        },
        "numpy.conv_weight.depthwise": {
            "call": 4.0416e-06, "element": 1.7363e-10,
        },
        "numpy.conv_weight.im2col": {
            "call": 3.9372e-06, "multiply": 8.8123e-12, "bytes_copied": 2.4113e-10, "bytes": 6.8515e-11,
        },
        "numpy.correlation": {
            "call": 1e-06, "element": 4e-10, "bytes": 6.6667e-11,
        },
        "numpy.elementwise": {
            "call": 1.9819e-05, "element": 1.7287e-09,
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
            "call": 3.2506e-06, "converted_call": 7.4967e-06, "multiply": 1.1034e-11, "integer": 1e-09,
            "convert": 1.275e-09, "bytes": 2.7889e-11, "unsummed": 1.05e-09, "turned": 1.5e-10,
            "finish": 2.5e-11,
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
            "call": 1.4753e-06, "bytes": 2.535e-11,
        },
        "numpy.pad_backward": {
            "call": 2e-06, "bytes": 6.6667e-11,
        },
        "numpy.pool.direct": {
            "call": 2.0613e-06, "element": 4.2724e-10,
        },
        "numpy.pool.separable": {
            "call": 1.8081e-06, "element": 2.5256e-10, "power": 3.738e-09,
        },
        "numpy.pool.tiles": {
            "call": 1.9064e-06, "reduce": 2.5968e-10, "run": 2.3629e-08,
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
            "block": 2.9842e-06, "weight": 3e-09, "bytes": 6.4259e-11,
        },
        "phases@avx2": {
            "block": 1.2509e-06, "weight": 3e-09, "bytes": 7.4398e-11,
        },
        "phases@avx512": {
            "block": 8.382e-07, "weight": 3e-09, "bytes": 5.1e-11,
        },
        "phases@portable": {
            "block": 1.2583e-06, "weight": 3e-09, "bytes": 1.0761e-10,
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
