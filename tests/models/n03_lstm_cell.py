"""One step of an LSTM: four gates from one product, cut apart."""

import symgrad as sg

n, d, h = sg.dims("n d h")
X = sg.data("X", n, d, about="the inputs of this step")
H0 = sg.data("H0", n, h, about="the state before")
C0 = sg.data("C0", n, h, about="the cell before")
T = sg.data("T", n, h, about="what the state should be")
W = sg.parameter("W", d + h, 4 * h)
b = sg.parameter("b", 4 * h)

U = sg.concatenate([X, H0], axis=1)
Z = U @ W + b
I = sg.sigmoid(Z[:, :h])
F = sg.sigmoid(Z[:, h : 2 * h])
O = sg.sigmoid(Z[:, 2 * h : 3 * h])
G = sg.tanh(Z[:, 3 * h :])
C = F * C0 + I * G
H = O * sg.tanh(C)
loss = sg.mse(H, T)
