"""Two-layer network: softmax regression on h features that the network finds by itself.

zh: 两层神经网络：在网络自行学得的 h 个特征上作 Softmax 回归。
"""

import symgrad as sg

n, d, h, k = sg.dims("n d h k")
X = sg.data("X", n, d, about=sg.Text(en="one example per row", zh="每行一个样本"))
T = sg.data("T", n, k, one_hot=True, about=sg.Text(en="the true class of each example", zh="每个样本的真实类别"))
W1 = sg.parameter("W1", d, h, about=sg.Text(en="the weights of the hidden layer", zh="隐藏层的权重"))
b1 = sg.parameter("b1", h, about=sg.Text(en="its biases", zh="隐藏层的偏置"))
W2 = sg.parameter("W2", h, k, about=sg.Text(en="the weights of the output layer", zh="输出层的权重"))
b2 = sg.parameter("b2", k, about=sg.Text(en="its biases", zh="输出层的偏置"))
lam = sg.hyperparameter("lam", 0.001, about=sg.Text(en="the price of large weights", zh="惩罚系数"))

Z = X @ W1 + b1
H = sg.relu(Z)
S = sg.softmax(H @ W2 + b2)
model = S
loss = -sg.mean(sg.sum(T * sg.log(S), axis=1)) + lam / 2 * (sg.sum(W1**2) + sg.sum(W2**2))
