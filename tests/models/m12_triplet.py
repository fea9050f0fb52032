"""Triplet loss on linear embeddings: the positive is nearer than the negative."""

import symgrad as sg

n, d, k = sg.dims("n d k")
A = sg.data("A", n, d)
P = sg.data("P", n, d)
N = sg.data("N", n, d)
W = sg.parameter("W", d, k)
m = sg.hyperparameter("m", 1)
p = sg.sum(((A - P) @ W) ** 2, axis=1)
q = sg.sum(((A - N) @ W) ** 2, axis=1)
loss = sg.mean(sg.relu(p - q + m))
