"""Contrastive learning: each row of U is to find its partner among the rows of V.

zh: 对比学习：U 的每一行应在 V 的各行中找到与自己配对的一行。
"""

import symgrad as sg

n, d = sg.dims("n d")
U = sg.parameter("U", n, d, about=sg.Text(en="the codes of n images", zh="n 幅图像的编码"))
V = sg.parameter("V", n, d, about=sg.Text(en="the codes of their captions", zh="相应的 n 条说明文字的编码"))
tau = sg.hyperparameter("tau", 0.5, about=sg.Text(en="the temperature", zh="温度"))

S = U @ V.T / tau
P = sg.softmax(S)
loss = -sg.trace(sg.log(P)) / n
