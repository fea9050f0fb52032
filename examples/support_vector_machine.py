"""Support vector machine: every example on its side of the plane, and at a distance from it.

zh: 支持向量机：使每个样本位于超平面的正确一侧，并与之保持距离。
"""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d, about=sg.Text(en="one example per row, one feature per column", zh="每行一个样本，每列一个特征"))
y = sg.data("y", n, sign=True, about=sg.Text(en="the class of each example", zh="每个样本的类别"))
w = sg.parameter("w", d, about=sg.Text(en="the normal of the plane", zh="超平面的法向量"))
b = sg.parameter("b", about=sg.Text(en="the offset of the plane", zh="超平面的偏置"))
C = sg.hyperparameter(
    "C", 1, about=sg.Text(en="the price of examples that are too near", zh="对间隔不足的样本的惩罚系数")
)

m = y * (X @ w + b)
loss = sg.sum(w**2) / 2 + C * sg.sum(sg.maximum(0, 1 - m))
