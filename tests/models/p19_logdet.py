"""Log-determinant: the logarithm of a volume."""

import symgrad as sg

n = sg.dims("n")
X = sg.parameter("X", n, n, about="a matrix with positive determinant")

loss = sg.logdet(X)
