"""Floor 3: which kernel does it: the registry, the choice, plans, options."""
