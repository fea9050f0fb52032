"""Cox regression: of all who are still at risk, who has the event?

zh: Cox 回归：在仍处于风险中的个体里，事件发生在谁身上？
"""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d, about=sg.Text(en="one person per row, one feature per column", zh="每行一个个体，每列一个特征"))
R = sg.data(
    "R",
    n,
    n,
    binary=True,
    about=sg.Text(en="1 where j is at risk when i has the event", zh="个体 i 发生事件时 j 仍处于风险中则为 1"),
)
delta = sg.data("delta", n, binary=True, about=sg.Text(en="1 where the event was seen", zh="观察到事件则为 1"))
w = sg.parameter("w", d, about=sg.Text(en="how much each feature adds to the risk", zh="各特征对风险的影响"))

eta = X @ w
h = sg.exp(eta)
s = R @ h
loss = -sg.sum(delta * (eta - sg.log(s)))
