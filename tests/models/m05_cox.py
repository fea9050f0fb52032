"""Cox regression: who of those at risk has the event?"""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d)
R = sg.data("R", n, n, binary=True, about="1 where j is at risk at the time of i")
c = sg.data("c", n, binary=True, about="1 where the event was seen")
w = sg.parameter("w", d)
eta = X @ w
loss = -sg.sum(c * (eta - sg.log(R @ sg.exp(eta))))
