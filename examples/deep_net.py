"""Deep network: the same step back through every one of its layers.

zh: 深层神经网络：反向传播在每一层重复同样的一步。
"""

import symgrad as sg

L = 5
n, d, k = sg.dims("n d k")
X = sg.data("X", n, d, about=sg.Text(en="one example per row", zh="每行一个样本"))
Y = sg.data("Y", n, k, about=sg.Text(en="the target of each example", zh="每个样本的目标值"))

H = X
width = d
for layer in range(1, L):
    m = sg.dims(f"m{layer}")
    weights = sg.Text(en=f"the weights of layer {layer}", zh=f"第 {layer} 层的权重")
    biases = sg.Text(en=f"the biases of layer {layer}", zh=f"第 {layer} 层的偏置")
    W = sg.parameter(f"W{layer}", width, m, about=weights)
    b = sg.parameter(f"b{layer}", m, about=biases)
    H = sg.tanh(H @ W + b)
    width = m
V = sg.parameter("V", width, k, about=sg.Text(en="the weights of the output", zh="输出层的权重"))
c = sg.parameter("c", k, about=sg.Text(en="the biases of the output", zh="输出层的偏置"))

O = H @ V + c
model = O
loss = sg.sum((O - Y) ** 2) / (2 * n)
