"""Gaussian likelihood in the mean and a factor of the precision matrix."""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d)
mu = sg.parameter("mu", d)
P = sg.parameter("P", d, d)
C = X - mu
S = P.T @ P
loss = sg.sum((C @ S) * C) / (2 * n) - sg.logdet(S) / 2
