"""What all families need: compiled modules, tables of micro-kernels, items of work on threads, 16-bit floats."""
