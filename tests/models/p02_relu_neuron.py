"""One ReLU neuron: least squares through a rectifier."""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d, about="one example per row")
y = sg.data("y", n, about="the target of each example")
w = sg.parameter("w", d, about="the weights of the neuron")
b = sg.parameter("b", about="its bias")

z = X @ w + b
model = sg.maximum(0, z)
loss = sg.mean((y - model) ** 2)
