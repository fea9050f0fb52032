"""Logistic regression: how likely is class 1, and how surprising is what was seen?"""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d, about="one example per row")
y = sg.data("y", n, binary=True, about="the class of each example, 0 or 1")
w = sg.parameter("w", d, about="the weights")
b = sg.parameter("b", about="the bias")

p = sg.sigmoid(X @ w + b)
model = p
loss = -sg.mean(y * sg.log(p) + (1 - y) * sg.log(1 - p))
