"""Attention: what arrives at queries, keys and values, from the gradient G at the output?"""

import symgrad as sg

n, m, d, v = sg.dims("n m d v")
Q = sg.parameter("Q", n, d, about="the queries")
K = sg.parameter("K", m, d, about="the keys")
V = sg.parameter("V", m, v, about="the values")
G = sg.data("G", n, v, about="the upstream gradient")

P = sg.softmax(Q @ K.T / sg.sqrt(d))
O = P @ V
loss = sg.sum(G * O)
