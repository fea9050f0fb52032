"""Linear regression: a price as a weighted sum of what is known of a house."""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d, about="one house per row, one feature per column")
y = sg.data("y", n, about="the price of each house")
w = sg.parameter("w", d, about="how much each feature counts")
b = sg.parameter("b", about="the price where every feature is 0")

model = X @ w + b
r = model - y
loss = sg.sum(r**2) / (2 * n)
