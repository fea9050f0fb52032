"""Logistic regression: how likely is it that an example belongs to the second of two classes?

zh: 逻辑回归：一个样本属于两类中的第二类的概率有多大？
"""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d, about=sg.Text(en="one example per row, one feature per column", zh="每行一个样本，每列一个特征"))
y = sg.data("y", n, binary=True, about=sg.Text(en="the class of each example", zh="每个样本的类别"))
w = sg.parameter("w", d, about=sg.Text(en="how much each feature speaks for class 1", zh="各特征支持第 1 类的程度"))
b = sg.parameter(
    "b", about=sg.Text(en="the log-odds of class 1 where every feature is 0", zh="各特征均为 0 时第 1 类的对数几率")
)

z = X @ w + b
p = sg.sigmoid(z)
model = p
loss = -sg.mean(y * sg.log(p) + (1 - y) * sg.log(1 - p))
