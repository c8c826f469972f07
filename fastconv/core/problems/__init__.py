"""What can be asked: one frozen description per family of operations, with all shape rules and error texts."""
