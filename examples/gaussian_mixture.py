"""Gaussian mixture: k round clouds of points; where are their centres, and how large is the share of each?

softmax(S) are the responsibilities: how likely each point comes from each cloud. Where the gradients are 0 stand the
updates of the EM algorithm.

zh: 高斯混合模型：数据由 k 个球形点群组成，各自的中心在哪里，所占比例有多大？

softmax(S) 是响应度，即每个点来自每个点群的概率。令梯度为 0，便得到 EM 算法的更新公式。
"""

import symgrad as sg

n, d, k = sg.dims("n d k")
X = sg.data("X", n, d, about=sg.Text(en="one point per row", zh="每行一个点"))
M = sg.parameter("M", k, d, about=sg.Text(en="the centres, one per row", zh="各中心，每行一个"))
a = sg.parameter("a", k, about=sg.Text(en="the shares, before a softmax", zh="各点群所占的比例（取 softmax 之前）"))

D = sg.sum(X**2, axis=1)[:, None] - 2 * X @ M.T + sg.sum(M**2, axis=1)
S = sg.log_softmax(a) - D / 2
loss = -sg.mean(sg.logsumexp(S, axis=1))
