"""Poisson regression: counts whose expected value grows by a factor with each feature.

zh: 泊松回归：计数的期望随各特征按倍数变化。
"""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d, about=sg.Text(en="one example per row, one feature per column", zh="每行一个样本，每列一个特征"))
y = sg.data("y", n, nonnegative=True, about=sg.Text(en="the count of each example", zh="每个样本的计数"))
w = sg.parameter("w", d, about=sg.Text(en="how much each feature counts", zh="各特征的权重"))
b = sg.parameter(
    "b", about=sg.Text(en="the log of the count where every feature is 0", zh="各特征均为 0 时期望计数的对数")
)

eta = X @ w + b
mu = sg.exp(eta)
model = mu
loss = sg.mean(mu - y * eta)
