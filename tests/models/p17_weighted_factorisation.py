"""Weighted matrix factorisation: which low-rank table fits a table with weights?"""

import symgrad as sg

m, n, k = sg.dims("m n k")
X = sg.data("X", m, n, about="the table")
O = sg.data("O", m, n, about="the weight of each entry")
U = sg.parameter("U", m, k, about="the factors of the rows")
V = sg.parameter("V", n, k, about="the factors of the columns")

loss = sg.sum((O * (X - U @ V.T)) ** 2)
