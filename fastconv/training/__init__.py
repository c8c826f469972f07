"""The lecture's network, learning on real images with the library's operations: `fastconv demo --train`.

Not a framework: a network is a `Config` and a dict of arrays, and every step is a call of `fastconv` or
`fastconv.grad`.  The package shows what the kernels are for, and that they hold together over thousands of steps.
"""
