"""A bag of words: the vectors of a text's words are added up and classified."""

import symgrad as sg

n, t, v, d = sg.dims("n t v d")
words = sg.labels("words", n, t, v, about="the words of each text, by number")
y = sg.data("y", n, binary=True, about="whether a text is of the class")
E = sg.parameter("E", v, d, about="a vector for each word")
w = sg.parameter("w", d)

H = sg.sum(E[words], axis=1)
z = H @ w
loss = sg.binary_cross_entropy_with_logits(z, y)
