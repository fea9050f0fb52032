"""Logistic regression with labels ±1: a margin y·(x·w) is wanted to be large."""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d, about="one example per row")
y = sg.data("y", n, sign=True, about="the class of each example, +1 or -1")
w = sg.parameter("w", d, about="the weights")
c = sg.hyperparameter("c", 1, about="how much the examples count against the decay")

loss = w @ w / 2 + c * sg.sum(sg.log(1 + sg.exp(-y * (X @ w))))
