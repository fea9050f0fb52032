"""Two heads of causal attention, with a residual connection and layer normalisation."""

import symgrad as sg

t, d, k = sg.dims("t d k")
X = sg.data("X", t, d, about="the words of a text")
T = sg.data("T", t, d)
Q1, K1, V1 = sg.parameter("Q1", d, k), sg.parameter("K1", d, k), sg.parameter("V1", d, k)
Q2, K2, V2 = sg.parameter("Q2", d, k), sg.parameter("K2", d, k), sg.parameter("V2", d, k)
O = sg.parameter("O", 2 * k, d)
gamma, beta = sg.parameter("gamma", d), sg.parameter("beta", d)

A = sg.multi_head_attention(X, [Q1, Q2], [K1, K2], [V1, V2], O, causal=True)
Y = sg.layer_norm(X + A, gamma, beta)
loss = sg.mse(Y, T)
