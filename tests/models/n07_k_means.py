"""k-means: each point counts by its distance to the nearest centre."""

import symgrad as sg

n, k, d = sg.dims("n k d")
X = sg.data("X", n, d)
C = sg.parameter("C", k, d, about="centres")

D = sg.squared_distances(X, C)
loss = sg.mean(sg.min(D, axis=1))
