"""Compiled loops, one file per operation; importing any of them imports Numba.

A loop is made by a function of integers (tile shape, bits per element, bytes per vector) that
`base.compiled` calls once.  Everything else, shapes, strides and pads included, is a run-time argument, so a few
functions serve every problem.  All arguments are integers (sizes, addresses, strides in elements) or float64.
"""
