"""Third-order tensor: which weights T of all triples of features predict y?"""

import symgrad as sg

n, p, q, r = sg.dims("n p q r")
A = sg.data("A", n, p, about="the first features")
B = sg.data("B", n, q, about="the second features")
C = sg.data("C", n, r, about="the third features")
y = sg.data("y", n, about="the targets")
T = sg.parameter("T", p, q, r, about="one weight for each triple of features")

y_hat = sg.einsum("ijk,ni,nj,nk->n", T, A, B, C)
loss = sg.sum((y_hat - y) ** 2) / 2
