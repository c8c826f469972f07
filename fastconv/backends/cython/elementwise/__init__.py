"""Activations, softmax, losses, and their gradients."""
