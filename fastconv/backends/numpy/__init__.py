"""Kernels on NumPy alone: bands of im2col and BLAS, strided views.  They accept every dtype."""
