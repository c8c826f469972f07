"""Padding, unfold and fold, and their gradients."""
