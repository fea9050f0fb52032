"""Cross-entropy in the logits, one class being the true one."""

import symgrad as sg

k = sg.dims("k")
t = sg.data("t", k, one_hot=True, about="1 at the true class")
z = sg.parameter("z", k, about="the logits")

loss = -sg.sum(t * sg.log_softmax(z))
