"""Variational autoencoder with a linear decoder, its noise given."""

import symgrad as sg

n, d, k = sg.dims("n d k")
X = sg.data("X", n, d)
E = sg.data("E", n, k)
A = sg.parameter("A", d, k)
B = sg.parameter("B", d, k)
C = sg.parameter("C", k, d)
mu = X @ A
s = X @ B
Zl = mu + sg.exp(s / 2) * E
loss = sg.sum((Zl @ C - X) ** 2) / (2 * n) + sg.sum(mu**2 + sg.exp(s) - s - 1) / (2 * n)
