"""Recurrent network: one layer, used again at every step of a sequence.

Its weights are shared over time, so that their gradients are sums over all steps.

zh: 循环神经网络：在序列的每个时刻重复使用同一层。

各时刻共用同一组权重，因此权重的梯度是对所有时刻求和。
"""

import symgrad as sg

steps = 5
n, d, h = sg.dims("n d h")
y = sg.data("y", n, about=sg.Text(en="the target of each sequence", zh="每个序列的目标值"))
W = sg.parameter("W", d, h, about=sg.Text(en="from the input to the state", zh="从输入到状态的权重"))
U = sg.parameter("U", h, h, about=sg.Text(en="from the state before to the state", zh="从前一状态到当前状态的权重"))
b = sg.parameter("b", h, about=sg.Text(en="the bias of the state", zh="状态的偏置"))
v = sg.parameter("v", h, about=sg.Text(en="from the last state to the output", zh="从最后的状态到输出的权重"))

H = sg.data("H0", n, h, about=sg.Text(en="the state at the beginning", zh="初始状态"))
for t in range(1, steps + 1):
    X = sg.data(f"X{t}", n, d, about=sg.Text(en=f"the inputs at time {t}", zh=f"时刻 {t} 的输入"))
    H = sg.tanh(X @ W + H @ U + b)

model = H @ v
r = model - y
loss = sg.sum(r**2) / (2 * n)
