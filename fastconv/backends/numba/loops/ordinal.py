"""Ranks of the elements of large windows: the time of a result grows with the rows of a window, not with its area.

The elements of a block are sorted, and each is replaced by its place in that order (Weiss, "Fast median and bilateral
filtering", SIGGRAPH 2006, calls it the ordinal transform).  A window is then a set of places, one bit each.  Where it
moves on by one result, the places that enter and those that leave are flipped, and counts of groups of bits say where
the bit of the wanted rank is.
"""

from __future__ import annotations

from fastconv.backends.numba.loops.build import INT, VERSION, callback
from fastconv.backends.numba.loops.network import select
from fastconv.backends.numba.tile import cells, count_bits, get, lowest_bit, order_key, put, ttable

WORDS = 8  # of 64 bits, in a group
I4, I8 = 6, 8  # numbers of the types of 32- and 64-bit integers


def make(BYTES, CELL):
    """Elements of number CELL, of BYTES bytes."""
    EDITION = VERSION

    @callback(*[INT] * 5)
    def combine(band, made, spare, n, table):
        # table: taps, rank, elements of a block and of its rows, numbers of an element, entering and leaving taps, then
        # their offsets: of all, of those that enter, of those that leave.
        EDITION  # noqa: B018  (in the closure, so that cached code of another edition is not used)
        d = ttable(table)
        taps, rank, elements, pitch, inner, edges = d[0], d[1], d[2], d[3], d[4], d[5]
        entering, leaving = 6 + taps, 6 + taps + edges
        x, y = cells(band, CELL, 1), cells(made, CELL, 1)
        places = cells(spare, I4, 1)
        sorted_, other = spare + 4 * elements, spare + 8 * elements
        words = (elements + 64 * WORDS - 1) // (64 * WORDS) * WORDS
        bits = cells(spare + 16 * elements, I8, 1)
        groups = cells(spare + 16 * elements + 8 * words, I8, 1)
        counts = cells(spare + 16 * elements + 8 * words + 8 * (words // WORDS + 1), I8, 1)

        # Sort by one byte of the elements after the other, from the lowest on.
        order = cells(sorted_, I4, 1)
        for i in range(elements):
            put(order, i, i)
        for byte in range(BYTES):
            for c in range(256):
                put(counts, c, 0)
            for i in range(elements):
                c = (order_key(x, i) >> 8 * byte) & 255
                put(counts, c, get(counts, c) + 1)
            if get(counts, (order_key(x, 0) >> 8 * byte) & 255) == elements:
                continue
            at = 0
            for c in range(256):
                count = get(counts, c)
                put(counts, c, at)
                at += count
            order, target = cells(sorted_, I4, 1), cells(other, I4, 1)
            for i in range(elements):
                e = get(order, i)
                c = (order_key(x, e) >> 8 * byte) & 255
                at = get(counts, c)
                put(target, at, e)
                put(counts, c, at + 1)
            sorted_, other = other, sorted_
        order = cells(sorted_, I4, 1)
        for i in range(elements):
            e = get(order, i)
            v = get(x, e)
            put(places, e, i if v == v else ~i)

        rows = (n + pitch - 1) // pitch
        for row in range(rows):
            for channel in range(inner):
                for word in range(words):
                    put(bits, word, 0)
                for group in range(words // WORDS + 1):
                    put(groups, group, 0)
                first = row * pitch + channel
                here, below, nans = 0, 0, 0
                for t in range(taps):
                    e = get(places, first + d[6 + t])
                    if e < 0:
                        nans += 1
                        e = ~e
                    put(bits, e >> 6, get(bits, e >> 6) ^ (1 << (e & 63)))
                    put(groups, e // (64 * WORDS), get(groups, e // (64 * WORDS)) + 1)
                for i in range(first, row * pitch + n - (rows - 1) * pitch, inner):
                    if i > first:
                        for t in range(edges):
                            e = get(places, i + d[entering + t])
                            if e < 0:
                                nans += 1
                                e = ~e
                            put(bits, e >> 6, get(bits, e >> 6) ^ (1 << (e & 63)))
                            group = e // (64 * WORDS)
                            put(groups, group, get(groups, group) + 1)
                            below += group < here
                            e = get(places, i - inner + d[leaving + t])
                            if e < 0:
                                nans -= 1
                                e = ~e
                            put(bits, e >> 6, get(bits, e >> 6) ^ (1 << (e & 63)))
                            group = e // (64 * WORDS)
                            put(groups, group, get(groups, group) - 1)
                            below -= group < here
                    if nans:  # as in SciPy, which depends on the order of elements
                        values = cells(spare + 12 * elements, CELL, 1)
                        for t in range(taps):
                            put(values, t, get(x, i + d[6 + t]))
                        put(y, i, select(values, taps - 1, rank))
                        continue
                    while below > rank:
                        here -= 1
                        below -= get(groups, here)
                    while below + get(groups, here) <= rank:
                        below += get(groups, here)
                        here += 1
                    rest, word = rank - below, here * WORDS
                    count = count_bits(get(bits, word))
                    while count <= rest:
                        rest -= count
                        word += 1
                        count = count_bits(get(bits, word))
                    found = get(bits, word)
                    for _ in range(rest):
                        found &= found - 1
                    put(y, i, get(x, get(order, word * 64 + lowest_bit(found))))

    return combine
