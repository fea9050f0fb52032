"""Softmax regression: which of k classes does each row of X belong to?"""

import symgrad as sg

n, d, k = sg.dims("n d k")
X = sg.data("X", n, d, about="one example per row")
Y = sg.data("Y", n, k, one_hot=True, about="the true class of each example")
W = sg.parameter("W", d, k)
b = sg.parameter("b", k)

Z = X @ W + b
P = sg.softmax(Z)
model = P
loss = -sg.mean(sg.sum(Y * sg.log(P), axis=1))
