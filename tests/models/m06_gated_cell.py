"""A gated cell over three steps."""

import symgrad as sg

d, h = sg.dims("d h")
xs = [sg.data(f"x{t}", d) for t in (1, 2, 3)]
W = sg.parameter("W", h, d)
U = sg.parameter("U", h, h)
Wz = sg.parameter("Wz", h, d)
y = sg.data("y", h)
s = sg.data("s0", h)
for x in xs:
    z = sg.sigmoid(Wz @ x)
    c = sg.tanh(W @ x + U @ s)
    s = (1 - z) * s + z * c
loss = sg.sum((s - y) ** 2) / 2
