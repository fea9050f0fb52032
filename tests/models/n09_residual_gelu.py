"""A residual block: layer normalisation, a wider layer with GELU, and the way around it."""

import symgrad as sg

n, d, h, k = sg.dims("n d h k")
X = sg.data("X", n, d)
c = sg.labels("c", n, k)
gamma, beta = sg.parameter("gamma", d), sg.parameter("beta", d)
W1, b1 = sg.parameter("W1", d, h), sg.parameter("b1", h)
W2, b2 = sg.parameter("W2", h, d), sg.parameter("b2", d)
V = sg.parameter("V", d, k)

N = sg.layer_norm(X, gamma, beta)
H = sg.dense(N, W1, b1, sg.gelu)
Y = X + sg.dense(H, W2, b2)
loss = sg.cross_entropy(Y @ V, c)
