"""Regression on a graph: neighbours should be alike."""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d)
y = sg.data("y", n)
A = sg.data("A", n, n, symmetric=True)
w = sg.parameter("w", d)
lam = sg.hyperparameter("lam", 0.1)
f = X @ w
loss = sg.sum((f - y) ** 2) / (2 * n) + lam / 2 * (f @ A @ f)
