"""Ridge regression: least squares, with a price on large weights."""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d, about="one example per row")
y = sg.data("y", n, about="the value measured for each example")
w = sg.parameter("w", d, about="the weights")
lam = sg.hyperparameter("lam", 0.1, about="the price of large weights")

loss = sg.norm(X @ w - y) ** 2 + lam * sg.norm(w) ** 2
