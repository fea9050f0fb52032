"""Batch normalisation: every column is centred and scaled, then scaled and shifted as the net likes.

What arrives at the input of the layer, from the gradient G that arrives at its output? The inputs are taken as
parameters, and the loss is the one whose gradient by the output is G.

zh: 批归一化：把每一列中心化并缩放，再由网络自行确定缩放与平移。

设传到该层输出处的上游梯度为 G，传回其输入处的梯度是什么？这里把输入当作参数，并取关于输出的梯度恰为 G 的损失。
"""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.parameter(
    "X", n, d, about=sg.Text(en="the inputs of the layer, one example per row", zh="该层的输入，每行一个样本")
)
gamma = sg.parameter("gamma", d, about=sg.Text(en="the scale of each column", zh="各列的缩放"))
beta = sg.parameter("beta", d, about=sg.Text(en="the shift of each column", zh="各列的平移"))
G = sg.data("G", n, d, about=sg.Text(en="the upstream gradient", zh="上游梯度"))
eps = sg.hyperparameter("eps", 1e-5, about=sg.Text(en="keeps the root away from 0", zh="避免根号下为 0 的小常数"))

mu = sg.mean(X, axis=0)
v = sg.mean((X - mu) ** 2, axis=0)
Z = (X - mu) / sg.sqrt(v + eps)
Y = gamma * Z + beta
loss = sg.sum(G * Y)
