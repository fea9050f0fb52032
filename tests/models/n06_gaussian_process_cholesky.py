"""A Gaussian process's likelihood by the Cholesky factor of its kernel, as it is computed."""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d)
y = sg.data("y", n)
s = sg.parameter("s", about="logarithm of the length scale")
r = sg.parameter("r", about="logarithm of the noise")

K = sg.exp(-sg.squared_distances(X, X) / (2 * sg.exp(2 * s))) + sg.exp(2 * r) * sg.eye(n)
L = sg.cholesky(K)
a = sg.solve_triangular(L, y)
loss = sg.sum(a**2) / 2 + sg.sum(sg.log(sg.diagonal(L)))
