"""Masked matrix factorisation: which low-rank table fits the entries that were observed?"""

import symgrad as sg

m, n, k = sg.dims("m n k")
X = sg.data("X", m, n, about="the table")
O = sg.data("O", m, n, binary=True, about="1 where an entry was observed")
U = sg.parameter("U", m, k, about="the factors of the rows")
V = sg.parameter("V", n, k, about="the factors of the columns")

loss = sg.sum((O * (X - U @ V.T)) ** 2)
