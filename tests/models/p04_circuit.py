"""Scalar circuit: a quotient in which numerator and denominator share both variables."""

import symgrad as sg

x = sg.parameter("x", about="the first input")
y = sg.parameter("y", about="the second input")

N = x + sg.sigmoid(y)
D = sg.sigmoid(x) + (x + y) ** 2
loss = N / D
