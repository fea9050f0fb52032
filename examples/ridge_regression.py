"""Ridge regression: least squares, with a price on large weights.

zh: 岭回归：在最小二乘的基础上，对较大的权重加以惩罚。
"""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d, about=sg.Text(en="one example per row, one feature per column", zh="每行一个样本，每列一个特征"))
y = sg.data("y", n, about=sg.Text(en="the number to be predicted for each example", zh="每个样本待预测的数值"))
w = sg.parameter("w", d, about=sg.Text(en="how much each feature counts", zh="各特征的权重"))
b = sg.parameter("b", about=sg.Text(en="the number where every feature is 0; it has no price", zh="偏置，不受惩罚"))
lam = sg.hyperparameter("lam", 1, about=sg.Text(en="the price of large weights", zh="惩罚系数"))

model = X @ w + b
r = model - y
loss = sg.sum(r**2) + lam * sg.sum(w**2)
