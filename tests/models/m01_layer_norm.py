"""Layer normalisation, then a linear head: the rows of H are centred and scaled."""

import symgrad as sg

n, d, k = sg.dims("n d k")
X = sg.data("X", n, d)
W = sg.parameter("W", d, k)
g = sg.parameter("g", k)
Y = sg.data("Y", n, k)
H = X @ W
mu = sg.mean(H, axis=1, keepdims=True)
v = sg.mean((H - mu) ** 2, axis=1, keepdims=True)
Z = (H - mu) / sg.sqrt(v + 1e-5)
loss = sg.sum((Z * g - Y) ** 2) / (2 * n)
