"""The kernels: one folder per backend; no backend imports another."""
