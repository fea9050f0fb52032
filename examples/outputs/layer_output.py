"""One layer: a row of outputs for each example, through tanh."""

import symgrad as sg

n, d, k = sg.dims("n d k")
X = sg.data("X", n, d, about="one example per row")
W = sg.parameter("W", d, k)
b = sg.parameter("b", k)

Z = X @ W + b
H = sg.tanh(Z)
output = H

example = {"X": [[1.0, 2.0]], "W": [[0.5, -1.0], [0.25, 0.5]], "b": [0.0, 0.1]}
