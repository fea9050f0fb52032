"""Tanh network with L layers: the same step back through every one of them."""

import symgrad as sg

L = 3
n, d, k = sg.dims("n d k")
X = sg.data("X", n, d, about="one example per row")
Y = sg.data("Y", n, k, about="the target of each example")

H = X
width = d
for layer in range(1, L):
    m = sg.dims(f"m{layer}")
    W = sg.parameter(f"W{layer}", width, m, about=f"the weights of layer {layer}")
    b = sg.parameter(f"b{layer}", m, about=f"the biases of layer {layer}")
    H = sg.tanh(H @ W + b)
    width = m
O = H @ sg.parameter(f"W{L}", width, k) + sg.parameter(f"b{L}", k)
model = O
loss = sg.sum((O - Y) ** 2) / (2 * n)
