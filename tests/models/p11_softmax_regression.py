"""Softmax regression with weight decay: which of k classes does each row of X belong to?"""

import symgrad as sg

n, d, k = sg.dims("n d k")
X = sg.data("X", n, d, about="one example per row")
T = sg.data("T", n, k, one_hot=True, about="the true class of each example")
W = sg.parameter("W", d, k, about="what each feature says for each class")
b = sg.parameter("b", k, about="the bias of each class")
lam = sg.hyperparameter("lam", 0.01, about="the price of large weights")

S = sg.softmax(X @ W + b)
model = S
loss = -sg.sum(T * sg.log(S)) / n + lam / 2 * sg.sum(W**2)
