"""Cross-entropy in the logits, for targets of any weight."""

import symgrad as sg

k = sg.dims("k")
t = sg.data("t", k, about="the weight of each class")
z = sg.parameter("z", k, about="the logits")

loss = -sg.sum(t * sg.log_softmax(z))
