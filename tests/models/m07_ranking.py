"""Pairwise ranking: the winner's score is higher."""

import symgrad as sg

n, d = sg.dims("n d")
A = sg.data("A", n, d, about="winners")
B = sg.data("B", n, d, about="losers")
w = sg.parameter("w", d)
loss = sg.mean(sg.softplus(-(A @ w - B @ w)))
