"""The oracle: every operation as its definition says, in float64 or exact integers.

It checks the other backends and comes last in every tuple of the registry.  Clarity comes before
speed: nothing is blocked, nothing packed.
"""
