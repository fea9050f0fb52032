"""Quadratic form: x stands on both sides of the matrix, and both uses count."""

import symgrad as sg

n = sg.dims("n")
A = sg.data("A", n, n, about="any square matrix")
x = sg.parameter("x", n, about="the vector that varies")

loss = x @ A @ x
