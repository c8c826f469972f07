"""Numbers that Python, Cython and C share.

setup.py makes macros and enumerations of C from them, see simd/interface.py: POOL_OPS = ("max", ...) is the enumeration
POOL_MAX, ..., POOL_OPS, whose last member is their number.
"""

FC_LINE = 64  # bytes of a line of the caches
FC_MAX_MR = 14  # rows of a register tile, of all instruction sets
FC_MAX_POINTS = 10  # of Winograd's transforms
FC_MODES = ("zeros", "replicate", "circular", "reflect", "symmetric")  # of padding
DEPTHWISE_MASKED_TAPS = 64  # per row that can be masked at the image's edges; more need a band
WINOGRAD1D_M = 4  # output rows of a tile
SKINNY_ROWS = 32  # of an item; for more, packing is faster
SKINNY_DEPTH = 2048  # products that are added to the sums before the next ones
SKINNY_PITCH = SKINNY_DEPTH + 16  # from row to row of a copy of x: whole cache lines, mapped to different sets
DOTS_COLUMNS = 32  # whose dot products with some rows are finished together
POOL_OPS = ("max", "max_abs", "max_neg_abs", "sum", "sum_square")  # how the elements of a window are combined
POOL_FINISHES = ("as_is", "divide", "divide_root", "negate")  # what is applied to a combined window
POOL_SHIFTS_ROWS = 32  # of a small window
POOL_SHIFTS_COLUMNS = 5
POOL_STRIDED_BLOCKS = 8  # of windows, whose columns are in scratch at a time
POOL_CHANNELS_TAPS = 64
POOL_ADAPTIVE_WINDOWS = 256  # whose sums are divided at once: of a block, at most
POWER_FACTORS = 64  # largest exponent that is computed by products
SOFT_VECTORS = 4  # of adjacent vectors, at a time
LIMIT_TYPES = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
ACT_FUNCTIONS = (
    "relu", "clip", "leaky_relu", "hardswish", "hardsigmoid", "softsign", "sigmoid", "tanh", "silu", "elu", "celu",
    "gelu", "gelu_tanh", "logsigmoid", "softplus", "mish", "hardshrink", "softshrink", "tanhshrink", "threshold",
    "clamp",
)  # fmt: skip
FILTER_TYPES = (
    "bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64",
)  # fmt: skip
WINDOW_OPS = ("min", "max", "sum")  # how the elements of a window of a filter are joined
