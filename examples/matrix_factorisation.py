"""Matrix factorisation: who likes what, from the ratings that are known.

zh: 矩阵分解：由已知的评分推断谁喜欢什么。
"""

import symgrad as sg

m, n, k = sg.dims("m n k")
R = sg.data(
    "R",
    m,
    n,
    about=sg.Text(en="the ratings, one user per row, one film per column", zh="评分，每行一个用户，每列一部电影"),
)
M = sg.data("M", m, n, binary=True, about=sg.Text(en="1 where a rating is known", zh="评分已知处为 1"))
U = sg.parameter("U", m, k, about=sg.Text(en="the tastes of the users", zh="用户的偏好"))
V = sg.parameter("V", n, k, about=sg.Text(en="the traits of the films", zh="电影的特征"))
lam = sg.hyperparameter("lam", 0.1, about=sg.Text(en="the price of large factors", zh="惩罚系数"))

E = M * (U @ V.T - R)
loss = sg.sum(E**2) / 2 + lam / 2 * (sg.sum(U**2) + sg.sum(V**2))
