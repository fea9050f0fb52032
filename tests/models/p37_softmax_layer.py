"""Softmax layer: what arrives at the weights, from the gradient G at the output?"""

import symgrad as sg

n, d, k = sg.dims("n d k")
X = sg.data("X", n, d, about="one example per row")
G = sg.data("G", n, k, about="the upstream gradient")
W = sg.parameter("W", k, d, about="the weights, one class per row")
b = sg.parameter("b", k, about="the biases")

Y = sg.softmax(X @ W.T + b)
loss = sg.sum(G * Y)
