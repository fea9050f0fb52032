"""An energy-based model, by the contrast of data with noise: log-odds of one energy for real and made-up rows."""

import symgrad as sg

n, m, d, h = sg.dims("n m d h")
X = sg.data("X", n, d, about="real rows")
S = sg.data("S", m, d, about="made-up rows")
W, v = sg.parameter("W", d, h), sg.parameter("v", h)
c = sg.parameter("c")

E1 = sg.softplus(X @ W) @ v + c
E2 = sg.softplus(S @ W) @ v + c
loss = sg.mean(sg.softplus(E1)) + sg.mean(sg.softplus(-E2))
