"""Softmax regression with labels as whole numbers."""

import symgrad as sg

n, d, k = sg.dims("n d k")
X = sg.data("X", n, d, about="one example per row")
c = sg.labels("c", n, k, about="the class of each example")
W = sg.parameter("W", d, k)
b = sg.parameter("b", k)

P = sg.softmax(X @ W + b)
model = P
loss = -sg.mean(sg.log(P[sg.arange(n), c]))
