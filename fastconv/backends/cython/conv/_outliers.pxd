# cython: language_level=3
"""Find tiles that an algorithm that mixes their values must not transform, so that no rounding error spreads.

Rounding errors of a transform are relative to the largest value of a tile.  If one value exceeds 2^8 times the root mean
square of the others, such as a fill value of -9999 in an image, its errors exceed what the others contribute.  Squares are
summed, in parts, during the input transform: with an outlier, the part that contains it exceeds the sum of all other parts,
and only then are the values tested.  Tiles whose sums are infinite, NaN, or so small that products might underflow are tested, too.
"""

cdef inline double most_squares(Py_ssize_t itemsize) noexcept nogil:
    # Of a tile whose transforms cannot overflow.
    return 1.2676506002282294e30 if itemsize == 4 else 6.668014432879854e240


cdef inline double least_squares(Py_ssize_t itemsize) noexcept nogil:
    # Of a tile whose products cannot underflow.
    return 7.52316384526264e-37 if itemsize == 4 else 1.499696813895631e-241


cdef inline bint stands_out(double square, double others, double count) noexcept nogil:
    # Whether a value with this square is an outlier among `count` others, whose squares have this sum.
    return square * count > 65536.0 * others


cdef struct Values:
    # The largest square of a tile and how many values have it: padding may repeat a pixel.  The sum of the others' squares.
    double largest, others
    Py_ssize_t count


cdef inline void count_value(Values *v, double value) noexcept nogil:
    cdef double square = value * value
    if square > v.largest:
        v.others += v.largest * v.count
        v.largest, v.count = square, 1
    elif square == v.largest:
        v.count += 1
    else:
        v.others += square
