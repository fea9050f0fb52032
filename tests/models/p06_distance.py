"""Distance: how far a point is from a place."""

import symgrad as sg

d = sg.dims("d")
a = sg.data("a", d, about="the place")
x = sg.parameter("x", d, about="the point")

loss = sg.norm(x - a)
