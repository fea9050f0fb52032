"""Two-layer network: softmax regression on h features that the network finds by itself."""

import symgrad as sg

n, d, h, k = sg.dims("n d h k")
X = sg.data("X", n, d, about="one example per row")
T = sg.data("T", n, k, one_hot=True, about="the true class of each example")
W1 = sg.parameter("W1", d, h, about="the weights of the hidden layer")
b1 = sg.parameter("b1", h, about="its biases")
W2 = sg.parameter("W2", h, k, about="the weights of the output layer")
b2 = sg.parameter("b2", k, about="its biases")
lam = sg.hyperparameter("lam", 0.001, about="the price of large weights")

Z = X @ W1 + b1
H = sg.relu(Z)
S = sg.softmax(H @ W2 + b2)
model = S
loss = -sg.mean(sg.sum(T * sg.log(S), axis=1)) + lam / 2 * (sg.sum(W1**2) + sg.sum(W2**2))
