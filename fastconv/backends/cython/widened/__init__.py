"""Narrow types on kernels of wider ones, a piece at a time."""
