"""Ranking a list (Plackett-Luce): items come in order of their worth, each chosen from those that are left."""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d, about="the items, the best first")
w = sg.parameter("w", d)

s = X @ w
r = sg.cumsum(sg.exp(s), reverse=True)
loss = sg.mean(sg.log(r) - s)
