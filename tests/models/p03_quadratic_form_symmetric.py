"""Quadratic form of a symmetric matrix: the two uses of x contribute the same."""

import symgrad as sg

n = sg.dims("n")
A = sg.data("A", n, n, symmetric=True, about="a symmetric matrix")
x = sg.parameter("x", n, about="the vector that varies")

loss = x @ A @ x
