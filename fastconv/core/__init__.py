"""Floor 1, which all others use: problems, the kernel contract, the machine, errors."""
