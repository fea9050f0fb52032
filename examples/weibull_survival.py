"""Weibull survival: how long does it last, when some are still running at the end of the study?

Those who are still running (δ = 0) are known to last longer than t: only the second term of the loss holds them.

zh: Weibull 生存模型：研究结束时仍有个体存活，如何估计寿命？

对研究结束时仍存活的个体（δ = 0），只知道其寿命超过 t，因而它们只出现在损失的第二项中。
"""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d, about=sg.Text(en="one example per row, one feature per column", zh="每行一个样本，每列一个特征"))
t = sg.data(
    "t",
    n,
    positive=True,
    about=sg.Text(en="time until the event, or until the study ended", zh="到事件发生或研究结束为止的时间"),
)
delta = sg.data("delta", n, binary=True, about=sg.Text(en="1 where the event was seen", zh="观察到事件则为 1"))
w = sg.parameter("w", d, about=sg.Text(en="how much each feature makes it last", zh="各特征对寿命的影响"))
a = sg.parameter("a", about=sg.Text(en="the log of the shape", zh="形状参数的对数"))

z = sg.exp(a) * (sg.log(t) - X @ w)
loss = -sg.mean(delta * (a - sg.log(t) + z)) + sg.mean(sg.exp(z))
