"""Variational autoencoder: a code of few numbers for every example, with noise, from which the example is rebuilt.

The loss is the bound on the negative log-likelihood: the error of the reconstruction, and how far the codes are from
standard normal. The noise is given, so that the gradient passes through the codes.

zh: 变分自编码器：为每个样本求一个低维编码，加入噪声后由编码重建样本。

损失是负对数似然的上界：重建误差，加上编码分布与标准正态分布的差异。噪声事先给定，梯度因而可以通过编码传回。
"""

import symgrad as sg

n, d, k = sg.dims("n d k")
X = sg.data("X", n, d, about=sg.Text(en="one example per row", zh="每行一个样本"))
N = sg.data("N", n, k, about=sg.Text(en="standard normal noise", zh="标准正态噪声"))
A = sg.parameter("A", d, k, about=sg.Text(en="makes the means of the codes", zh="由样本得到编码均值的权重"))
B = sg.parameter(
    "B", d, k, about=sg.Text(en="makes the logarithms of their variances", zh="由样本得到编码方差的对数的权重")
)
C = sg.parameter("C", k, d, about=sg.Text(en="rebuilds examples from codes", zh="由编码重建样本的权重"))

M = X @ A
S = X @ B
Z = M + sg.exp(S / 2) * N
E = Z @ C - X
loss = sg.sum(E**2) / (2 * n) + sg.sum(M**2 + sg.exp(S) - S - 1) / (2 * n)
