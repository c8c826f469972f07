"""Floor 3: selection of kernels: the registry, the choice, plans, options."""
