"""Intel Sapphire Rapids and its successors: 48 KiB of L1 and 2 MiB of L2 cache, AVX-512 of full width, AMX.

Rates were fitted by ``fastconv tune --fit`` on a guest of two processors; those of counts that none of its problems has
are those of `generic`.  NumPy's products have twice the time that was measured: their BLAS has AVX-512 also where
FASTCONV_ISA caps fastconv, and bits that depend on the number of rows.  Blocks have the sizes with which the kernels
were tuned on such a processor, those of Zen 4: larger ones were not measured.
"""

from fastconv.core.costs import Table

TABLE = Table(
    name="sapphire_rapids",
    peak={"avx512": 1.888e+11, "avx2": 1.18e+11, "portable": 5.9e+10},
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
            "call": 7.2182e-07, "multiply": 8.8795e-12, "tile": 2.9035e-08, "window": 9.3518e-09, "run": 2e-09,
            "row": 3.5637e-09, "pack": 3e-10, "gather": 1.2e-09, "bytes_streamed": 7.547e-11,
            "bytes_cached": 1.3067e-11, "bytes": 6.5627e-11,
        },
        "cython.conv.col2im@avx512": {
            "call": 8.4733e-07, "multiply": 7.2571e-12, "tile": 2.9687e-08, "window": 1.0149e-08, "run": 2e-09,
            "row": 2.7383e-09, "pack": 3e-10, "gather": 1.2e-09, "bytes_streamed": 8.1987e-11,
            "bytes_cached": 1.3381e-11, "bytes": 4.7415e-11,
        },
        "cython.conv.col2im@portable": {
            "call": 1.0971e-06, "multiply": 1.9654e-11, "tile": 2.9712e-08, "window": 9.8939e-09, "run": 2e-09,
            "row": 4.9543e-09, "pack": 3e-10, "gather": 1.2e-09, "bytes_streamed": 6.6836e-11,
            "bytes_cached": 1.3304e-11, "bytes": 6.6446e-11,
        },
        "cython.conv.depthwise@avx2": {
            "call": 6.9285e-07, "item": 4e-08, "multiply_rows": 1.8876e-11, "multiply_rows_apart": 3.7202e-11,
            "multiply_halved": 2.0699e-11, "multiply_halved_apart": 3.8367e-11, "multiply_few_rows": 4.0882e-11,
            "multiply_taps": 3.2863e-11, "tile": 8.3271e-09, "row": 1.2e-08, "copy": 2.4972e-10, "bytes": 3.3333e-11,
            "multiply_lanes": 1.4398e-11, "multiply_lanes_rolled": 2e-11, "multiply_lanes_groups": 3e-11,
            "line": 2.9619e-09, "copy_lanes": 2.7451e-10, "bytes_lanes": 6.1542e-11, "pack": 5e-10, "split": 2e-10,
        },
        "cython.conv.depthwise@avx512": {
            "call": 5.1315e-07, "item": 4e-08, "multiply_rows": 7.8542e-12, "multiply_rows_apart": 1.1161e-11,
            "multiply_halved": 7.7044e-12, "multiply_halved_apart": 1.2039e-11, "multiply_few_rows": 1.4066e-11,
            "multiply_taps": 1.3152e-11, "tile": 5.9621e-09, "row": 1.2e-08, "copy": 2.5036e-10, "bytes": 3.768e-11,
            "multiply_lanes": 9.5471e-12, "multiply_lanes_rolled": 1e-11, "multiply_lanes_groups": 1.1875e-11,
            "line": 3.0096e-09, "copy_lanes": 1.4268e-10, "bytes_lanes": 4.3607e-11, "pack": 5e-10, "split": 1.2e-09,
        },
        "cython.conv.depthwise@portable": {
            "call": 8.0726e-07, "item": 4e-08, "multiply_rows": 4.9443e-11, "multiply_rows_apart": 7.4405e-11,
            "multiply_halved": 4.8973e-11, "multiply_halved_apart": 7.4725e-11, "multiply_few_rows": 1.0867e-10,
            "multiply_taps": 8.4765e-11, "tile": 8.4978e-09, "row": 1.2e-08, "copy": 2.5e-10, "bytes": 3.3333e-11,
            "multiply_lanes": 5.6283e-11, "multiply_lanes_rolled": 6e-11, "multiply_lanes_groups": 1.2e-10,
            "line": 3.1161e-09, "copy_lanes": 5.8777e-10, "bytes_lanes": 3.3333e-11, "pack": 5e-10, "split": 2e-10,
        },
        "cython.conv.direct@avx2": {
            "call": 5.6281e-07, "plane": 1.5809e-07, "multiply": 9.5074e-12, "row": 9.695e-09, "copy": 1.1778e-10,
            "gather": 7.4004e-10, "bytes_streamed": 6.7364e-11, "bytes": 5.6285e-11, "bytes_cached": 4.0728e-11,
            "pack_call": 2e-07, "pack": 3.3e-10,
            "turn_call": 3e-06, "turn": 4e-10,
        },
        "cython.conv.direct@avx512": {
            "call": 3.2451e-07, "plane": 1.4175e-07, "multiply": 6.2796e-12, "row": 7.486e-09, "copy": 6.5692e-11,
            "gather": 3.519e-10, "bytes_streamed": 2.9784e-11, "bytes": 5.5682e-11, "bytes_cached": 5.0455e-11,
            "pack_call": 2e-07, "pack": 3.3e-10,
            "turn_call": 3e-06, "turn": 4e-10,
        },
        "cython.conv.direct@portable": {
            "call": 5.5513e-07, "plane": 1.5325e-07, "multiply": 2.6005e-11, "row": 9.561e-09, "copy": 1.4029e-10,
            "gather": 7.4671e-10, "bytes_streamed": 5.3929e-11, "bytes": 6.6356e-11, "bytes_cached": 4.494e-11,
            "pack_call": 2e-07, "pack": 3.3e-10,
            "turn_call": 3e-06, "turn": 4e-10,
        },
        "cython.conv.direct_last@avx2": {
            "call": 9.995e-07, "multiply": 8.6089e-12, "tile": 9.3167e-09, "partial": 1.8e-08, "run": 3.5761e-09,
            "row": 1.9849e-08, "copy": 8.011e-11, "bytes_streamed": 6.8451e-11, "bytes": 2.3329e-11,
            "bytes_cached": 1.9931e-11, "pack_call": 1e-06, "pack": 2.6e-10, "pack_sorted": 5e-10,
        },
        "cython.conv.direct_last@avx512": {
            "call": 9.8843e-07, "multiply": 5.0507e-12, "tile": 9.3438e-09, "partial": 1e-09, "run": 3.858e-09,
            "row": 2.0013e-08, "copy": 8.186e-11, "bytes_streamed": 9.9498e-11, "bytes": 2.2371e-11,
            "bytes_cached": 1.4939e-11, "pack_call": 1e-06, "pack": 2.6e-10, "pack_sorted": 5e-10,
        },
        "cython.conv.direct_last@portable": {
            "call": 9.9997e-07, "multiply": 2.5574e-11, "tile": 9.856e-09, "partial": 1.8e-08, "run": 3.9052e-09,
            "row": 1.9976e-08, "copy": 7.9949e-11, "bytes_streamed": 6.6676e-11, "bytes": 2.4878e-11,
            "bytes_cached": 2.0008e-11, "pack_call": 1e-06, "pack": 2.6e-10, "pack_sorted": 5e-10,
        },
        "cython.conv.gathered@avx2": {
            "call": 4e-06, "row": 5e-09, "run": 5e-09, "element": 2.3e-10, "place": 3.5e-10,
            "bytes_cached": 2e-11, "bytes": 1.1e-10,
            "split": 2e-08, "picked": 3.5e-10,
        },
        "cython.conv.gathered@avx512": {
            "call": 4e-06, "row": 5e-09, "run": 5e-09, "element": 2.3e-10, "place": 3.5e-10,
            "bytes_cached": 2e-11, "bytes": 1.1e-10,
            "split": 2e-08, "picked": 3.5e-10,
        },
        "cython.conv.gathered@portable": {
            "call": 4e-06, "row": 5e-09, "run": 5e-09, "element": 2.3e-10, "place": 3.5e-10,
            "bytes_cached": 2e-11, "bytes": 1.1e-10,
            "split": 2.5e-08, "picked": 3.5e-10,
        },
        "cython.conv.grouped@avx2": {
            "call": 7.8432e-07, "item": 8e-08, "multiply_rows": 1.5796e-11, "multiply_rows_apart": 3.7202e-11,
            "multiply_halved": 2.4802e-11, "multiply_halved_apart": 3.2784e-11, "multiply_few_rows": 5.9335e-11,
            "multiply_taps": 3.681e-11, "tile": 7.6035e-09, "row": 1.1999e-08, "copy": 2.4985e-10,
            "bytes": 4.4605e-11, "multiply_lanes": 1.465e-11, "multiply_lanes_rolled": 2e-11,
            "multiply_lanes_groups": 2.4205e-11, "line": 2.9599e-09, "copy_lanes": 2.6773e-10,
            "bytes_lanes": 3.3333e-11, "pack": 5e-10,
        },
        "cython.conv.grouped@avx512": {
            "call": 7.3108e-07, "item": 8e-08, "multiply_rows": 6.5438e-12, "multiply_rows_apart": 1.1161e-11,
            "multiply_halved": 7.4406e-12, "multiply_halved_apart": 9.9936e-12, "multiply_few_rows": 1.796e-11,
            "multiply_taps": 1.6707e-11, "tile": 1.9644e-08, "row": 1.2001e-08, "copy": 2.5012e-10,
            "bytes": 3.0258e-11, "multiply_lanes": 6.9475e-12, "multiply_lanes_rolled": 1e-11,
            "multiply_lanes_groups": 1.4564e-11, "line": 3.0268e-09, "copy_lanes": 1.5239e-10,
            "bytes_lanes": 3.3333e-11, "pack": 5e-10,
        },
        "cython.conv.grouped@portable": {
            "call": 9.7601e-07, "item": 8e-08, "multiply_rows": 4.7752e-11, "multiply_rows_apart": 7.4405e-11,
            "multiply_halved": 4.9603e-11, "multiply_halved_apart": 7.0782e-11, "multiply_few_rows": 1.1947e-10,
            "multiply_taps": 9.3453e-11, "tile": 8.7806e-09, "row": 1.2e-08, "copy": 2.5e-10, "bytes": 3.3333e-11,
            "multiply_lanes": 4.443e-11, "multiply_lanes_rolled": 6e-11, "multiply_lanes_groups": 1.1079e-10,
            "line": 2.9947e-09, "copy_lanes": 5.9299e-10, "bytes_lanes": 3.3333e-11, "pack": 5e-10,
        },
        "cython.conv.images@avx2": {
            "call": 1.0037e-06, "tile": 5.4364e-09, "multiply": 9.0783e-12, "move": 1.8103e-10,
            "bytes_cached": 1.5423e-11, "bytes": 4.1296e-11, "pack_call": 1e-06, "pack": 3.3e-10,
        },
        "cython.conv.images@avx512": {
            "call": 9.9527e-07, "tile": 6.0159e-09, "multiply": 6.0452e-12, "move": 1.313e-10,
            "bytes_cached": 1.727e-11, "bytes": 2.9278e-11, "pack_call": 1e-06, "pack": 3.3e-10,
        },
        "cython.conv.images@portable": {
            "call": 1.0024e-06, "tile": 6.2489e-09, "multiply": 2.5904e-11, "move": 2.1973e-10,
            "bytes_cached": 1.3607e-11, "bytes": 6.7692e-11, "pack_call": 1e-06, "pack": 3.3e-10,
        },
        "cython.conv.planes@avx2": {
            "call": 2e-07, "item": 1e-07, "turn": 1.6e-10, "copy": 1.6e-10, "pack": 5e-10, "multiply": 1.8e-11,
            "multiply_rolled": 2.2e-11, "line": 3.7e-09, "bytes": 3e-11,
        },
        "cython.conv.planes@avx512": {
            "call": 2e-07, "item": 1e-07, "turn": 1e-10, "copy": 1e-10, "pack": 5e-10, "multiply": 1.2e-11,
            "multiply_rolled": 1.5e-11, "line": 3.7e-09, "bytes": 3e-11,
        },
        "cython.conv.planes@portable": {
            "call": 2e-07, "item": 1e-07, "turn": 5e-10, "copy": 2e-10, "pack": 5e-10, "multiply": 5.5e-11,
            "multiply_rolled": 6.5e-11, "line": 3.7e-09, "bytes": 3e-11,
        },
        "cython.conv.pointwise@avx2": {
            "call": 4.3859e-07, "multiply": 9.7735e-12, "multiply_streamed": 1.0869e-11, "bytes_cached": 1.8349e-11,
            "bytes": 3.9761e-11, "pack_call": 2e-07, "pack": 3.3e-10,
            "tile": 3e-09, "narrow": 1e-09, "narrow_channel": 2e-09, "narrow_row": 1.2e-08,
        },
        "cython.conv.pointwise@avx512": {
            "call": 4.8459e-07, "multiply": 5.4926e-12, "multiply_streamed": 6.008e-12, "bytes_cached": 1.1958e-11,
            "bytes": 1.4914e-11, "pack_call": 2e-07, "pack": 3.3e-10,
            "tile": 8e-09, "narrow": 1.5e-08, "narrow_channel": 1.5e-09, "narrow_row": 5e-09,
        },
        "cython.conv.pointwise@portable": {
            "call": 5.7836e-07, "multiply": 2.8421e-11, "multiply_streamed": 3.0898e-11, "bytes_cached": 1.5855e-11,
            "bytes": 3.4855e-11, "pack_call": 2e-07, "pack": 3.3e-10,
            "tile": 3e-09, "narrow": 1e-09, "narrow_channel": 3e-09, "narrow_row": 1.8e-08,
        },
        "cython.conv.pointwise_blocked@avx2": {
            "call": 7.231e-07, "multiply": 8.1841e-12, "move": 5.1438e-10, "bytes_streamed": 5.5242e-11,
            "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.pointwise_blocked@avx512": {
            "call": 8.0709e-07, "multiply": 5.4745e-12, "move": 3.002e-10, "bytes_streamed": 9.6393e-11,
            "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.pointwise_blocked@portable": {
            "call": 7.445e-07, "multiply": 3.1312e-11, "move": 3.8766e-10, "bytes_streamed": 6.6667e-11,
            "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.row_sums@avx2": {
            "call": 8.4429e-07, "multiply": 9.6044e-12, "tile": 1.3991e-08, "panel": 2.716e-09, "store": 9.6871e-11,
            "pack": 4.5e-10, "row": 1.7029e-08, "phase": 5.5019e-09, "vector": 1.8078e-09, "sum": 6.8499e-10,
            "sum_given": 1.044e-09, "turn": 4e-10, "bytes_streamed": 7.2417e-11, "bytes_cached": 1.2962e-11,
            "bytes": 5.6972e-11,
        },
        "cython.conv.row_sums@avx512": {
            "call": 8.689e-07, "multiply": 6.48e-12, "tile": 1.4947e-08, "panel": 2.7534e-09, "store": 9.9692e-11,
            "pack": 5.4e-10, "row": 1.2581e-08, "phase": 4.9996e-09, "vector": 1.7343e-09, "sum": 7.137e-10,
            "sum_given": 7.9631e-10, "turn": 4e-10, "bytes_streamed": 8.2893e-11, "bytes_cached": 1.0876e-11,
            "bytes": 6.6372e-11,
        },
        "cython.conv.row_sums@portable": {
            "call": 1.0449e-06, "multiply": 2.2642e-11, "tile": 1.3839e-08, "panel": 2.858e-09, "store": 9.8583e-11,
            "pack": 4.5e-10, "row": 1.7619e-08, "phase": 5.5602e-09, "vector": 1.7114e-09, "sum": 6.813e-10,
            "sum_given": 9.8677e-10, "turn": 4e-10, "bytes_streamed": 6.7312e-11, "bytes_cached": 1.319e-11,
            "bytes": 5.9478e-11,
        },
        "cython.conv.thin@avx2": {
            "call": 3e-08,
        },
        "cython.conv.thin@avx512": {
            "call": 3e-08,
        },
        "cython.conv.thin@portable": {
            "call": 3e-08,
        },
        "cython.conv.tiles@avx512": {
            "call": 2.6882e-06, "item": 3.0784e-07, "tile": 1.0992e-07, "row": 2.0216e-08, "pack": 1.013e-10,
            "weights": 3e-10, "step": 1.2618e-08, "bytes_cached": 1.3333e-11, "bytes": 6.6667e-11,
        },
        "cython.conv.windows@avx2": {
            "store": 2.483e-10,
        },
        "cython.conv.windows@avx512": {
            "store": 2.0026e-10,
        },
        "cython.conv.windows@portable": {
            "store": 2.5002e-10,
        },
        "cython.conv.winograd@avx2": {
            "call": 7.1624e-07, "multiply": 9.7063e-12, "transform_row": 7.0891e-09, "transform_input": 6.1023e-10,
            "transform_output": 1.4526e-10, "transform_store": 2.8838e-10, "join": 5.8673e-10,
            "bytes_streamed": 5.1502e-11, "bytes_stalled": 3.9404e-11, "bytes_stalled_depth": 4.6959e-11,
            "bytes": 3.776e-11, "pack_256k": 5.5e-10, "pack_4m": 3.5e-10, "pack_32m": 6e-10, "pack_more": 1.05e-09,
        },
        "cython.conv.winograd@avx512": {
            "call": 1.1424e-06, "multiply": 5.5441e-12, "transform_row": 2.2797e-09, "transform_input": 4.6491e-10,
            "transform_output": 7.3298e-11, "transform_store": 4.6671e-10, "join": 6.5189e-10,
            "bytes_streamed": 6.6202e-11, "bytes_stalled": 2.4564e-11, "bytes_stalled_depth": 8.4932e-11,
            "bytes": 4.9222e-11, "pack_256k": 5.5e-10, "pack_4m": 3.5e-10, "pack_32m": 6e-10, "pack_more": 1.05e-09,
        },
        "cython.conv.winograd@portable": {
            "call": 8.621e-07, "multiply": 3.0219e-11, "transform_row": 1.0095e-08, "transform_input": 8.116e-10,
            "transform_output": 1.9839e-10, "transform_store": 4.2238e-10, "join": 6.6418e-10,
            "bytes_streamed": 8.9726e-11, "bytes_stalled": 1.042e-11, "bytes_stalled_depth": 6.3402e-11,
            "bytes": 6.2056e-11, "pack_256k": 5.5e-10, "pack_4m": 3.5e-10, "pack_32m": 6e-10, "pack_more": 1.05e-09,
        },
        "cython.conv.winograd_rows@avx2": {
            "call": 8.323e-07, "multiply": 2.0036e-11, "multiply_load": 9.9975e-14, "multiply_finish": 1.3747e-10,
            "multiply_crowded": 2.0446e-11, "multiply_load_crowded": 9.989e-14, "multiply_finish_crowded": 1.4953e-10,
            "row": 3.757e-08, "input": 3.682e-10, "pack_call": 2e-06, "pack": 3e-09,
        },
        "cython.conv.winograd_rows@avx512": {
            "call": 9.1169e-07, "multiply": 7.886e-12, "multiply_load": 3.0673e-12, "multiply_finish": 2.6541e-11,
            "multiply_crowded": 7.714e-12, "multiply_load_crowded": 4.8614e-12, "multiply_finish_crowded": 3.2689e-11,
            "row": 2.9439e-08, "input": 3.5029e-10, "pack_call": 2e-06, "pack": 3e-09,
        },
        "cython.conv.winograd_rows@portable": {
            "call": 1.0209e-06, "multiply": 3.2992e-11, "multiply_load": 1.3474e-11, "multiply_finish": 2.0341e-10,
            "multiply_crowded": 3.2173e-11, "multiply_load_crowded": 1.3998e-11,
            "multiply_finish_crowded": 2.2479e-10, "row": 4.8827e-08, "input": 4.6482e-10, "pack_call": 2e-06,
            "pack": 3e-09,
        },
        "cython.conv_weight.direct@avx2": {
            "call": 1.4981e-05, "multiply": 1.008e-11, "copy": 4.9938e-10, "pack": 2.4923e-10,
        },
        "cython.conv_weight.direct@avx512": {
            "call": 1.4816e-05, "multiply": 6.9843e-12, "copy": 5.0218e-10, "pack": 2.6734e-10,
        },
        "cython.conv_weight.direct@portable": {
            "call": 1.5007e-05, "multiply": 2.4382e-11, "copy": 4.9959e-10, "pack": 2.5017e-10,
        },
        "cython.conv_weight.rows@avx2": {
            "call": 6.0179e-06, "multiply": 1.6139e-11, "multiply_row": 1.9841e-11, "tile": 2.054e-08,
            "gather": 1e-09, "bytes_near": 1.0009e-11, "row": 1e-08, "copy": 1.5e-10, "bytes": 4.1542e-11,
        },
        "cython.conv_weight.rows@avx512": {
            "call": 6.0175e-06, "multiply": 7.0252e-12, "multiply_row": 1.2784e-11, "tile": 2.0968e-08,
            "gather": 1e-09, "bytes_near": 1.0249e-11, "row": 1e-08, "copy": 1.5e-10, "bytes": 3.6712e-11,
        },
        "cython.conv_weight.rows@portable": {
            "call": 6.0004e-06, "multiply": 6.5955e-11, "multiply_row": 7.1429e-11, "tile": 2.0018e-08,
            "gather": 1e-09, "bytes_near": 1e-11, "row": 1e-08, "copy": 1.5e-10, "bytes": 3.3415e-11,
        },
        "cython.conv_weight.winograd@avx2": {
            "call": 1.0138e-05, "multiply": 9.8435e-12, "transform": 2.7839e-10, "transform_output": 5.1163e-10,
            "bytes_sums": 6.215e-11, "bytes_segments": 1.67e-11,
        },
        "cython.conv_weight.winograd@avx512": {
            "call": 1.0306e-05, "multiply": 6.4505e-12, "transform": 1.7958e-10, "transform_output": 3.0727e-10,
            "bytes_sums": 5.4383e-11, "bytes_segments": 1.6956e-11,
        },
        "cython.conv_weight.winograd@portable": {
            "call": 9.997e-06, "multiply": 3.0005e-11, "transform": 5.0982e-10, "transform_output": 1.1447e-09,
            "bytes_sums": 6.6475e-11, "bytes_segments": 1.6668e-11,
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
            "call": 9.9757e-07, "bytes": 4.5595e-11, "relu": 3e-10, "relu6": 3e-10, "hardtanh": 3e-10,
            "leaky_relu": 3e-10, "hardswish": 3e-09, "hardsigmoid": 3e-09, "softsign": 3e-09, "sigmoid": 5.8306e-09,
            "tanh": 5.5046e-09, "silu": 5.9267e-09, "elu": 6e-09, "selu": 6e-09, "celu": 8e-09, "gelu": 8.4571e-09,
            "gelu_tanh": 7.1761e-09, "logsigmoid": 1.2e-08, "softplus": 1.2529e-08, "mish": 6.178e-09,
            "hardshrink": 3e-10, "softshrink": 3e-10, "tanhshrink": 8e-09, "threshold": 3e-10, "clamp": 3e-10,
        },
        "cython.elementwise@avx512": {
            "call": 9.9965e-07, "bytes": 5.2107e-11, "relu": 3e-10, "relu6": 3e-10, "hardtanh": 3e-10,
            "leaky_relu": 3e-10, "hardswish": 3e-09, "hardsigmoid": 3e-09, "softsign": 3e-09, "sigmoid": 7.2373e-09,
            "tanh": 7.5848e-09, "silu": 7.3797e-09, "elu": 6e-09, "selu": 6e-09, "celu": 8e-09, "gelu": 6.6e-09,
            "gelu_tanh": 8.3285e-09, "logsigmoid": 1.2e-08, "softplus": 1.4591e-08, "mish": 7.3936e-09,
            "hardshrink": 3e-10, "softshrink": 3e-10, "tanhshrink": 8e-09, "threshold": 3e-10, "clamp": 3e-10,
        },
        "cython.elementwise@portable": {
            "call": 9.9954e-07, "bytes": 5.572e-11, "relu": 3e-10, "relu6": 3e-10, "hardtanh": 3e-10,
            "leaky_relu": 3e-10, "hardswish": 3e-09, "hardsigmoid": 3e-09, "softsign": 3e-09, "sigmoid": 6.6596e-09,
            "tanh": 7.5377e-09, "silu": 6.7744e-09, "elu": 6e-09, "selu": 6e-09, "celu": 8e-09, "gelu": 9.9941e-09,
            "gelu_tanh": 7.9078e-09, "logsigmoid": 1.2e-08, "softplus": 1.3993e-08, "mish": 7.0216e-09,
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
            "call": 4.1659e-07, "product": 4.8863e-08, "finish": 5e-09, "output": 1.3e-09, "multiply": 9.3e-12,
            "pack": 2.4882e-10, "split": 7.5e-11, "load": 1.6e-10, "bytes_cached": 7e-12, "bytes": 4.9882e-11,
            "multiply_across": 1.7e-11, "vector": 1.5e-09, "step": 6.7e-10, "turned": 1.4e-10, "widened": 2e-10,
        },
        "cython.gemm.dots@avx512": {
            "call": 4.2012e-07, "product": 4.8875e-08, "finish": 2.2e-09, "output": 6.1e-10, "multiply": 8.6e-12,
            "pack": 2.4815e-10, "split": 7.5e-11, "load": 2.7e-10, "bytes_cached": 7e-12, "bytes": 4.8207e-11,
            "multiply_across": 9.1e-12, "vector": 2.5e-09, "step": 8e-10, "turned": 1.8e-10, "widened": 1e-10,
        },
        "cython.gemm.dots@portable": {
            "call": 4.0485e-07, "product": 4.8706e-08, "finish": 5e-09, "output": 9.8027e-10, "multiply": 4.9317e-11,
            "pack": 2.494e-10, "split": 7.5e-11, "load": 1.6e-10, "bytes_cached": 7e-12, "bytes": 3.2496e-11,
            "multiply_across": 4e-11, "vector": 1e-09, "step": 1e-09, "turned": 1.9e-10, "widened": 2.5e-09,
        },
        "cython.gemm.in_place@avx2": {
            "call": 1.53e-07, "product": 1.8e-08, "tile": 8.5e-09, "short": 4.5e-09, "store": 4.7e-10,
            "split": 3.5e-11, "turned": 1.22e-10, "joined": 1.97e-10, "aliased": 4.7e-10, "far": 2.3e-10,
            "distant": 1.1e-08,
            "load": 1.71e-10, "wait": 1.12e-09, "multiply": 1.289e-11, "bytes_cached": 2.838e-11, "bytes": 1.006e-10,
        },
        "cython.gemm.in_place@avx512": {
            "call": 1.632e-07, "product": 2.8e-09, "tile": 1.98e-08, "short": 2.5e-09, "store": 6.2e-10,
            "split": 2e-11, "turned": 1.63e-10, "joined": 1.67e-10, "aliased": 2.1e-10, "far": 2.4e-10,
            "distant": 2e-08,
            "load": 2.34e-10, "wait": 1.08e-09, "multiply": 8.313e-12, "bytes_cached": 3.011e-11, "bytes": 1.245e-10,
        },
        "cython.gemm.in_place@portable": {
            "call": 3.821e-07, "product": 1.64e-08, "tile": 6.4e-09, "short": 5e-09, "store": 5e-10, "split": 1.4e-10,
            "turned": 1.88e-10, "joined": 2.1e-10, "aliased": 4.7e-10, "far": 1.8e-10,
            "distant": 1.1e-08, "load": 2.95e-10,
            "wait": 8.2e-10, "multiply": 3.31e-11, "bytes_cached": 1.101e-11, "bytes": 1.304e-10,
        },
        "cython.gemm.packed@avx2": {
            "call": 6e-07, "call_in_place": 1.7e-07, "product": 6.5e-08, "tile": 1.5e-08, "multiply": 9.2422e-12,
            "multiply_in_place": 1.3196e-11, "pack": 1.3679e-10, "bytes_cached": 2.1354e-11, "bytes": 5.9114e-11,
        },
        "cython.gemm.packed@avx512": {
            "call": 6e-07, "call_in_place": 1.7e-07, "product": 4.5e-08, "tile": 2.1e-08, "multiply": 5.3802e-12,
            "multiply_in_place": 7.1433e-12, "pack": 1.5757e-10, "bytes_cached": 2.5859e-11, "bytes": 4.1839e-11,
        },
        "cython.gemm.packed@portable": {
            "call": 1.0002e-06, "call_in_place": 4.6462e-07, "product": 7.6946e-08, "tile": 2.1e-08,
            "multiply": 2.5709e-11, "multiply_in_place": 2.8602e-11, "pack": 1.322e-10, "bytes_cached": 2.012e-11,
            "bytes": 5.7133e-11,
        },
        "cython.gemm.thin@avx2": {
            "call": 6e-07, "product": 5e-08, "last_panel": 4.6928e-08, "pack": 4e-11, "bytes_sides": 9e-11,
            "finish": 1.4e-10, "multiply_packed": 1.7177e-11, "multiply": 1.7366e-11, "bytes_cached": 3e-11,
            "bytes_packed": 5.0602e-11, "bytes": 5.0602e-11, "bytes_again": 4.5e-11,
        },
        "cython.gemm.thin@avx512": {
            "call": 6e-07, "product": 5e-08, "last_panel": 5.3561e-08, "pack": 3e-11, "bytes_sides": 6.2e-11,
            "finish": 1.4e-10, "multiply_packed": 1.3e-11, "multiply": 1.3e-11, "bytes_cached": 3e-11,
            "bytes_packed": 5.1054e-11, "bytes": 5.1054e-11, "bytes_again": 4.5e-11,
        },
        "cython.gemm.thin@portable": {
            "call": 6e-07, "product": 5e-08, "last_panel": 6.0125e-08, "pack": 6e-11, "bytes_sides": 9e-11,
            "finish": 1.4e-10, "multiply_packed": 3.2598e-11, "multiply": 3.9529e-11, "bytes_cached": 1.6203e-11,
            "bytes_packed": 5.4628e-11, "bytes": 5.4628e-11, "bytes_again": 4.5e-11,
        },
        "cython.gemm.tiles@avx512": {
            "call": 1.6851e-06, "step": 1.2753e-08, "tile": 1.4094e-07, "pack": 5.3647e-11,
            "bytes_cached": 1.4565e-11, "bytes": 6.6667e-11,
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
            "call": 8.7777e-07, "vector": 3.6145e-09, "row": 9.167e-09, "sample": 3.8576e-09, "bytes": 6.6667e-11,
        },
        "cython.loss@avx512": {
            "call": 6.5469e-07, "vector": 3.94e-09, "row": 7.3562e-09, "sample": 3.4585e-09, "bytes": 6.4633e-11,
        },
        "cython.loss@portable": {
            "call": 9.5008e-07, "vector": 6.3888e-09, "row": 9.6715e-09, "sample": 3.946e-09, "bytes": 6.6667e-11,
        },
        "cython.pad": {
            "call": 1.8e-06, "row": 1.73e-09, "border": 3.42e-10, "bytes_cached": 1.01e-11, "bytes": 2.07e-11,
        },
        "cython.pool.adaptive@avx2": {
            "call": 1.7874e-06, "row": 1.9858e-08, "window": 5.924e-09, "vector": 5.0199e-10, "bytes": 3.9376e-11,
        },
        "cython.pool.adaptive@avx512": {
            "call": 1.6036e-06, "row": 1.9691e-08, "window": 5.8363e-09, "vector": 4.9006e-10, "bytes": 2.901e-11,
        },
        "cython.pool.adaptive@portable": {
            "call": 1.9815e-06, "row": 2.0004e-08, "window": 6.0019e-09, "vector": 7.2444e-10, "bytes": 6.268e-11,
        },
        "cython.pool.channels@avx2": {
            "call": 1.4735e-06, "load": 2.6157e-10, "store": 7.9293e-10, "window": 3.9762e-09, "bytes": 2.9257e-11,
        },
        "cython.pool.channels@avx512": {
            "call": 1.208e-06, "load": 2.952e-10, "store": 7.8059e-10, "window": 3.6259e-09, "bytes": 2.2712e-11,
        },
        "cython.pool.channels@portable": {
            "call": 1.7993e-06, "load": 2.9431e-10, "store": 7.9456e-10, "window": 4.0036e-09, "bytes": 3.4721e-11,
        },
        "cython.pool.flat@avx512": {
            "call": 1.9437e-06, "load": 4.9808e-10, "tap": 6.4674e-10, "divide": 8.0708e-10, "plane": 1.0167e-08,
            "bytes": 3.8112e-11,
        },
        "cython.pool.global@avx2": {
            "call": 1.9681e-06, "plane": 3.1766e-09, "vector": 1.8887e-10, "bytes_cached": 1.1819e-11,
            "bytes": 6.6667e-11,
        },
        "cython.pool.global@avx512": {
            "call": 1.778e-06, "plane": 4.2e-10, "vector": 1.7973e-10, "bytes_cached": 9.7947e-12,
            "bytes": 6.6667e-11,
        },
        "cython.pool.global@portable": {
            "call": 1.8002e-06, "plane": 2.2107e-09, "vector": 1.6095e-10, "bytes_cached": 1.0707e-11,
            "bytes": 6.6667e-11,
        },
        "cython.pool.lanes@avx2": {
            "call": 1.8433e-06, "enter": 7.8807e-10, "leave": 1.2736e-09, "load": 2.8525e-10, "window": 2.8355e-09,
            "item": 1.3547e-07, "bytes": 3.3419e-11,
        },
        "cython.pool.lanes@avx512": {
            "call": 1.7446e-06, "enter": 9.6322e-10, "leave": 1.4003e-09, "load": 3.4897e-10, "window": 3.4379e-09,
            "item": 8.3116e-08, "bytes": 3.5566e-11,
        },
        "cython.pool.lanes@portable": {
            "call": 1.9624e-06, "enter": 8.0664e-10, "leave": 1.1093e-09, "load": 3.3983e-10, "window": 3.236e-09,
            "item": 1.5866e-07, "bytes": 5.0684e-11,
        },
        "cython.pool.pairs@avx512": {
            "call": 3.9504e-06, "vector": 9.6e-09, "bytes": 3.5554e-11,
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
            "call": 4.7478e-06, "vector": 6.3575e-10, "vector_indexed": 2.6359e-09, "vector_whole": 5.8204e-10,
            "vector_whole_indexed": 2.3939e-09, "index": 1.1106e-09, "row": 1.8802e-08, "piece": 1.5144e-08,
            "bytes": 3.7735e-11,
        },
        "cython.pool.separable@avx512": {
            "call": 3.2797e-06, "vector": 7.3639e-10, "vector_indexed": 2.6569e-09, "vector_whole": 6.2367e-10,
            "vector_whole_indexed": 2.3681e-09, "index": 1.2609e-09, "row": 3.7925e-08, "piece": 1.5713e-08,
            "bytes": 3.2635e-11,
        },
        "cython.pool.separable@portable": {
            "call": 5.9255e-06, "vector": 9.8837e-10, "vector_indexed": 2.6647e-09, "vector_whole": 7.719e-10,
            "vector_whole_indexed": 2.284e-09, "index": 1.0409e-09, "row": 3.5926e-08, "piece": 1.5245e-08,
            "bytes": 5.4309e-11,
        },
        "cython.pool.shifts@avx2": {
            "call": 1.9457e-06, "load": 3.8425e-10, "tap": 5.7052e-10, "row": 3.12e-09, "plane": 4.8591e-09,
            "bytes": 3.8333e-11,
        },
        "cython.pool.shifts@avx512": {
            "call": 1.5537e-06, "load": 5.4679e-10, "tap": 8.1342e-10, "row": 2.7336e-09, "plane": 4.3406e-09,
            "bytes": 3.1843e-11,
        },
        "cython.pool.shifts@portable": {
            "call": 1.9897e-06, "load": 3.81e-10, "tap": 6.5129e-10, "row": 4.0062e-09, "plane": 5.0222e-09,
            "bytes": 4.7113e-11,
        },
        "cython.pool.strided@avx512": {
            "call": 1.65e-06, "load": 5.8e-10, "shuffle": 5.1e-10, "row": 1.6e-08, "bytes": 3.12e-11,
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
            "call": 3e-06, "network": 5e-10, "tap": 6e-10, "element": 1.5e-10, "row": 4e-08, "item": 3e-07,
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
            "call": 3e-06, "multiply": 1.875e-10, "element": 1.5e-10, "item": 3e-07, "bytes": 6.6667e-11,
        },
        "cython.separable@portable": {
            "call": 3e-06, "multiply": 5e-10, "element": 4e-10, "item": 3e-07, "bytes": 6.6667e-11,
        },
        "cython.small@avx2": {
            "call": 4e-06, "vector": 1.32e-09, "dot": 5.5e-10, "row": 2.2e-08, "bytes": 2e-11,
        },
        "cython.small@avx512": {
            "call": 4e-06, "vector": 1.43e-09, "dot": 5.5e-10, "row": 2.2e-08, "bytes": 2e-11,
        },
        "cython.small@portable": {
            "call": 4e-06, "vector": 1.32e-09, "dot": 1.65e-09, "row": 2.2e-08, "bytes": 2e-11,
        },
        "cython.softmax@avx2": {
            "call": 9.9128e-07, "vector": 3.9597e-09, "row": 9.8747e-09, "bytes": 7.7498e-11,
        },
        "cython.softmax@avx512": {
            "call": 6.9789e-07, "vector": 3.8848e-09, "row": 6.5511e-09, "bytes": 5.176e-11,
        },
        "cython.softmax@portable": {
            "call": 9.9241e-07, "vector": 6.6257e-09, "row": 9.9045e-09, "bytes": 6.6667e-11,
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
            "call": 8.5629e-06, "convert": 2.8067e-10, "pack": 1.3e-10, "multiply_bfloat16": 1.1471e-11,
            "multiply_int16": 5.1887e-12, "widen": 2e-10,
        },
        "cython.widened_products@avx512": {
            "call": 8.7285e-06, "convert": 2.5491e-10, "pack": 1.3e-10, "multiply_bfloat16": 2.036e-11,
            "multiply_int16": 2.9926e-12, "widen": 1e-10,
        },
        "cython.widened_products@portable": {
            "call": 8.0051e-06, "convert": 3.6814e-10, "pack": 1.3e-10, "multiply_bfloat16": 1.8441e-11,
            "multiply_int16": 8.5914e-11, "widen": 2.5e-09,
        },
        "cython.truncated@avx2": {
            "call": 4e-06, "multiply": 2.2e-10, "vector": 5.5e-09, "item": 1e-06, "bytes": 6.6667e-11,
        },
        "cython.truncated@avx512": {
            "call": 4e-06, "multiply": 2.2e-10, "vector": 5.5e-09, "item": 1e-06, "bytes": 6.6667e-11,
        },
        "cython.truncated@portable": {
            "call": 4e-06, "multiply": 3.3e-10, "vector": 5.5e-09, "item": 1e-06, "bytes": 6.6667e-11,
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
            "call": 1.0632e-05, "multiply": 1.4949e-11, "multiply_channels": 4.0904e-11, "copy": 1.2784e-10,
            "scatter": 9.945e-10, "bytes": 3.3728e-11, "pack_call": 1.2e-05,
        },
        "numba.conv.depthwise@avx512": {
            "call": 1.085e-05, "multiply": 1.0175e-11, "multiply_channels": 2.6574e-11, "copy": 1.1318e-10,
            "scatter": 1.0073e-09, "bytes": 3.0696e-11, "pack_call": 1.2e-05,
        },
        "numba.conv.depthwise@portable": {
            "call": 1.1688e-05, "multiply": 2.7359e-11, "multiply_channels": 8.2861e-11, "copy": 1.5343e-10,
            "scatter": 9.9315e-10, "bytes": 4.0233e-11, "pack_call": 1.2e-05,
        },
        "numba.conv.direct@avx2": {
            "call": 1.1621e-05, "multiply": 1.0867e-11, "copy": 3.356e-10, "gather": 4.9881e-10, "bytes": 2.9393e-11,
            "bytes_read": 6.7e-11, "pack_call": 2e-05, "pack": 1.5e-09,
        },
        "numba.conv.direct@avx512": {
            "call": 1.1295e-05, "multiply": 7.244e-12, "copy": 2.8279e-10, "gather": 4.2608e-10, "bytes": 2.2653e-11,
            "bytes_read": 6.7e-11, "pack_call": 2e-05, "pack": 1.5e-09,
        },
        "numba.conv.direct@portable": {
            "call": 1.0889e-05, "multiply": 1.6826e-11, "copy": 3.8069e-10, "gather": 6.4394e-10, "bytes": 4.0224e-11,
            "bytes_read": 6.7e-11, "pack_call": 2e-05, "pack": 1.5e-09,
        },
        "numba.conv.pointwise@avx2": {
            "call": 1.0247e-05, "multiply": 9.7882e-12, "bytes": 6.3088e-11, "pack_call": 1e-05, "pack": 1.5e-09,
        },
        "numba.conv.pointwise@avx512": {
            "call": 9.0083e-06, "multiply": 6.9071e-12, "bytes": 5.0268e-11, "pack_call": 1e-05, "pack": 1.5e-09,
        },
        "numba.conv.pointwise@portable": {
            "call": 1.3569e-05, "multiply": 1.8178e-11, "bytes": 7.9432e-11, "pack_call": 1e-05, "pack": 1.5e-09,
        },
        "numba.conv_weight.direct@avx2": {
            "call": 3.4416e-05, "multiply": 9.4889e-12, "copy": 4.926e-10, "pack": 3.9469e-10, "join": 4.7367e-10,
        },
        "numba.conv_weight.direct@avx512": {
            "call": 3.3894e-05, "multiply": 4.9636e-12, "copy": 4.8691e-10, "pack": 3.2793e-10, "join": 4.5756e-10,
        },
        "numba.conv_weight.direct@portable": {
            "call": 3.4846e-05, "multiply": 2.0179e-11, "copy": 4.9786e-10, "pack": 3.9828e-10, "join": 4.92e-10,
        },
        "numba.correlation": {
            "call": 2.5e-05, "multiply": 3.5e-10, "vector": 7.4e-10, "row": 1.4e-08, "item": 1e-06, "bytes": 5e-11,
        },
        "numba.empty": {
            "call": 4e-06, "bytes": 6.6667e-11,
        },
        "numba.footprint": {
            "call": 1e-05, "tap": 6.5e-10, "vector": 7e-10, "row": 1.4e-08, "item": 1e-06, "bytes": 5e-11,
        },
        "numba.gemm@avx2": {
            "call": 1.1429e-05, "multiply": 8.3113e-12, "bytes_packed": 1.3169e-10, "bytes": 5.1335e-11,
            "pack_row": 3e-08,
        },
        "numba.gemm@avx512": {
            "call": 1.0092e-05, "multiply": 5.2992e-12, "bytes_packed": 1.0399e-10, "bytes": 7.2566e-11,
            "pack_row": 3e-08,
        },
        "numba.gemm@portable": {
            "call": 1.3035e-05, "multiply": 1.6939e-11, "bytes_packed": 1.4248e-10, "bytes": 5.4669e-11,
            "pack_row": 3e-08,
        },
        "numba.pool@avx2": {
            "call": 1.1448e-05, "tap": 2.2444e-10, "copy": 1.8998e-10, "scatter": 1.0496e-09, "bytes": 3.0029e-11,
        },
        "numba.pool@avx512": {
            "call": 1.0056e-05, "tap": 2.631e-10, "copy": 1.9196e-10, "scatter": 1.0863e-09, "bytes": 3.1374e-11,
        },
        "numba.pool@portable": {
            "call": 1.3423e-05, "tap": 2.0345e-10, "copy": 2.3361e-10, "scatter": 1.0138e-09, "bytes": 3.1251e-11,
        },
        "numba.rank": {
            "call": 1e-05, "step": 1.4e-09, "vector": 7e-10, "row": 1.4e-08, "item": 1e-06, "bytes": 5e-11,
        },
        "numba.rank_ordinal": {
            "call": 1e-05, "sort": 2e-09, "flip": 1.8e-09, "clear": 2e-10, "element": 2.4e-08, "vector": 7e-10,
            "row": 1.4e-08, "item": 1e-06, "bytes": 5e-11,
        },
        "numba.separable": {
            "call": 3e-05, "multiply": 3.3e-10, "vector": 6e-10, "row": 1.4e-08, "bytes": 2e-11, "sum": 5e-10,
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
            "call": 4.0004e-06, "element": 4.9742e-10,
        },
        "numpy.conv.im2col": {
            "call": 2.6056e-06, "multiply": 8.5063e-12, "gather": 9.5e-10, "integer": 1e-09, "convert": 1.8612e-09,
            "bytes_copied": 1.6362e-10, "bytes": 5.7252e-11, "row": 1.0507e-08,
        },
        "numpy.conv.pointwise": {
            "call": 1.7429e-06, "multiply": 7.629e-12, "integer": 1e-09, "convert": 1.6686e-09, "bytes": 4.8439e-11,
            "unsummed": 1.15e-09, "finish": 1e-10, "turned": 4e-10,
        },
        "numpy.conv.scatter": {
            "call": 3.4537e-06, "multiply": 8.9778e-12, "element": 9.6323e-10, "bytes": 6.1979e-11,
        },
        "numpy.conv_weight.depthwise": {
            "call": 4.0119e-06, "element": 1.6849e-10,
        },
        "numpy.conv_weight.im2col": {
            "call": 3.9888e-06, "multiply": 8.1903e-12, "bytes_copied": 2.7737e-10, "bytes": 6.0365e-11,
        },
        "numpy.correlation": {
            "call": 1e-06, "element": 4e-10, "bytes": 6.6667e-11,
        },
        "numpy.elementwise": {
            "call": 1.9701e-05, "element": 1.3377e-09, "scalar": 2.1e-08,
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
            "call": 3.0981e-06, "converted_call": 7.9843e-06, "multiply": 1.5e-11, "integer": 1e-09,
            "convert": 1.449e-09, "bytes_cached": 5.0877e-11, "bytes": 5.0877e-11, "unsummed": 1.05e-09,
            "turned": 1.5e-10, "finish": 2.5e-11,
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
            "call": 1.8611e-06, "row": 3.5e-09, "bytes": 4.7454e-11,
        },
        "numpy.pad_backward": {
            "call": 2e-06, "bytes": 6.6667e-11,
        },
        "numpy.pool.direct": {
            "call": 1.9978e-06, "element": 4.2388e-10,
        },
        "numpy.pool.separable": {
            "call": 1.8204e-06, "element": 2.622e-10, "power": 3.8633e-09,
        },
        "numpy.pool.tiles": {
            "call": 1.8854e-06, "reduce": 2.516e-10, "run": 2.3633e-08,
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
            "call": 1.9983e-05, "element": 7.9965e-09,
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
            "block": 3.0041e-06, "weight": 3e-09, "bytes": 7.4284e-11, "bytes_cycled": 6.6667e-11,
        },
        "phases@avx2": {
            "block": 1.0331e-06, "weight": 3e-09, "bytes": 9.7975e-11, "bytes_cycled": 6.6667e-11,
        },
        "phases@avx512": {
            "block": 8.6767e-07, "weight": 3e-09, "bytes": 2.0737e-10, "bytes_cycled": 6.6667e-11,
        },
        "phases@portable": {
            "block": 1.2998e-06, "weight": 3e-09, "bytes": 1.2357e-10, "bytes_cycled": 6.6667e-11,
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
    blocks={
        "cython.conv.col2im/columns": 131072, "cython.conv.col2im/weights": 524288, "cython.conv.depthwise/band": 24576,
        "cython.conv.depthwise/images": 131072, "cython.conv.direct/all_sums": 1048576,
        "cython.conv.direct/band": 163840, "cython.conv.direct/sums": 65536, "cython.conv.direct_last/band": 262144,
        "cython.conv.direct_last/weights": 65536, "cython.conv.images/arrays": 524288,
        "cython.conv.lanes_last/band": 131072, "cython.conv.pointwise/pixels": 262144,
        "cython.conv.pointwise_blocked/pixels": 393216, "cython.conv.row_sums/sums": 393216,
        "cython.conv.row_sums/weights": 524288, "cython.conv.tiles/band": 393216,
        "cython.conv.winograd/transformed": 655360, "cython.conv.winograd_rows/most": 655360,
        "cython.conv.winograd_rows/transformed": 131072, "cython.conv_weight.direct/band": 393216,
        "cython.conv_weight.rows/band": 16384, "cython.conv_weight.rows/sums": 65536, "cython.gemm.dots/a": 262144,
        "cython.gemm.packed/a": 262144, "cython.gemm.packed/b": 2097152, "cython.gemm.packed/small": 262144,
        "cython.gemm.thin/sums": 32768, "cython.gemm.tiles/panels": 786432, "cython.pool.adaptive/row": 262144,
        "cython.pool.channels/image": 131072, "cython.pool.flat/plane": 24576, "cython.pool.lanes/block": 262144,
        "cython.pool.powers/block": 262144, "cython.pool.powers/row": 32768, "cython.pool.separable/row": 16384,
        "cython.pool.shifts/twice": 12288, "cython.pool_backward.separable/row": 262144, "numba.conv/band": 262144,
        "numba.conv/channel": 24576, "numba.conv/sums": 131072, "numba.conv/weights": 131072,
        "numba.filter/band": 262144, "numba.filter/piece": 131072,
        "numba.gemm/block": 2097152, "numba.gemm/depth": 1280, "numba.gemm/rows": 114688, "numba.pool/channel": 24576,
        "numpy.conv.col2im/columns": 1048576, "numpy.conv.im2col/columns": 1048576,
        "numpy.gemm.matmul/band": 1048576,
    },
    l3=6291456,
)  # fmt: skip
