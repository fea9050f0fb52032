"""Gaussian process: how long, how high and how noisy are the waves that the targets come from?

The loss is the negative logarithm of the likelihood, without its constant.

zh: 高斯过程：目标值所来自的随机函数，其长度尺度、幅度与噪声各有多大？

损失为负对数似然，略去常数项。
"""

import symgrad as sg

n = sg.dims("n")
D = sg.data("D", n, n, symmetric=True, nonnegative=True, about=sg.Text(en="squared distances", zh="输入之间距离的平方"))
y = sg.data("y", n, about=sg.Text(en="the targets", zh="目标值"))
l = sg.parameter("l", about=sg.Text(en="the log of the length scale", zh="长度尺度的对数"))
s = sg.parameter("s", about=sg.Text(en="the log of the standard deviation", zh="标准差的对数"))
q = sg.parameter("q", about=sg.Text(en="the log of the standard deviation of the noise", zh="噪声标准差的对数"))

E = sg.exp(2 * s) * sg.exp(-D / (2 * sg.exp(2 * l)))
K = E + sg.exp(2 * q) * sg.eye(n)
alpha = sg.inv(K) @ y
loss = y @ alpha / 2 + sg.logdet(K) / 2
