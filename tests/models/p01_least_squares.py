"""Least squares with bias: the straight line, plane or hyperplane nearest to the points."""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d, about="one example per row")
y = sg.data("y", n, about="the value measured for each example")
w = sg.parameter("w", d, about="the slope along each feature")
b = sg.parameter("b", about="the value where every feature is 0")

model = X @ w + b
r = model - y
loss = sg.sum(r**2) / (2 * n)
