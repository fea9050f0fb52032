"""Weibull survival times, some of them censored."""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d)
t = sg.data("t", n, positive=True, about="time until the event, or until the study ended")
e = sg.data("e", n, binary=True, about="whether the event was seen")
w = sg.parameter("w", d)
a = sg.parameter("a", about="logarithm of the shape")

k = sg.exp(a)
u = X @ w
h = a + (k - 1) * sg.log(t) - k * u
loss = sg.mean((t / sg.exp(u)) ** k - e * h)
