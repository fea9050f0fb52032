"""Linear autoencoder with tied weights: which k directions keep most of the data?"""

import symgrad as sg

n, d, k = sg.dims("n d k")
X = sg.data("X", n, d)
W = sg.parameter("W", d, k)
E = X @ W @ W.T - X
loss = sg.sum(E**2) / (2 * n)
