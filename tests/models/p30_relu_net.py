"""Two-layer ReLU network: softmax regression on features that the network finds by itself."""

import symgrad as sg

n, d, m, k = sg.dims("n d m k")
X = sg.data("X", n, d, about="one example per row")
T = sg.data("T", n, k, one_hot=True, about="the true class of each example")
W1 = sg.parameter("W1", d, m, about="the weights of the hidden layer")
b1 = sg.parameter("b1", m, about="its biases")
W2 = sg.parameter("W2", m, k, about="the weights of the output layer")
b2 = sg.parameter("b2", k, about="its biases")
lam = sg.hyperparameter("lam", 0.01, about="the price of large weights")

Z = X @ W1 + b1
H = sg.relu(Z)
S = sg.softmax(H @ W2 + b2)
model = S
loss = -sg.sum(T * sg.log(S)) / n + lam / 2 * (sg.sum(W1**2) + sg.sum(W2**2))
