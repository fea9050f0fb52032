"""Models of any depth, as the text of a model file."""

from __future__ import annotations


def tanh_net(count: int, *, has_one_width: bool = False) -> str:
    """Problem 31: H_l = tanh(H_{l-1} W_l + 1 b_lᵀ), O = H_{L-1} W_L + 1 b_Lᵀ, ‖O - Y‖² / 2n."""
    width = "width" if has_one_width else 'sg.dims(f"m{layer}")'
    return f'''"""A net of layers."""
import symgrad as sg
L = {count}
n, d, k = sg.dims("n d k")
X = sg.data("X", n, d)
Y = sg.data("Y", n, k)
H = X
width = d
for layer in range(1, L):
    m = {width}
    W = sg.parameter(f"W{{layer}}", width, m, about=f"the weights of layer {{layer}}")
    b = sg.parameter(f"b{{layer}}", m, about=f"the biases of layer {{layer}}")
    H = sg.tanh(H @ W + b)
    width = m
O = H @ sg.parameter(f"W{{L}}", width, k) + sg.parameter(f"b{{L}}", k)
loss = sg.sum((O - Y) ** 2) / (2 * n)
'''


def recurrent(count: int, *, is_every_step: bool = False) -> str:
    """s_t = tanh(s_{t-1} W + x_t U + 1 bᵀ), a loss on the last state, or one at every step."""
    head = f'''"""A recurrent net."""
import symgrad as sg
n, d, h, k = sg.dims("n d h k")
W = sg.parameter("W", h, h)
U = sg.parameter("U", d, h)
b = sg.parameter("b", h)
V = sg.parameter("V", h, k)
S = sg.data("S0", n, h, about="the first state")
loss = 0
for t in range(1, {count} + 1):
    X = sg.data(f"X{{t}}", n, d, about=f"the input at step {{t}}")
    S = sg.tanh(S @ W + X @ U + b)
'''
    if not is_every_step:
        return head + 'loss = sg.sum((S - sg.data("Y", n, h)) ** 2) / (2 * n)\n'
    return (
        head
        + """    Y = sg.data(f"Y{t}", n, k, about=f"the target of step {t}")
    O = S @ V
    loss = loss + sg.sum((O - Y) ** 2) / (2 * n)
"""
    )


def gated(count: int) -> str:
    """A gated recurrent unit: three pre-activations in every step."""
    return f'''"""A gated recurrent unit."""
import symgrad as sg
n, d, h = sg.dims("n d h")
P, Q = sg.parameter("P", d, h), sg.parameter("Q", h, h)
F, G = sg.parameter("F", d, h), sg.parameter("G", h, h)
U, V = sg.parameter("U", d, h), sg.parameter("V", h, h)
Y = sg.data("Y", n, h)
S = sg.data("S0", n, h)
for t in range(1, {count} + 1):
    X = sg.data(f"X{{t}}", n, d)
    Z = sg.sigmoid(X @ P + S @ Q)
    R = sg.sigmoid(X @ F + S @ G)
    C = sg.tanh(X @ U + (R * S) @ V)
    S = (1 - Z) * S + Z * C
loss = sg.sum((S - Y) ** 2) / (2 * n)
'''


def residual(count: int) -> str:
    """H_l = H_{l-1} + tanh(H_{l-1} W_l) V_l."""
    return f'''"""Residual blocks."""
import symgrad as sg
n, d = sg.dims("n d")
X = sg.data("X", n, d)
Y = sg.data("Y", n, d)
H = X
for layer in range(1, {count} + 1):
    H = H + sg.tanh(H @ sg.parameter(f"W{{layer}}", d, d)) @ sg.parameter(f"V{{layer}}", d, d)
loss = sg.sum((H - Y) ** 2) / (2 * n)
'''


def chain(count: int) -> str:
    """Layers whose sizes have names of their own: W_l is d_{l-1} × d_l."""
    names = " ".join(f"d{k}" for k in range(count + 1))
    return f'''"""A chain of layers."""
import symgrad as sg
n = sg.dims("n")
sizes = sg.dims("{names}")
X = sg.data("X", n, sizes[0])
Y = sg.data("Y", n, sizes[-1])
H = X
for layer in range(1, {count} + 1):
    W = sg.parameter(f"W{{layer}}", sizes[layer - 1], sizes[layer])
    H = sg.tanh(H @ W + sg.parameter(f"b{{layer}}", sizes[layer]))
loss = sg.sum((H - Y) ** 2) / (2 * n)
'''
