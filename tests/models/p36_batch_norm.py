"""Batch normalisation: what arrives at the input of the layer, from the gradient G at its output?"""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.parameter("X", n, d, about="one example per row")
gamma = sg.parameter("gamma", d, about="the scale of each column")
beta = sg.parameter("beta", d, about="its shift")
G = sg.data("G", n, d, about="the upstream gradient")
eps = sg.hyperparameter("eps", 1e-5, about="keeps the root away from 0")

mu = sg.mean(X, axis=0)
v = sg.mean((X - mu) ** 2, axis=0)
Z = (X - mu) / sg.sqrt(v + eps)
Y = gamma * Z + beta
loss = sg.sum(G * Y)
