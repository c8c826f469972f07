# cython: language_level=3
"""Which tiles an algorithm that mixes their values must leave alone, so that nothing spreads from one to another.

Rounding errors of a transform are relative to the largest value of a tile.  One that exceeds 2^8 times the root mean square
of the others, a fill value of -9999 in an image, would drown what they contribute.  Squares are summed, in parts, while
tiles are brought in: with an outlier, the part that holds it exceeds all other parts together, and only then is there a
closer look.  Sums of squares that are infinite, NaN, or so small that products might underflow, say no less.
"""

cdef inline double most_squares(Py_ssize_t itemsize) noexcept nogil:
    # Of a tile whose transforms cannot overflow.
    return 1.2676506002282294e30 if itemsize == 4 else 6.668014432879854e240


cdef inline double least_squares(Py_ssize_t itemsize) noexcept nogil:
    # Of a tile whose products cannot underflow.
    return 7.52316384526264e-37 if itemsize == 4 else 1.499696813895631e-241


cdef inline bint stands_out(double square, double others, double count) noexcept nogil:
    # Whether a value with this square is an outlier beside `count` others, whose squares add up to so much.
    return square * count > 65536.0 * others


cdef struct Values:
    # The largest square of a tile and how many values have it: padding may repeat a pixel.  The sum of the others' squares.
    double largest, others
    Py_ssize_t count


cdef inline void meet_value(Values *v, double value) noexcept nogil:
    cdef double square = value * value
    if square > v.largest:
        v.others += v.largest * v.count
        v.largest, v.count = square, 1
    elif square == v.largest:
        v.count += 1
    else:
        v.others += square
