"""Poolings and their gradients."""
