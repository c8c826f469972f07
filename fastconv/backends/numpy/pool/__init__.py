"""Poolings, unpooling, and their gradients."""
