"""Convolutional network: small kernels slide over an image; how strongly each answers, in all, tells the class.

zh: 卷积神经网络：小的卷积核在图像上滑动，由各卷积核响应的总强度判断类别。
"""

import symgrad as sg

n, k = sg.dims("n k")
X = sg.data("X", n, 1, 8, 8, about=sg.Text(en="grey images of 8 × 8 pixels", zh="8 × 8 像素的灰度图像"))
T = sg.data("T", n, k, one_hot=True, about=sg.Text(en="the true class of each image", zh="每幅图像的真实类别"))
K = sg.parameter("K", 4, 1, 3, 3, about=sg.Text(en="four kernels of 3 × 3 pixels", zh="四个 3 × 3 的卷积核"))
b = sg.parameter("b", 4, about=sg.Text(en="their biases", zh="各卷积核的偏置"))
W = sg.parameter("W", 4, k, about=sg.Text(en="what each kernel says for each class", zh="各卷积核对各类别的权重"))

Z = sg.conv2d(X, K, b)
A = sg.relu(Z)
U = sg.sum(A, axis=(2, 3))
S = U @ W
P = sg.softmax(S)
model = P
loss = -sg.mean(sg.sum(T * sg.log(P), axis=1))
