"""The kernels: one folder per backend, none importing another."""
