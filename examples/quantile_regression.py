"""Quantile regression: the line below which a share τ of the values lies.

The residual of a value above the line counts τ, that of a value below it 1 − τ.

zh: 分位数回归：求一条直线，使数值落在其下方的比例为 τ。

数值在直线上方时，其残差的权重为 τ；在下方时，权重为 1 − τ。
"""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d, about=sg.Text(en="one example per row, one feature per column", zh="每行一个样本，每列一个特征"))
y = sg.data("y", n, about=sg.Text(en="the number measured for each example", zh="每个样本的观测值"))
w = sg.parameter("w", d, about=sg.Text(en="the slope along each feature", zh="沿各特征的斜率"))
b = sg.parameter("b", about=sg.Text(en="the value where every feature is 0", zh="各特征均为 0 时的值"))
tau = sg.hyperparameter("tau", 0.9, about=sg.Text(en="the share that is to lie below", zh="落在下方的比例"))

model = X @ w + b
r = y - model
loss = sg.mean(r * (tau - (r < 0)))
