"""The lecture's network, learning on real images with the library's operations: `fastconv demo --train`.

It is no framework: a network is a `Config` and a dict of arrays, and every step calls `fastconv` and `fastconv.grad`.
The package shows what the kernels are for, and that they work over thousands of steps.
"""
