"""AMD Zen 4, where AVX-512 instructions run as two halves.

Fitted by hand, kernel by kernel; a few rates are from an Intel CPU with AVX-512 of full width, scaled to this one.
"""

from fastconv.core.costs import Table

TABLE = Table(
    name="zen4",
    peak={"avx512": 1.18e11, "avx2": 1.18e11, "portable": 5.9e10},
    bandwidth=1.5e10,
    rates={
        "cython.conv.col2im@avx2": {
            "call": 1.2e-06, "multiply": 9.705e-12, "tile": 3e-08, "window": 1e-08, "run": 2e-09, "row": 6e-09,
            "pack": 3e-10, "gather": 1.2e-09, "bytes_streamed": 6.6667e-11, "bytes_cached": 1.3333e-11,
            "bytes": 6.6667e-11,
        },
        "cython.conv.col2im@avx512": {
            "call": 1.2e-06, "multiply": 9.0416e-12, "tile": 3e-08, "window": 1e-08, "run": 2e-09, "row": 6e-09,
            "pack": 3e-10, "gather": 1.2e-09, "bytes_streamed": 6.6667e-11, "bytes_cached": 1.3333e-11,
            "bytes": 6.6667e-11,
        },
        "cython.conv.col2im@portable": {
            "call": 1.2e-06, "multiply": 2.1008e-11, "tile": 3e-08, "window": 1e-08, "run": 2e-09, "row": 6e-09,
            "pack": 3e-10, "gather": 1.2e-09, "bytes_streamed": 6.6667e-11, "bytes_cached": 1.3333e-11,
            "bytes": 6.6667e-11,
        },
        "cython.conv.depthwise@avx2": {
            "call": 1.5e-06, "multiply_rows": 1.9841e-11, "multiply_rows_apart": 3.7202e-11,
            "multiply_halved": 2.4802e-11, "multiply_halved_apart": 3.7202e-11, "multiply_few_rows": 5.9524e-11,
            "multiply_taps": 4.2517e-11, "tile": 8e-09, "row": 1.2e-08, "copy": 2.5e-10, "bytes": 3.3333e-11,
            "multiply_lanes": 1.6e-11, "multiply_lanes_rolled": 2e-11,
            "multiply_lanes_groups": 3e-11, "line": 3e-09, "copy_lanes": 3e-10,
            "bytes_lanes": 3.3333e-11, "pack": 5e-10,
        },
        "cython.conv.depthwise@avx512": {
            "call": 1.5e-06, "multiply_rows": 9.5238e-12, "multiply_rows_apart": 1.7857e-11,
            "multiply_halved": 1.1905e-11, "multiply_halved_apart": 1.7857e-11, "multiply_few_rows": 2.8571e-11,
            "multiply_taps": 2.0408e-11, "tile": 8e-09, "row": 1.2e-08, "copy": 2.5e-10, "bytes": 3.3333e-11,
            "multiply_lanes": 1.1e-11, "multiply_lanes_rolled": 1.6e-11,
            "multiply_lanes_groups": 1.9e-11, "line": 3e-09, "copy_lanes": 1.5e-10,
            "bytes_lanes": 3.3333e-11, "pack": 5e-10,
        },
        "cython.conv.depthwise@portable": {
            "call": 1.5e-06, "multiply_rows": 3.9683e-11, "multiply_rows_apart": 7.4405e-11,
            "multiply_halved": 4.9603e-11, "multiply_halved_apart": 7.4405e-11, "multiply_few_rows": 1.1905e-10,
            "multiply_taps": 8.5034e-11, "tile": 8e-09, "row": 1.2e-08, "copy": 2.5e-10, "bytes": 3.3333e-11,
            "multiply_lanes": 4.5e-11, "multiply_lanes_rolled": 6e-11,
            "multiply_lanes_groups": 1.2e-10, "line": 3e-09, "copy_lanes": 6e-10,
            "bytes_lanes": 3.3333e-11, "pack": 5e-10,
        },
        "cython.conv.direct@avx2": {
            "call": 1e-06, "plane": 2e-07, "multiply": 9.2047e-12, "row": 1e-08, "copy": 1.4e-10, "gather": 8e-10,
            "bytes_streamed": 6.6667e-11, "bytes": 6.6667e-11, "bytes_cached": 4.4444e-11, "pack_call": 2e-07,
            "pack": 3.3e-10,
        },
        "cython.conv.direct@avx512": {
            "call": 1e-06, "plane": 2e-07, "multiply": 8.4034e-12, "row": 1e-08, "copy": 1.4e-10, "gather": 5e-10,
            "bytes_streamed": 6.6667e-11, "bytes": 6.6667e-11, "bytes_cached": 4.4444e-11, "pack_call": 2e-07,
            "pack": 3.3e-10,
        },
        "cython.conv.direct@portable": {
            "call": 1e-06, "plane": 2e-07, "multiply": 2.7056e-11, "row": 1e-08, "copy": 1.4e-10, "gather": 8e-10,
            "bytes_streamed": 6.6667e-11, "bytes": 6.6667e-11, "bytes_cached": 4.4444e-11, "pack_call": 2e-07,
            "pack": 3.3e-10,
        },
        "cython.conv.direct_last@avx2": {
            "call": 1e-06, "multiply": 9.3e-12, "tile": 1e-08, "run": 4e-09, "row": 2e-08, "copy": 8e-11,
            "bytes_streamed": 6.6667e-11, "bytes": 2.5e-11, "bytes_cached": 2e-11, "pack_call": 1e-06,
            "pack": 3.3e-10, "pack_sorted": 5e-10,
        },
        "cython.conv.direct_last@avx512": {
            "call": 1e-06, "multiply": 8.6e-12, "tile": 1e-08, "run": 4e-09, "row": 2e-08, "copy": 8e-11,
            "bytes_streamed": 6.6667e-11, "bytes": 2.5e-11, "bytes_cached": 2e-11, "pack_call": 1e-06,
            "pack": 3.3e-10, "pack_sorted": 5e-10,
        },
        "cython.conv.direct_last@portable": {
            "call": 1e-06, "multiply": 2.7e-11, "tile": 1e-08, "run": 4e-09, "row": 2e-08, "copy": 8e-11,
            "bytes_streamed": 6.6667e-11, "bytes": 2.5e-11, "bytes_cached": 2e-11, "pack_call": 1e-06,
            "pack": 3.3e-10, "pack_sorted": 5e-10,
        },
        "cython.conv.grouped@avx2": {
            "call": 1.5e-06, "multiply_rows": 1.9841e-11, "multiply_rows_apart": 3.7202e-11,
            "multiply_halved": 2.4802e-11, "multiply_halved_apart": 3.7202e-11, "multiply_few_rows": 5.9524e-11,
            "multiply_taps": 4.2517e-11, "tile": 8e-09, "row": 1.2e-08, "copy": 2.5e-10, "bytes": 3.3333e-11,
            "multiply_lanes": 1.6e-11, "multiply_lanes_rolled": 2e-11,
            "multiply_lanes_groups": 3e-11, "line": 3e-09, "copy_lanes": 3e-10,
            "bytes_lanes": 3.3333e-11, "pack": 5e-10,
        },
        "cython.conv.grouped@avx512": {
            "call": 1.5e-06, "multiply_rows": 9.5238e-12, "multiply_rows_apart": 1.7857e-11,
            "multiply_halved": 1.1905e-11, "multiply_halved_apart": 1.7857e-11, "multiply_few_rows": 2.8571e-11,
            "multiply_taps": 2.0408e-11, "tile": 8e-09, "row": 1.2e-08, "copy": 2.5e-10, "bytes": 3.3333e-11,
            "multiply_lanes": 1.1e-11, "multiply_lanes_rolled": 1.6e-11,
            "multiply_lanes_groups": 1.9e-11, "line": 3e-09, "copy_lanes": 1.5e-10,
            "bytes_lanes": 3.3333e-11, "pack": 5e-10,
        },
        "cython.conv.grouped@portable": {
            "call": 1.5e-06, "multiply_rows": 3.9683e-11, "multiply_rows_apart": 7.4405e-11,
            "multiply_halved": 4.9603e-11, "multiply_halved_apart": 7.4405e-11, "multiply_few_rows": 1.1905e-10,
            "multiply_taps": 8.5034e-11, "tile": 8e-09, "row": 1.2e-08, "copy": 2.5e-10, "bytes": 3.3333e-11,
            "multiply_lanes": 4.5e-11, "multiply_lanes_rolled": 6e-11,
            "multiply_lanes_groups": 1.2e-10, "line": 3e-09, "copy_lanes": 6e-10,
            "bytes_lanes": 3.3333e-11, "pack": 5e-10,
        },
        "cython.conv.images@avx2": {
            "call": 1e-06, "tile": 6e-09, "multiply": 9.705e-12, "move": 2e-10, "bytes_cached": 1.3333e-11,
            "bytes": 6.6667e-11, "pack_call": 1e-06, "pack": 3.3e-10,
        },
        "cython.conv.images@avx512": {
            "call": 1e-06, "tile": 6e-09, "multiply": 9.0416e-12, "move": 2e-10, "bytes_cached": 1.3333e-11,
            "bytes": 6.6667e-11, "pack_call": 1e-06, "pack": 3.3e-10,
        },
        "cython.conv.images@portable": {
            "call": 1e-06, "tile": 6e-09, "multiply": 2.1008e-11, "move": 2e-10, "bytes_cached": 1.3333e-11,
            "bytes": 6.6667e-11, "pack_call": 1e-06, "pack": 3.3e-10,
        },
        "cython.conv.planes@avx2": {
            "call": 6e-07, "item": 1e-07, "turn": 1.6e-10, "copy": 1.6e-10, "pack": 5e-10, "multiply": 1.8e-11,
            "multiply_rolled": 2.2e-11, "line": 3.7e-09, "bytes": 3e-11,
        },
        "cython.conv.planes@avx512": {
            "call": 6e-07, "item": 1e-07, "turn": 1e-10, "copy": 1e-10, "pack": 5e-10, "multiply": 1.2e-11,
            "multiply_rolled": 1.5e-11, "line": 3.7e-09, "bytes": 3e-11,
        },
        "cython.conv.planes@portable": {
            "call": 6e-07, "item": 1e-07, "turn": 5e-10, "copy": 2e-10, "pack": 5e-10, "multiply": 5.5e-11,
            "multiply_rolled": 6.5e-11, "line": 3.7e-09, "bytes": 3e-11,
        },
        "cython.conv.pointwise@avx2": {
            "call": 1.1e-06, "multiply": 9.0188e-12, "multiply_streamed": 1.0737e-11, "bytes_cached": 1.6667e-11,
            "bytes": 3.3333e-11, "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.pointwise@avx512": {
            "call": 1.1e-06, "multiply": 8.0257e-12, "multiply_streamed": 8.6298e-12, "bytes_cached": 1.6667e-11,
            "bytes": 3.3333e-11, "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.pointwise@portable": {
            "call": 1.1e-06, "multiply": 2.7473e-11, "multiply_streamed": 3.0525e-11, "bytes_cached": 1.6667e-11,
            "bytes": 3.3333e-11, "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.pointwise_blocked@avx2": {
            "call": 1.2e-06, "multiply": 9.6006e-12, "move": 2.2e-10, "bytes_streamed": 6.6667e-11,
            "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.pointwise_blocked@avx512": {
            "call": 1.2e-06, "multiply": 9.0416e-12, "move": 2.2e-10, "bytes_streamed": 6.6667e-11,
            "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.pointwise_blocked@portable": {
            "call": 1.2e-06, "multiply": 2.9762e-11, "move": 2.2e-10, "bytes_streamed": 6.6667e-11,
            "pack_call": 2e-07, "pack": 3.3e-10,
        },
        "cython.conv.thin@avx2": {
            "call": 2e-07,
        },
        "cython.conv.thin@avx512": {
            "call": 2e-07,
        },
        "cython.conv.thin@portable": {
            "call": 2e-07,
        },
        "cython.conv.tiles@avx512": {
            "call": 2e-06, "item": 3e-07, "tile": 1.2e-07, "row": 2e-08, "pack": 8e-11, "weights": 3e-10, "step": 8e-09,
            "bytes_cached": 1.3333e-11, "bytes": 6.6667e-11,
        },
        "cython.conv.windows@avx2": {
            "store": 2.5e-10,
        },
        "cython.conv.windows@avx512": {
            "store": 2.5e-10,
        },
        "cython.conv.windows@portable": {
            "store": 2.5e-10,
        },
        "cython.conv.row_sums@avx2": {
            "call": 1.2e-06, "multiply": 9.3e-12, "tile": 1.5e-08, "panel": 3e-09, "store": 1e-10,
            "pack": 4.5e-10, "row": 2e-08, "phase": 6e-09, "vector": 2e-09, "sum": 7e-10, "sum_given": 1.3e-09,
            "turn": 4e-10, "bytes_streamed": 6.6667e-11, "bytes_cached": 1.3333e-11, "bytes": 6.6667e-11,
        },
        "cython.conv.row_sums@avx512": {
            "call": 1.2e-06, "multiply": 8.6e-12, "tile": 1.5e-08, "panel": 3e-09, "store": 1e-10,
            "pack": 4.5e-10, "row": 2e-08, "phase": 6e-09, "vector": 2e-09, "sum": 7e-10, "sum_given": 1.3e-09,
            "turn": 4e-10, "bytes_streamed": 6.6667e-11, "bytes_cached": 1.3333e-11, "bytes": 6.6667e-11,
        },
        "cython.conv.row_sums@portable": {
            "call": 1.2e-06, "multiply": 2.1e-11, "tile": 1.5e-08, "panel": 3e-09, "store": 1e-10,
            "pack": 4.5e-10, "row": 2e-08, "phase": 6e-09, "vector": 2e-09, "sum": 7e-10, "sum_given": 1.3e-09,
            "turn": 4e-10, "bytes_streamed": 6.6667e-11, "bytes_cached": 1.3333e-11, "bytes": 6.6667e-11,
        },
        "cython.conv.winograd@avx2": {
            "call": 1.2e-06, "multiply": 9.705e-12, "transform_row": 5.5804e-09, "transform_input": 3.5714e-10,
            "transform_output": 1.1161e-10, "transform_store": 2.3438e-10, "join": 6.2e-10,
            "bytes_streamed": 6.6667e-11, "bytes_stalled": 1e-11, "bytes_stalled_depth": 7.3333e-11,
            "bytes": 6.6667e-11, "pack_256k": 5.5e-10, "pack_4m": 3.5e-10, "pack_32m": 6e-10, "pack_more": 1.05e-09,
        },
        "cython.conv.winograd@avx512": {
            "call": 1.8e-06, "multiply": 8.6059e-12, "transform_row": 5e-09, "transform_input": 3.2e-10,
            "transform_output": 1e-10, "transform_store": 2.1e-10, "join": 6.2e-10, "bytes_streamed": 6.6667e-11,
            "bytes_stalled": 1e-11, "bytes_stalled_depth": 7.3333e-11, "bytes": 6.6667e-11, "pack_256k": 5.5e-10,
            "pack_4m": 3.5e-10, "pack_32m": 6e-10, "pack_more": 1.05e-09,
        },
        "cython.conv.winograd@portable": {
            "call": 1.2e-06, "multiply": 2.8802e-11, "transform_row": 1e-08, "transform_input": 6.4e-10,
            "transform_output": 2e-10, "transform_store": 4.2e-10, "join": 6.2e-10, "bytes_streamed": 6.6667e-11,
            "bytes_stalled": 1e-11, "bytes_stalled_depth": 7.3333e-11, "bytes": 6.6667e-11, "pack_256k": 5.5e-10,
            "pack_4m": 3.5e-10, "pack_32m": 6e-10, "pack_more": 1.05e-09,
        },
        "cython.conv.winograd_rows@avx2": {
            "call": 1.3e-06, "multiply": 2.2321e-11, "multiply_load": 0.0, "multiply_finish": 1.3393e-10,
            "multiply_crowded": 2.567e-11, "multiply_load_crowded": 0.0, "multiply_finish_crowded": 1.5402e-10,
            "row": 4.6e-08, "input": 2.2e-10, "pack_call": 2e-06, "pack": 3e-09,
        },
        "cython.conv.winograd_rows@avx512": {
            "call": 1.3e-06, "multiply": 8.1169e-12, "multiply_load": 5.6818e-12, "multiply_finish": 4.8701e-11,
            "multiply_crowded": 9.3344e-12, "multiply_load_crowded": 6.5341e-12,
            "multiply_finish_crowded": 5.6006e-11, "row": 4.6e-08, "input": 2.2e-10, "pack_call": 2e-06,
            "pack": 3e-09,
        },
        "cython.conv.winograd_rows@portable": {
            "call": 1.3e-06, "multiply": 3.2468e-11, "multiply_load": 1.2987e-11, "multiply_finish": 1.9481e-10,
            "multiply_crowded": 3.7338e-11, "multiply_load_crowded": 1.4935e-11,
            "multiply_finish_crowded": 2.2403e-10, "row": 4.6e-08, "input": 2.2e-10, "pack_call": 2e-06,
            "pack": 3e-09,
        },
        "cython.conv_weight.direct@avx2": {
            "call": 1.5e-05, "multiply": 9.6006e-12, "copy": 5e-10, "pack": 2.5e-10,
        },
        "cython.conv_weight.direct@avx512": {
            "call": 1.5e-05, "multiply": 8.9286e-12, "copy": 5e-10, "pack": 2.5e-10,
        },
        "cython.conv_weight.direct@portable": {
            "call": 1.5e-05, "multiply": 2.2321e-11, "copy": 5e-10, "pack": 2.5e-10,
        },
        "cython.conv_weight.rows@avx2": {
            "call": 6e-06, "multiply": 1.4881e-11, "multiply_row": 1.9841e-11, "tile": 2e-08, "gather": 1e-09,
            "bytes_near": 1e-11, "row": 1e-08, "copy": 1.5e-10, "bytes": 3.3333e-11,
        },
        "cython.conv_weight.rows@avx512": {
            "call": 6e-06, "multiply": 9.5238e-12, "multiply_row": 2.0408e-11, "tile": 2e-08, "gather": 1e-09,
            "bytes_near": 1e-11, "row": 1e-08, "copy": 1.5e-10, "bytes": 3.3333e-11,
        },
        "cython.conv_weight.rows@portable": {
            "call": 6e-06, "multiply": 7.1429e-11, "multiply_row": 7.1429e-11, "tile": 2e-08, "gather": 1e-09,
            "bytes_near": 1e-11, "row": 1e-08, "copy": 1.5e-10, "bytes": 3.3333e-11,
        },
        "cython.conv_weight.winograd@avx2": {
            "call": 1e-05, "multiply": 1.1447e-11, "transform": 2.5536e-10, "transform_output": 5.8036e-10,
            "bytes_sums": 6.6667e-11, "bytes_segments": 1.6667e-11,
        },
        "cython.conv_weight.winograd@avx512": {
            "call": 1e-05, "multiply": 1.0661e-11, "transform": 2.0429e-10, "transform_output": 4.6429e-10,
            "bytes_sums": 6.6667e-11, "bytes_segments": 1.6667e-11,
        },
        "cython.conv_weight.winograd@portable": {
            "call": 1e-05, "multiply": 3.0788e-11, "transform": 5.1071e-10, "transform_output": 1.1607e-09,
            "bytes_sums": 6.6667e-11, "bytes_segments": 1.6667e-11,
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
            "call": 1e-06, "bytes": 6.6667e-11, "relu": 3e-10, "relu6": 3e-10, "hardtanh": 3e-10, "leaky_relu": 3e-10,
            "hardswish": 3e-09, "hardsigmoid": 3e-09, "softsign": 3e-09, "sigmoid": 7e-09, "tanh": 8e-09,
            "silu": 7e-09, "elu": 6e-09, "selu": 6e-09, "celu": 8e-09, "gelu": 1e-08, "gelu_tanh": 8e-09,
            "logsigmoid": 1.2e-08, "softplus": 1.4e-08, "mish": 7e-09, "hardshrink": 3e-10, "softshrink": 3e-10,
            "tanhshrink": 8e-09, "threshold": 3e-10, "clamp": 3e-10,
        },
        "cython.elementwise@avx512": {
            "call": 1e-06, "bytes": 6.6667e-11, "relu": 3e-10, "relu6": 3e-10, "hardtanh": 3e-10, "leaky_relu": 3e-10,
            "hardswish": 3e-09, "hardsigmoid": 3e-09, "softsign": 3e-09, "sigmoid": 7e-09, "tanh": 8e-09,
            "silu": 7e-09, "elu": 6e-09, "selu": 6e-09, "celu": 8e-09, "gelu": 1e-08, "gelu_tanh": 8e-09,
            "logsigmoid": 1.2e-08, "softplus": 1.4e-08, "mish": 7e-09, "hardshrink": 3e-10, "softshrink": 3e-10,
            "tanhshrink": 8e-09, "threshold": 3e-10, "clamp": 3e-10,
        },
        "cython.elementwise@portable": {
            "call": 1e-06, "bytes": 6.6667e-11, "relu": 3e-10, "relu6": 3e-10, "hardtanh": 3e-10, "leaky_relu": 3e-10,
            "hardswish": 3e-09, "hardsigmoid": 3e-09, "softsign": 3e-09, "sigmoid": 7e-09, "tanh": 8e-09,
            "silu": 7e-09, "elu": 6e-09, "selu": 6e-09, "celu": 8e-09, "gelu": 1e-08, "gelu_tanh": 8e-09,
            "logsigmoid": 1.2e-08, "softplus": 1.4e-08, "mish": 7e-09, "hardshrink": 3e-10, "softshrink": 3e-10,
            "tanhshrink": 8e-09, "threshold": 3e-10, "clamp": 3e-10,
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
            "call": 5e-07, "product": 5e-08, "output": 1e-09, "multiply": 2.024e-11, "pack": 2.5e-10,
            "bytes_cached": 7e-12, "bytes": 3.9216e-11,
        },
        "cython.gemm.dots@avx512": {
            "call": 5e-07, "product": 5e-08, "output": 1e-09, "multiply": 1.65e-11, "pack": 2.5e-10,
            "bytes_cached": 7e-12, "bytes": 3.9216e-11,
        },
        "cython.gemm.dots@portable": {
            "call": 5e-07, "product": 5e-08, "output": 1e-09, "multiply": 4.18e-11, "pack": 2.5e-10,
            "bytes_cached": 7e-12, "bytes": 3.9216e-11,
        },
        "cython.gemm.packed@avx2": {
            "call": 1e-06, "call_in_place": 3e-07, "product": 8e-08, "tile": 2e-08, "multiply": 9.705e-12,
            "multiply_in_place": 8.9286e-12, "pack": 1.3e-10, "bytes_cached": 2e-11, "bytes": 6.6667e-11,
        },
        "cython.gemm.packed@avx512": {
            "call": 1e-06, "call_in_place": 3e-07, "product": 8e-08, "tile": 2e-08, "multiply": 9.0416e-12,
            "multiply_in_place": 8.3183e-12, "pack": 1.3e-10, "bytes_cached": 2e-11, "bytes": 6.6667e-11,
        },
        "cython.gemm.packed@portable": {
            "call": 1e-06, "call_in_place": 3e-07, "product": 8e-08, "tile": 2e-08, "multiply": 2.1008e-11,
            "multiply_in_place": 1.9328e-11, "pack": 1.3e-10, "bytes_cached": 2e-11, "bytes": 6.6667e-11,
        },
        "cython.gemm.tiles@avx512": {
            "call": 2e-06, "step": 7e-09, "tile": 1.2e-07, "pack": 6e-11, "bytes_cached": 1.3333e-11,
            "bytes": 6.6667e-11,
        },
        "cython.gemm.thin@avx2": {
            "call": 1.7e-06, "product": 1.6e-07, "last_panel": 6e-08, "pack": 5e-11, "bytes_sides": 5e-11,
            "multiply_packed": 9.9206e-12, "multiply": 1.7857e-11, "bytes_cached": 1.3333e-11,
            "bytes_packed": 3.0303e-11, "bytes": 3.9216e-11,
        },
        "cython.gemm.thin@avx512": {
            "call": 1.7e-06, "product": 1.6e-07, "last_panel": 6e-08, "pack": 5e-11, "bytes_sides": 5e-11,
            "multiply_packed": 9.1575e-12, "multiply": 1.1905e-11, "bytes_cached": 1.3333e-11,
            "bytes_packed": 3.0303e-11, "bytes": 3.9216e-11,
        },
        "cython.gemm.thin@portable": {
            "call": 1.7e-06, "product": 1.6e-07, "last_panel": 6e-08, "pack": 5e-11, "bytes_sides": 5e-11,
            "multiply_packed": 2.2321e-11, "multiply": 3.5714e-11, "bytes_cached": 1.6667e-11,
            "bytes_packed": 3.7879e-11, "bytes": 4.902e-11,
        },
        "cython.loss@avx2": {
            "call": 1e-06, "vector": 4e-09, "row": 1e-08, "sample": 4e-09, "bytes": 6.6667e-11,
        },
        "cython.loss@avx512": {
            "call": 1e-06, "vector": 5e-09, "row": 1e-08, "sample": 4e-09, "bytes": 6.6667e-11,
        },
        "cython.loss@portable": {
            "call": 1e-06, "vector": 7e-09, "row": 1e-08, "sample": 4e-09, "bytes": 6.6667e-11,
        },
        "cython.pad": {
            "call": 2e-06, "row": 3e-09, "border": 1e-09, "bytes_cached": 1.3333e-11, "bytes": 4e-11,
        },
        "cython.pool.adaptive@avx2": {
            "call": 2e-06, "row": 2e-08, "window": 6e-09, "vector": 8e-10, "bytes": 6.6667e-11,
        },
        "cython.pool.adaptive@avx512": {
            "call": 2e-06, "row": 2e-08, "window": 6e-09, "vector": 8e-10, "bytes": 6.6667e-11,
        },
        "cython.pool.adaptive@portable": {
            "call": 2e-06, "row": 2e-08, "window": 6e-09, "vector": 8e-10, "bytes": 6.6667e-11,
        },
        "cython.pool.channels@avx2": {
            "call": 2e-06, "load": 6e-10, "store": 1e-09, "window": 4e-09, "bytes": 6.6667e-11,
        },
        "cython.pool.channels@avx512": {
            "call": 2e-06, "load": 6e-10, "store": 1e-09, "window": 4e-09, "bytes": 6.6667e-11,
        },
        "cython.pool.channels@portable": {
            "call": 2e-06, "load": 6e-10, "store": 1e-09, "window": 4e-09, "bytes": 6.6667e-11,
        },
        "cython.pool.flat@avx512": {
            "call": 2e-06, "load": 5e-10, "tap": 6.5e-10, "divide": 8e-10, "plane": 1e-08, "bytes": 6.6667e-11,
        },
        "cython.pool.global@avx2": {
            "call": 2e-06, "plane": 3e-09, "vector": 2e-10, "bytes_cached": 1.3333e-11, "bytes": 6.6667e-11,
        },
        "cython.pool.global@avx512": {
            "call": 2e-06, "plane": 3e-09, "vector": 2e-10, "bytes_cached": 1.3333e-11, "bytes": 6.6667e-11,
        },
        "cython.pool.global@portable": {
            "call": 2e-06, "plane": 3e-09, "vector": 2e-10, "bytes_cached": 1.3333e-11, "bytes": 6.6667e-11,
        },
        "cython.pool.lanes@avx2": {
            "call": 2e-06, "enter": 1.2e-09, "leave": 1.5e-09, "load": 4e-10, "window": 4e-09, "item": 2e-07,
            "bytes": 6.6667e-11,
        },
        "cython.pool.lanes@avx512": {
            "call": 2e-06, "enter": 1.2e-09, "leave": 1.5e-09, "load": 5e-10, "window": 4e-09, "item": 1e-07,
            "bytes": 6.6667e-11,
        },
        "cython.pool.lanes@portable": {
            "call": 2e-06, "enter": 1e-09, "leave": 1.2e-09, "load": 4e-10, "window": 4e-09, "item": 2e-07,
            "bytes": 6.6667e-11,
        },
        "cython.pool.pairs@avx512": {
            "call": 4e-06, "vector": 9.6e-09, "bytes": 6.6667e-11,
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
            "call": 6e-06, "vector": 1.3333e-09, "vector_indexed": 2.6667e-09, "vector_whole": 7.5e-10,
            "vector_whole_indexed": 2e-09, "index": 1e-09, "row": 4e-08, "piece": 1.5e-08, "bytes": 6.6667e-11,
        },
        "cython.pool.separable@avx512": {
            "call": 6e-06, "vector": 1.3333e-09, "vector_indexed": 2.6667e-09, "vector_whole": 7.5e-10,
            "vector_whole_indexed": 2e-09, "index": 1e-09, "row": 4e-08, "piece": 1.5e-08, "bytes": 6.6667e-11,
        },
        "cython.pool.separable@portable": {
            "call": 6e-06, "vector": 1.3333e-09, "vector_indexed": 2.6667e-09, "vector_whole": 7.5e-10,
            "vector_whole_indexed": 2e-09, "index": 1e-09, "row": 4e-08, "piece": 1.5e-08, "bytes": 6.6667e-11,
        },
        "cython.pool.shifts@avx2": {
            "call": 2e-06, "load": 4.5e-10, "tap": 8e-10, "row": 4e-09, "plane": 5e-09, "bytes": 6.6667e-11,
        },
        "cython.pool.shifts@avx512": {
            "call": 2e-06, "load": 4.5e-10, "tap": 8e-10, "row": 4e-09, "plane": 5e-09, "bytes": 6.6667e-11,
        },
        "cython.pool.shifts@portable": {
            "call": 2e-06, "load": 4.5e-10, "tap": 8e-10, "row": 4e-09, "plane": 5e-09, "bytes": 6.6667e-11,
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
        "cython.separable@avx2": {
            "call": 3e-06, "multiply": 3e-10, "element": 2e-10, "item": 3e-07, "bytes": 6.6667e-11,
        },
        "cython.separable@avx512": {
            "call": 3e-06, "multiply": 3e-10, "element": 1.5e-10, "item": 3e-07, "bytes": 6.6667e-11,
        },
        "cython.separable@portable": {
            "call": 3e-06, "multiply": 5e-10, "element": 4e-10, "item": 3e-07, "bytes": 6.6667e-11,
        },
        "cython.softmax@avx2": {
            "call": 1e-06, "vector": 4e-09, "row": 1e-08, "bytes": 6.6667e-11,
        },
        "cython.softmax@avx512": {
            "call": 1e-06, "vector": 5e-09, "row": 1e-08, "bytes": 6.6667e-11,
        },
        "cython.softmax@portable": {
            "call": 1e-06, "vector": 7e-09, "row": 1e-08, "bytes": 6.6667e-11,
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
            "call": 8e-06, "convert": 4e-10, "pack": 1.3e-10, "multiply_bfloat16": 8.5e-12, "multiply_int16": 4e-12,
        },
        "cython.widened_products@avx512": {
            "call": 8e-06, "convert": 4e-10, "pack": 1.3e-10, "multiply_bfloat16": 0.0, "multiply_int16": 0.0,
        },
        "cython.widened_products@portable": {
            "call": 8e-06, "convert": 4e-10, "pack": 1.3e-10, "multiply_bfloat16": 1.7e-11, "multiply_int16": 8e-11,
        },
        "cython.unpool": {
            "call": 2e-06, "element": 1e-09, "bytes": 6.6667e-11,
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
            "call": 1.5e-05, "multiply": 2.937e-11, "multiply_channels": 4.6992e-11, "copy": 3e-10, "scatter": 1e-09,
            "bytes": 6.6667e-11, "pack_call": 1.2e-05,
        },
        "numba.conv.depthwise@avx512": {
            "call": 1.5e-05, "multiply": 2.3496e-11, "multiply_channels": 3.7594e-11, "copy": 3e-10, "scatter": 1e-09,
            "bytes": 6.6667e-11, "pack_call": 1.2e-05,
        },
        "numba.conv.depthwise@portable": {
            "call": 1.5e-05, "multiply": 5.8741e-11, "multiply_channels": 9.3985e-11, "copy": 3e-10, "scatter": 1e-09,
            "bytes": 6.6667e-11, "pack_call": 1.2e-05,
        },
        "numba.conv.direct@avx2": {
            "call": 1.5e-05, "multiply": 1.1748e-11, "copy": 4e-10, "gather": 1e-09, "bytes": 6.6667e-11,
            "pack_call": 2e-05, "pack": 1.5e-09,
        },
        "numba.conv.direct@avx512": {
            "call": 1.5e-05, "multiply": 9.3985e-12, "copy": 4e-10, "gather": 1e-09, "bytes": 6.6667e-11,
            "pack_call": 2e-05, "pack": 1.5e-09,
        },
        "numba.conv.direct@portable": {
            "call": 1.5e-05, "multiply": 2.3496e-11, "copy": 4e-10, "gather": 1e-09, "bytes": 6.6667e-11,
            "pack_call": 2e-05, "pack": 1.5e-09,
        },
        "numba.conv.pointwise@avx2": {
            "call": 1.5e-05, "multiply": 1.1748e-11, "bytes": 6.6667e-11, "pack_call": 1e-05, "pack": 1.5e-09,
        },
        "numba.conv.pointwise@avx512": {
            "call": 1.5e-05, "multiply": 9.3985e-12, "bytes": 6.6667e-11, "pack_call": 1e-05, "pack": 1.5e-09,
        },
        "numba.conv.pointwise@portable": {
            "call": 1.5e-05, "multiply": 2.3496e-11, "bytes": 6.6667e-11, "pack_call": 1e-05, "pack": 1.5e-09,
        },
        "numba.conv_weight.direct@avx2": {
            "call": 3.5e-05, "multiply": 1.1748e-11, "copy": 5e-10, "pack": 4e-10, "join": 5e-10,
        },
        "numba.conv_weight.direct@avx512": {
            "call": 3.5e-05, "multiply": 9.3985e-12, "copy": 5e-10, "pack": 4e-10, "join": 5e-10,
        },
        "numba.conv_weight.direct@portable": {
            "call": 3.5e-05, "multiply": 2.3496e-11, "copy": 5e-10, "pack": 4e-10, "join": 5e-10,
        },
        "numba.empty": {
            "call": 4e-06, "bytes": 6.6667e-11,
        },
        "numba.gemm@avx2": {
            "call": 1.5e-05, "multiply": 1.1748e-11, "bytes_packed": 1.6667e-10, "bytes": 6.6667e-11,
            "pack_row": 3e-08,
        },
        "numba.gemm@avx512": {
            "call": 1.5e-05, "multiply": 9.3985e-12, "bytes_packed": 1.6667e-10, "bytes": 6.6667e-11,
            "pack_row": 3e-08,
        },
        "numba.gemm@portable": {
            "call": 1.5e-05, "multiply": 2.3496e-11, "bytes_packed": 1.6667e-10, "bytes": 6.6667e-11,
            "pack_row": 3e-08,
        },
        "numba.pool@avx2": {
            "call": 1.5e-05, "tap": 3.5e-10, "copy": 3e-10, "scatter": 1e-09, "bytes": 6.6667e-11,
        },
        "numba.pool@avx512": {
            "call": 1.5e-05, "tap": 3.5e-10, "copy": 3e-10, "scatter": 1e-09, "bytes": 6.6667e-11,
        },
        "numba.pool@portable": {
            "call": 1.5e-05, "tap": 3.5e-10, "copy": 3e-10, "scatter": 1e-09, "bytes": 6.6667e-11,
        },
        "numpy.conv.col2im": {
            "call": 4e-06, "product": 1.7857e-11, "integer": 4e-10, "element": 1e-09, "bytes": 6.6667e-11,
        },
        "numpy.conv.depthwise": {
            "call": 4e-06, "element": 5e-10,
        },
        "numpy.conv.im2col": {
            "call": 4e-06, "multiply": 1.1905e-11, "integer": 1e-09, "convert": 2e-09, "bytes_copied": 2.6667e-10,
            "bytes": 6.6667e-11, "row": 2e-08,
        },
        "numpy.conv.pointwise": {
            "call": 4e-06, "multiply": 1.1905e-11, "integer": 1e-09, "convert": 2e-09, "bytes": 6.6667e-11,
        },
        "numpy.conv.scatter": {
            "call": 4e-06, "multiply": 1.1905e-11, "element": 1e-09, "bytes": 6.6667e-11,
        },
        "numpy.conv_weight.depthwise": {
            "call": 4e-06, "element": 1.6667e-10,
        },
        "numpy.conv_weight.im2col": {
            "call": 4e-06, "multiply": 1.1905e-11, "bytes_copied": 2.6667e-10, "bytes": 6.6667e-11,
        },
        "numpy.correlation": {
            "call": 1e-06, "element": 4e-10, "bytes": 6.6667e-11,
        },
        "numpy.elementwise": {
            "call": 2e-05, "element": 4e-09,
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
            "call": 4e-06, "converted_call": 8e-06, "multiply": 1.1905e-11, "integer": 1e-09, "convert": 2e-09,
            "bytes": 6.6667e-11,
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
            "call": 2e-06, "bytes": 6.6667e-11,
        },
        "numpy.pad_backward": {
            "call": 2e-06, "bytes": 6.6667e-11,
        },
        "numpy.pool.direct": {
            "call": 2e-06, "element": 5e-10,
        },
        "numpy.pool.separable": {
            "call": 2e-06, "element": 3e-10, "power": 4e-09,
        },
        "numpy.pool.tiles": {
            "call": 2e-06, "reduce": 3.5e-10, "run": 2.4e-08,
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
            "call": 2e-05, "element": 8e-09,
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
            "block": 3e-06, "weight": 3e-09, "bytes": 6.6667e-11,
        },
        "phases@avx2": {
            "block": 3e-06, "weight": 3e-09, "bytes": 1.1e-10,
        },
        "phases@avx512": {
            "block": 3e-06, "weight": 3e-09, "bytes": 1.1e-10,
        },
        "phases@portable": {
            "block": 3e-06, "weight": 3e-09, "bytes": 1.1e-10,
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
