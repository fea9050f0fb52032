"""Huber regression: squares for small residuals, absolute values for large ones, so that outliers pull less.

zh: Huber 回归：残差小时取平方，残差大时取绝对值，从而减弱离群点的影响。
"""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d, about=sg.Text(en="one example per row, one feature per column", zh="每行一个样本，每列一个特征"))
y = sg.data("y", n, about=sg.Text(en="the number measured for each example", zh="每个样本的观测值"))
w = sg.parameter("w", d, about=sg.Text(en="how much each feature counts", zh="各特征的权重"))
delta = sg.hyperparameter(
    "delta", 1, about=sg.Text(en="from here on a residual is large", zh="残差的绝对值超过它即视为大")
)

model = X @ w
r = model - y
loss = sg.mean(sg.huber(r, delta))
