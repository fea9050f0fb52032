"""A small convolutional net for images of digits."""

import symgrad as sg

n = sg.dims("n")
X = sg.data("X", n, 1, 28, 28, about="images")
c = sg.labels("c", n, 10, about="the digit on each image")
F = sg.parameter("F", 4, 1, 5, 5, about="kernels")
f = sg.parameter("f", 4)
W = sg.parameter("W", 784, 10)
b = sg.parameter("b", 10)

A = sg.relu(sg.conv2d(X, F, f, padding=2))
M = sg.max_pool2d(A, 2)
U = sg.reshape(M, n, 784)
Z = U @ W + b
loss = sg.cross_entropy(Z, c)
