"""A vector of squares: as many outputs as inputs, and therefore no single gradient."""

import symgrad as sg

n = sg.dims("n")
x = sg.parameter("x", n, about="in PyTorch: requires_grad=True")

y = x**2
output = y

example = {"x": [1.0, 2.0, 3.0]}  # the numbers of the page; without them it takes small ones of its own
gradient = [0.1, 1.0, 0.0001]  # the v of a call y.backward(gradient=v)
