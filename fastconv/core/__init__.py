"""Floor 1: what everyone stands on: problems, the kernel contract, the machine, errors."""
