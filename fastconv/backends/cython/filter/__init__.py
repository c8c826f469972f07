"""Filters of arrays, as those of scipy.ndimage."""
