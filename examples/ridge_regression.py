"""Ridge regression: least squares, with a price on large weights."""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d, about="one example per row, one feature per column")
y = sg.data("y", n, about="the number to be predicted for each example")
w = sg.parameter("w", d, about="how much each feature counts")
b = sg.parameter("b", about="the number where every feature is 0; it has no price")
lam = sg.hyperparameter("lam", 1, about="the price of large weights")

model = X @ w + b
r = model - y
loss = sg.sum(r**2) + lam * sg.sum(w**2)
