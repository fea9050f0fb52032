"""Inverse sandwich: an inverse between two vectors."""

import symgrad as sg

n = sg.dims("n")
a = sg.data("a", n, about="the vector on the left")
b = sg.data("b", n, about="the vector on the right")
X = sg.parameter("X", n, n, about="an invertible matrix")

loss = a @ sg.inv(X) @ b
