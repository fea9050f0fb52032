"""Huber regression: squares for small residuals, absolute values for large ones."""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d, about="one example per row")
y = sg.data("y", n, about="the value measured for each example")
w = sg.parameter("w", d, about="the weights")
delta = sg.hyperparameter("delta", 0.5, about="where a residual becomes large")

model = X @ w
loss = sg.sum(sg.huber(model - y, delta))
