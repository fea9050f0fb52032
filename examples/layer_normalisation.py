"""Layer normalisation: every row, not every column, is centred and scaled.

zh: 层归一化：对每一行（而不是每一列）作中心化和缩放。
"""

import symgrad as sg

n, d, k = sg.dims("n d k")
X = sg.data("X", n, d, about=sg.Text(en="one example per row", zh="每行一个样本"))
T = sg.data("T", n, k, about=sg.Text(en="the target of each example", zh="每个样本的目标值"))
W = sg.parameter("W", d, k, about=sg.Text(en="the weights of the layer", zh="该层的权重"))
g = sg.parameter("g", k, about=sg.Text(en="the scale of each column", zh="各列的缩放"))
eps = sg.hyperparameter("eps", 1e-5, about=sg.Text(en="keeps the root away from 0", zh="避免根号下为 0 的小常数"))

H = X @ W
mu = sg.mean(H, axis=1)
E = H - mu[:, None]
v = sg.mean(E**2, axis=1)
Z = E / sg.sqrt(v + eps)[:, None]
Y = Z * g
model = Y
loss = sg.sum((Y - T) ** 2) / (2 * n)
