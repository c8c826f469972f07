"""Gradients of the weights of convolutions."""
