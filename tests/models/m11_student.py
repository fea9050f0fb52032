"""Robust regression: errors of a Student t distribution."""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d)
y = sg.data("y", n)
w = sg.parameter("w", d)
nu = sg.hyperparameter("nu", 3)
loss = (nu + 1) / 2 * sg.sum(sg.log(1 + (X @ w - y) ** 2 / nu))
