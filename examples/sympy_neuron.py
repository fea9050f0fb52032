"""A neuron in SymPy: the model is written in SymPy's symbols, for one example and single numbers.

zh: 用 SymPy 写的神经元：模型用 SymPy 的符号写成，只含一个样本和若干标量。
"""

import sympy

x1, x2, y, w1, w2, b = sympy.symbols("x1 x2 y w1 w2 b", real=True)
parameters = [w1, w2, b]

z = w1 * x1 + w2 * x2 + b
p = 1 / (1 + sympy.exp(-z))
loss = -y * sympy.log(p) - (1 - y) * sympy.log(1 - p)
