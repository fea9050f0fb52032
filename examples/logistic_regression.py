"""Logistic regression: how likely is it that an example belongs to the second of two classes?"""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d, about="one example per row, one feature per column")
y = sg.data("y", n, binary=True, about="the class of each example")
w = sg.parameter("w", d, about="how much each feature speaks for class 1")
b = sg.parameter("b", about="the log-odds of class 1 where every feature is 0")

z = X @ w + b
p = sg.sigmoid(z)
model = p
loss = -sg.mean(y * sg.log(p) + (1 - y) * sg.log(1 - p))
