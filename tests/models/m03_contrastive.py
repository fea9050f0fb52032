"""Contrastive loss: each row of U belongs to the same row of V, by cosine similarity."""

import symgrad as sg

n, d = sg.dims("n d")
U = sg.parameter("U", n, d)
V = sg.parameter("V", n, d)
tau = sg.hyperparameter("tau", 0.1)
A = U / sg.norm(U, axis=1, keepdims=True)
B = V / sg.norm(V, axis=1, keepdims=True)
S = A @ B.T / tau
loss = -sg.mean(sg.diagonal(S)) + sg.mean(sg.logsumexp(S, axis=1))
