"""One-dimensional convolution: what arrives at kernel, bias and signal, from the gradient G at the output?"""

import symgrad as sg

n, c, o, t, s = sg.dims("n c o t s")
X = sg.parameter("X", n, c, t, about="the signals, c channels each")
W = sg.parameter("W", o, c, s, about="the kernel of each output channel")
b = sg.parameter("b", o, about="the biases")
G = sg.data("G", n, o, t - s + 1, about="the upstream gradient")

Y = sg.einsum("ocs,ncts->not", W, sg.unfold(X, s)) + b[:, None]
loss = sg.sum(G * Y)
