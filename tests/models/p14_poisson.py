"""Poisson regression: counts whose logarithm is expected to be linear."""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d, about="one example per row")
y = sg.data("y", n, nonnegative=True, about="the count of each example")
w = sg.parameter("w", d, about="the weights")

eta = X @ w
model = sg.exp(eta)
loss = sg.sum(sg.exp(eta) - y * eta)
