"""Mixture of Gaussians with unit variance: k centres, their shares by a softmax."""

import symgrad as sg

n, d, k = sg.dims("n d k")
X = sg.data("X", n, d)
M = sg.parameter("M", k, d)
a = sg.parameter("a", k)
D = sg.sum(X**2, axis=1)[:, None] - 2 * X @ M.T + sg.sum(M**2, axis=1)
loss = -sg.mean(sg.logsumexp(sg.log_softmax(a) - D / 2, axis=1))
