"""Elastic net: absolute values make weights 0, squares keep the others small.

zh: 弹性网络：绝对值惩罚使部分权重为 0，平方惩罚使其余权重保持较小。
"""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d, about=sg.Text(en="one example per row, one feature per column", zh="每行一个样本，每列一个特征"))
y = sg.data("y", n, about=sg.Text(en="the number to be predicted for each example", zh="每个样本待预测的数值"))
w = sg.parameter("w", d, about=sg.Text(en="how much each feature counts", zh="各特征的权重"))
lam = sg.hyperparameter("lam", 0.1, about=sg.Text(en="the price of absolute values", zh="绝对值惩罚的系数"))
mu = sg.hyperparameter("mu", 0.1, about=sg.Text(en="the price of squares", zh="平方惩罚的系数"))

model = X @ w
r = model - y
loss = sg.sum(r**2) / (2 * n) + lam * sg.sum(sg.abs(w)) + mu / 2 * sg.sum(w**2)
