"""Logistic regression with labels ±1: the margin, label times score, is to be large.

zh: 标签为 ±1 的逻辑回归：希望间隔（标签与得分之积）尽量大。
"""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d, about=sg.Text(en="one example per row, one feature per column", zh="每行一个样本，每列一个特征"))
y = sg.data("y", n, sign=True, about=sg.Text(en="the class of each example", zh="每个样本的类别"))
w = sg.parameter("w", d, about=sg.Text(en="how much each feature speaks for class +1", zh="各特征支持 +1 类的程度"))
lam = sg.hyperparameter("lam", 0.1, about=sg.Text(en="the price of large weights", zh="惩罚系数"))

m = y * (X @ w)
loss = sg.mean(sg.log(1 + sg.exp(-m))) + lam / 2 * sg.sum(w**2)
