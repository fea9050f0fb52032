"""Linear regression with an elastic net."""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d)
y = sg.data("y", n)
w = sg.parameter("w", d)
lam = sg.hyperparameter("lam", 0.1)
mu = sg.hyperparameter("mu", 0.2)

loss = sg.mse(X @ w, y) + sg.elastic_net(w, lam, mu)
