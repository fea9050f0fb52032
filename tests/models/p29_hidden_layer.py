"""One hidden layer, one example: backpropagation at its shortest."""

import symgrad as sg

d, m, k = sg.dims("d m k")
x = sg.data("x", d, about="the example")
y = sg.data("y", k, about="its target")
W1 = sg.parameter("W1", m, d, about="the weights of the hidden layer")
W2 = sg.parameter("W2", k, m, about="the weights of the output layer")
lam = sg.hyperparameter("lam", 0.1, about="the price of large weights")

z = W1 @ x
h = sg.tanh(z)
o = W2 @ h
model = o
loss = sg.sum((o - y) ** 2) / 2 + lam / 2 * (sg.sum(W1**2) + sg.sum(W2**2))
