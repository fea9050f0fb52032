"""Softmax regression: which of k classes does each row of X belong to?

zh: Softmax 回归：X 的每一行属于 k 个类别中的哪一个？
"""

import symgrad as sg

n, d, k = sg.dims("n d k")
X = sg.data("X", n, d, about=sg.Text(en="one example per row", zh="每行一个样本"))
Y = sg.data("Y", n, k, one_hot=True, about=sg.Text(en="the true class of each example", zh="每个样本的真实类别"))
W = sg.parameter("W", d, k, about=sg.Text(en="what each feature says for each class", zh="各特征对各类别的权重"))
b = sg.parameter("b", k, about=sg.Text(en="the bias of each class", zh="各类别的偏置"))

Z = X @ W + b
P = sg.softmax(Z)
model = P
loss = -sg.mean(sg.sum(Y * sg.log(P), axis=1))
