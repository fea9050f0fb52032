"""Gaussian process: the marginal likelihood of a squared-exponential kernel."""

import symgrad as sg

n = sg.dims("n")
D = sg.data("D", n, n, symmetric=True, about="the squared distances of the inputs")
y = sg.data("y", n, about="the targets")
l = sg.parameter("l", about="the logarithm of the length scale")
s = sg.parameter("s", about="the logarithm of the signal's standard deviation")
q = sg.parameter("q", about="the logarithm of the noise's")

E = sg.exp(2 * s) * sg.exp(-D / (2 * sg.exp(2 * l)))
K = E + sg.exp(2 * q) * sg.eye(n)
alpha = sg.inv(K) @ y
loss = y @ alpha / 2 + sg.logdet(K) / 2
