"""Trace with X twice, once transposed."""

import symgrad as sg

m, n, p = sg.dims("m n p")
A = sg.data("A", p, m, about="what stands before X")
B = sg.data("B", n, n, about="what stands between X and its transpose")
C = sg.data("C", m, p, about="what stands behind")
X = sg.parameter("X", m, n, about="the matrix that varies")

loss = sg.trace(A @ X @ B @ X.T @ C)
