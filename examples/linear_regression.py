"""Linear regression: a price as a weighted sum of what is known of a house.

zh: 线性回归：把房价写成各项已知特征的加权和。
"""

import symgrad as sg

n, d = sg.dims("n d")
X = sg.data("X", n, d, about=sg.Text(en="one house per row, one feature per column", zh="每行一所房屋，每列一个特征"))
y = sg.data("y", n, about=sg.Text(en="the price of each house", zh="每所房屋的价格"))
w = sg.parameter("w", d, about=sg.Text(en="how much each feature counts", zh="各特征的权重"))
b = sg.parameter("b", about=sg.Text(en="the price where every feature is 0", zh="各特征均为 0 时的价格"))

model = X @ w + b
r = model - y
loss = sg.sum(r**2) / (2 * n)
