"""Attention: every word looks at all words, and takes most from those whose keys fit its query.

zh: 注意力机制：每个词关注所有的词，键与其查询越匹配，取自该词的信息越多。
"""

import symgrad as sg

n, d, k = sg.dims("n d k")
X = sg.data("X", n, d, about=sg.Text(en="one word per row", zh="每行一个词"))
T = sg.data("T", n, k, about=sg.Text(en="the target of each word", zh="每个词的目标值"))
A = sg.parameter("A", d, k, about=sg.Text(en="makes queries of words", zh="由词得到查询的权重"))
B = sg.parameter("B", d, k, about=sg.Text(en="makes keys of words", zh="由词得到键的权重"))
C = sg.parameter("C", d, k, about=sg.Text(en="makes values of words", zh="由词得到值的权重"))

Q = X @ A
K = X @ B
V = X @ C
S = Q @ K.T / sg.sqrt(k)
P = sg.softmax(S)
O = P @ V
model = O
loss = sg.sum((O - T) ** 2) / 2
