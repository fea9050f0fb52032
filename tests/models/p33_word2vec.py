"""word2vec with the naive softmax: which word stands near the word v?"""

import symgrad as sg

w, d = sg.dims("w d")
o = sg.data("o", w, one_hot=True, about="the word that was seen")
U = sg.parameter("U", w, d, about="the outer vectors, one word per row")
v = sg.parameter("v", d, about="the vector of the word in the centre")

loss = -(o @ U @ v) + sg.log(sg.sum(sg.exp(U @ v)))
