"""General least squares: the unknown matrix stands between two known ones."""

import symgrad as sg

m, n, p, q = sg.dims("m n p q")
A = sg.data("A", m, n, about="what stands on the left")
B = sg.data("B", p, q, about="what stands on the right")
C = sg.data("C", m, q, about="the offset")
X = sg.parameter("X", n, p, about="the unknown matrix")

loss = sg.sum((A @ X @ B + C) ** 2)
