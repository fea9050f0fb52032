"""The frameworks that are measured beside symgrad: what each makes of a model, or None where it cannot or is not installed.

The models are written once, over the names that NumPy, JAX, PyTorch and autograd share or that a small shim supplies.
"""

PEERS = {}
