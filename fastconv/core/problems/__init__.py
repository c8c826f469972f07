"""Descriptions of operations: one frozen class per family, with all shape rules and error messages."""
