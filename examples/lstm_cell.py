"""LSTM cell: gates decide what a cell keeps, what it takes in and what it shows.

zh: LSTM 单元：由各个门决定记忆单元保留什么、写入什么、输出什么。
"""

import symgrad as sg

n, d, h = sg.dims("n d h")
X = sg.data("X", n, d, about=sg.Text(en="the inputs of this step", zh="当前时刻的输入"))
H0 = sg.data("H0", n, h, about=sg.Text(en="the state before", zh="前一时刻的状态"))
C0 = sg.data("C0", n, h, about=sg.Text(en="the cell before", zh="前一时刻的记忆单元"))
T = sg.data("T", n, h, about=sg.Text(en="what the state should be", zh="状态的目标值"))
W = sg.parameter(
    "W", d + h, 4 * h, about=sg.Text(en="the weights of all gates, side by side", zh="各门的权重，并列存放")
)
b = sg.parameter("b", 4 * h, about=sg.Text(en="their biases", zh="各门的偏置"))

U = sg.concatenate([X, H0], axis=1)
Z = U @ W + b
I = sg.sigmoid(Z[:, :h])
F = sg.sigmoid(Z[:, h : 2 * h])
O = sg.sigmoid(Z[:, 2 * h : 3 * h])
G = sg.tanh(Z[:, 3 * h :])
C = F * C0 + I * G
H = O * sg.tanh(C)
model = H
loss = sg.sum((H - T) ** 2) / (2 * n)
