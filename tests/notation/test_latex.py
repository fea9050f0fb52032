"""What a textbook would print, case by case."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
import sympy

from symgrad.errors import InputError
from symgrad.graph.expression import (
    Role,
    broadcast_to,
    contraction,
    elementwise,
    leaf,
    linear,
    number,
    scale,
    transpose,
)
from symgrad.notation.latex import latex, latex_terms, symbols_used
from symgrad.primitives import language as sg

n, d, k, m, t, sd = sg.dims("n d k m t s")
Q, R = sympy.symbols("Q R")
X, Y, P, A, B, C = (
    sg.data(name, *shape)
    for name, shape in zip("XYPABC", [(n, d), (n, k), (n, k), (d, d), (d, d), (d, d)], strict=True)
)
y, r, u, v = sg.data("y", n), sg.data("r", n), sg.data("u", d), sg.data("v", d)
W, b, w = sg.parameter("W", d, k), sg.parameter("b", k), sg.parameter("w", d)
s, c, x, yy = (sg.parameter(name) for name in "scxy")
lam, lr = sg.hyperparameter("lam", 0.3), sg.hyperparameter("learning_rate", 0.1)
T3, a1, r1 = sg.data("T", n, d, k), sg.data("a", n, 1), sg.data("r", 1, d)
Z = X @ W + b


def bar(e, name=None):
    return leaf(name or e.name, e.shape, Role.COTANGENT)


CASES = [
    # numbers and sizes
    (number(0.5), r"\tfrac{1}{2}"),
    (number(0.015), r"0.015"),
    (number(1e-05), r"10^{-5}"),
    (number(-2), r"-2"),
    (n + m, r"m + n"),
    (2 * n, r"2n"),
    (n * d, r"n d"),
    (t - sd + 1, r"t - s + 1"),
    (x / n, r"\frac{x}{n}"),
    (x / (n * d), r"\frac{x}{n d}"),
    (lr * (x + yy), r"\mathrm{learning\_rate}\,(x + y)"),
    (sg.data("loss") * sg.data("weight", d), r"\mathrm{loss}\,\mathrm{weight}"),
    # sums
    (number(-2), r"-2"),
    (u - 2 * (v - w), r"u - 2 (v - w)"),
    (scale(-1, -u), r"-(-u)"),
    (2 * (2 * u), r"2 \cdot 2 u"),
    (0.5 * (2 * u), r"\tfrac{1}{2} \cdot 2 u"),
    (1 - X, r"1 - X"),
    (x - X, r"x\,\mathbf{1} \mathbf{1}^{\top} - X"),
    (w + x, r"w + x\,\mathbf{1}"),
    (Z, r"X W + \mathbf{1} b^{\top}"),
    (X @ X.T + lr * sg.eye(n), r"X X^{\top} + \mathrm{learning\_rate}\,I"),
    (
        sg.sum((X @ w - y) ** 2) + lam * sg.sum(w**2),
        r"\lVert X w - y\rVert^{2} + \lambda\,\lVert w\rVert^{2}",
    ),
    # powers
    (x ** (-1), r"\frac{1}{x}"),
    (x ** (-2), r"\frac{1}{x^{2}}"),
    (x**0.5, r"\sqrt{x}"),
    (x ** (-0.5), r"\frac{1}{\sqrt{x}}"),
    (w**2, r"w^{2}"),
    (A**2, r"A^{\odot 2}"),
    ((x / yy) ** 2, r"\bigl(\tfrac{x}{y}\bigr)^{2}"),
    (sg.log(x) ** 2, r"(\log x)^{2}"),
    (sg.sigmoid(x) ** 2, r"\sigma(x)^{2}"),
    ((u @ v) ** 2, r"(u^{\top} v)^{2}"),
    ((A @ B) ** 2, r"(A B)^{\odot 2}"),
    (x**yy, r"x^{y}"),
    ((x + 1) ** (yy / 2), r"(x + 1)^{\frac{1}{2}\,y}"),
    (bar(x) ** 2, r"\left(\frac{\partial L}{\partial x}\right)^{2}"),
    # functions
    (sg.tanh(X), r"\tanh X"),
    (sg.exp(X @ w), r"\exp(X w)"),
    (sg.exp(s), r"e^{s}"),
    (sg.sum(sg.softplus(-y * (X @ w))), r"\mathbf{1}^{\top} \log\bigl(1 + e^{-y \odot X w}\bigr)"),
    (sg.log(x) * yy, r"y \log x"),
    (sg.log(sg.tanh(x)), r"\log(\tanh x)"),
    (sg.log(x / yy), r"\log \frac{x}{y}"),
    (sg.log(X @ W), r"\log(X W)"),
    (sg.log(sg.sigmoid(x)), r"\log \sigma(x)"),
    (abs(x - yy), r"\lvert x - y\rvert"),
    (sg.maximum(0, x / yy), r"\max\bigl(0, \tfrac{x}{y}\bigr)"),
    (sg.exp(-(x**2) / 2), r"e^{-\frac{1}{2}\,x^{2}}"),
    (sg.exp(bar(x)), r"e^{\partial L/\partial x}"),
    (sg.exp(x / yy), r"e^{\frac{x}{y}}"),
    (X.T @ sg.clip(X @ w - y, -lam, lam), r"X^{\top}\,\mathrm{clip}(X w - y,\, -\lambda,\, \lambda)"),
    ((sg.relu(X @ w) - y) * (X @ w > 0), r"\bigl(\mathrm{relu}(X w) - y\bigr) \odot [X w > 0]"),
    (elementwise("greater_equal", X, 0), r"[X \ge 0]"),
    (elementwise("equal", X, 2), r"[X = 2]"),
    (
        sg.where(X @ w > y, X @ w - y, 0) + y,
        r"\left(\begin{cases} X w - y & X w > y \\ 0 & \text{otherwise} \end{cases}\right) + y",
    ),
    (sg.where(sg.data("m", binary=True), yy, 1), r"\begin{cases} y & m \ne 0 \\ 1 & \text{otherwise} \end{cases}"),
    (
        elementwise("scalar", x, yy, parameter=sympy.Lambda((Q, R), (Q + R) ** 2 / Q)),
        r"\frac{\left(x + y\right)^{2}}{x}",
    ),
    (elementwise("scalar", x - yy, parameter=sympy.Lambda((Q,), Q**2 / 2)), r"\frac{(x - y)^{2}}{2}"),
    (
        elementwise("scalar", X @ W, parameter=sympy.Lambda((Q,), sympy.tanh(Q) - sympy.exp(-Q))),
        r"\tanh(X W) - e^{- (X W)}",
    ),
    (2 * elementwise("scalar", x - yy, parameter=sympy.Lambda((Q,), -Q)), r"2 \bigl(- (x - y)\bigr)"),
    (elementwise("scalar", x - yy, parameter=sympy.Lambda((Q,), Q)), r"x - y"),
    (sg.huber(x, yy), r"h_{y}(x)"),
    (sg.tanh(x / yy), r"\tanh \frac{x}{y}"),
    # products
    (-Y / P / n, r"-\frac{1}{n}\,Y \oslash P"),
    (
        P * (bar(P) - sg.sum(bar(P) * P, axis=1, keepdims=True)),
        r"P \odot \left(\frac{\partial L}{\partial P}"
        r" - \left(\frac{\partial L}{\partial P} \odot P\right) \mathbf{1} \mathbf{1}^{\top}\right)",
    ),
    ((P - Y) / n, r"\frac{1}{n}\,(P - Y)"),
    (X.T @ (P - Y) / n, r"\frac{1}{n}\,X^{\top} (P - Y)"),
    (sg.sum(P - Y, axis=0) / n, r"\frac{1}{n}\,(P - Y)^{\top} \mathbf{1}"),
    (X.T @ bar(Z, "Z"), r"X^{\top}\,\frac{\partial L}{\partial Z}"),
    (bar(Z, "Z") @ W.T, r"\frac{\partial L}{\partial Z}\,W^{\top}"),
    (
        sg.eye(d) / sg.norm(u - v) - sg.outer(u - v, u - v) / sg.norm(u - v) ** 3,
        r"\frac{1}{\lVert u - v\rVert}\,I - \frac{1}{\lVert u - v\rVert^{3}}\,(u - v) (u - v)^{\top}",
    ),
    ((u - v) / sg.norm(u - v), r"\frac{u - v}{\lVert u - v\rVert}"),
    ((s + sg.sigmoid(c)) / (sg.sigmoid(s) + (s + c) ** 2), r"\frac{s + \sigma(c)}{\sigma(s) + (s + c)^{2}}"),
    (
        1 / s - c / s**2 * (sg.sigmoid(c) * (1 - sg.sigmoid(c)) + 2 * (s + c)),
        r"\frac{1}{s} - \frac{c}{s^{2}}\,\bigl(\sigma(c) \bigl(1 - \sigma(c)\bigr) + 2 (s + c)\bigr)",
    ),
    (X / sg.sum(X, axis=1, keepdims=True), r"X \oslash (X \mathbf{1} \mathbf{1}^{\top})"),
    (X * y[:, None], r"\mathrm{diag}(y)\,X"),
    (s * (X * y[:, None]), r"s\,\mathrm{diag}(y)\,X"),
    (X * r1, r"X\,\mathrm{diag}(r^{\top})"),
    (sg.diag(u), r"\mathrm{diag}(u)"),
    (sg.outer(u, v), r"u v^{\top}"),
    (u @ A @ u, r"u^{\top} A u"),
    ((A + A.T) @ u, r"(A + A^{\top}) u"),
    (u @ sg.inv(A) @ v, r"u^{\top} A^{-1} v"),
    (-sg.inv(A).T @ sg.outer(u, v) @ sg.inv(A).T, r"-A^{-\top} u v^{\top} A^{-\top}"),
    (sg.log(u) * v, r"(\log u) \odot v"),
    (u * -v, r"-u \odot v"),
    (u * (2 * v), r"u \odot 2 v"),
    (u * v * (v * w), r"u \odot v \odot v \odot w"),
    (u / v * w, r"(u \oslash v) \odot w"),
    (lam * (u @ v) * w, r"\lambda\,(u^{\top} v) w"),
    (u @ v * (v @ w), r"(u^{\top} v) v^{\top} w"),
    (W @ (b - b**2) * (1 - w**2), r"W (b - b^{2}) \odot (1 - w^{2})"),
    (
        (n * X - sg.sum(X, axis=0) - X * sg.sum(X * X, axis=0)) / (n * sg.sqrt(x)),
        r"\frac{1}{n \sqrt{x}}\,\bigl(n X - \mathbf{1} \mathbf{1}^{\top} X"
        r" - X \odot \mathbf{1} \mathbf{1}^{\top} (X \odot X)\bigr)",
    ),
    (X.T @ sg.diag(y * (1 - y)) @ X, r"X^{\top}\,\mathrm{diag}\bigl(y \odot (1 - y)\bigr) X"),
    (bar(x) / yy, r"\frac{1}{y}\,\frac{\partial L}{\partial x}"),
    (x / bar(x), r"\frac{x}{\partial L/\partial x}"),
    (bar(W).T, r"\left(\frac{\partial L}{\partial W}\right)^{\top}"),
    (sg.sum(bar(Z, "Z"), axis=0), r"\left(\frac{\partial L}{\partial Z}\right)^{\top} \mathbf{1}"),
    # sums over axes
    (-sg.mean(sg.sum(Y * sg.log(P), axis=1)), r"-\frac{1}{n}\,\langle Y, \log P\rangle"),
    (lam / 2 * sg.sum(W**2), r"\frac{\lambda}{2}\,\lVert W\rVert_{F}^{2}"),
    (sg.mean((X @ w + c - y) ** 2) / 2, r"\frac{1}{2 n}\,\lVert X w + c\,\mathbf{1} - y\rVert^{2}"),
    (sg.sum(X), r"\mathbf{1}^{\top} X \mathbf{1}"),
    (sg.sum(w), r"\mathbf{1}^{\top} w"),
    (sg.sum(X, axis=0, keepdims=True), r"\mathbf{1}^{\top} X"),
    (X - sg.mean(X, axis=0), r"X - \frac{1}{n}\,\mathbf{1} \mathbf{1}^{\top} X"),
    (
        n * X - sg.sum(X, axis=0) - X * sg.sum(X * X, axis=0),
        r"n X - \mathbf{1} \mathbf{1}^{\top} X - X \odot \mathbf{1} \mathbf{1}^{\top} (X \odot X)",
    ),
    (
        sg.exp(X) / sg.sum(sg.exp(X), axis=1, keepdims=True),
        r"\exp(X) \oslash \bigl(\exp(X) \mathbf{1} \mathbf{1}^{\top}\bigr)",
    ),
    (sg.trace(A @ B.T @ C), r"\mathop{\mathrm{tr}}(A B^{\top} C)"),
    (contraction((A, B, C), ((0, 1), (1, 2), (2, 0)), ()), r"\mathop{\mathrm{tr}}(A B C)"),
    (contraction((A, B, C), ((0, 2), (1, 2), (0, 1)), (A.shape[0], A.shape[1])), r"A B^{\top} \odot C"),
    (contraction((X, Y), ((2, 0), (2, 1)), (w.shape[0], b.shape[0])), r"X^{\top} Y"),
    (sg.diagonal(A), r"\mathrm{diag}(A)"),
    (sg.sum(sg.huber(X @ w - y, lam)), r"\mathbf{1}^{\top} h_{\lambda}(X w - y)"),
    (X - a1, r"X - a \mathbf{1}^{\top}"),
    (X - r1, r"X - \mathbf{1} r"),
    (a1.T @ X, r"a^{\top} X"),
    (w[None, :], r"w^{\top}"),
    (broadcast_to(number(1), u.shape), r"\mathbf{1}"),
    (broadcast_to(number(1), A.shape), r"\mathbf{1} \mathbf{1}^{\top}"),
    (broadcast_to(bar(s, "s"), u.shape), r"\frac{\partial L}{\partial s}\,\mathbf{1}"),
    # primitives
    (sg.softmax(Z), r"\mathrm{softmax}(X W + \mathbf{1} b^{\top})"),
    (sg.softmax(X, axis=0), r"\mathrm{softmax}(X^{\top})^{\top}"),
    (sg.log_softmax(X), r"\log\mathrm{softmax}(X)"),
    (sg.logsumexp(X, axis=1), r"\log\bigl(\exp(X) \mathbf{1}\bigr)"),
    (sg.norm(X, axis=1), r"\sqrt{X^{\odot 2} \mathbf{1}}"),
    (sg.solve(A, u), r"A^{-1} u"),
    (sg.solve(A.T, u), r"A^{-\top} u"),
    (sg.det(A) * sg.inv(A).T, r"(\det A) A^{-\top}"),
    (sg.logdet(A), r"\log\det A"),
    # three axes
    (transpose(T3), r"[t_{lji}]_{ijl}"),
    (sg.sum(T3, axis=2), r"\bigl[{\textstyle \sum_{l}}\, t_{ijl}\bigr]_{ij}"),
    (sg.softmax(T3, axis=1), r"\mathrm{softmax}_{\mathrm{axis}=1}(T)"),
    (T3 + b, r"T + [b_{l}]_{ijl}"),
    (sg.sum(T3**2), r"\lVert T\rVert_{F}^{2}"),
    (sg.sum(T3), r"\sum_{i,j,l} t_{ijl}"),
    (T3 @ sg.data("Q", n, k, d), r"\bigl[{\textstyle \sum_{p}}\, t_{ijp} q_{ipl}\bigr]_{ijl}"),
]


@pytest.mark.parametrize(("e", "expected"), CASES, ids=[str(at) for at in range(len(CASES))])
def test_the_latex_of(e, expected):
    assert latex(e) == expected


@pytest.mark.parametrize("e", [e for e, _ in CASES], ids=[str(at) for at in range(len(CASES))])
def test_markdown_and_mathjax_can_take_it(e):
    text = latex(e)
    assert not re.search(r"[|<]|\\operatorname|\\substack|\\[{}]|\\\\\\\\|\\t(?![a-zA-Z])", text)
    assert text.count("{") == text.count("}")
    for left, right in (("left", "right"), ("bigl", "bigr"), ("begin", "end")):
        assert len(re.findall(rf"\\{left}(?![a-z])", text)) == len(re.findall(rf"\\{right}(?![a-z])", text))


def test_terms_are_what_the_sum_is_made_of():
    e = X @ w - 2 * y + (r - y)
    assert latex_terms(e) == ["X w", "- 2 y", "+ r", "- y"]
    assert " ".join(latex_terms(e)) == latex(e)
    assert latex_terms(-y - r) == ["-y", "- r"]
    assert latex_terms(X @ w) == ["X w"]


def test_the_loss_has_its_name():
    assert latex(bar(W, "W1") / n, loss="loss_2") == (r"\frac{1}{n}\,\frac{\partial \mathrm{loss}_{2}}{\partial W_{1}}")


def test_otherwise_in_the_language_of_the_page():
    e = sg.where(r > 0, r, 0)
    assert r"\text{否则}" in latex(e, otherwise="否则")
    assert r"\text{input}" in latex(e, otherwise=r"\input{")


@pytest.mark.parametrize(
    ("e", "expected"),
    [
        (X, set()),
        (P * Y, {"odot"}),
        (Y / P, {"oslash"}),
        (1 - P**2, {"elementwise", "hadamard_power"}),
        (sg.sum(X, axis=0), {"ones", "transpose"}),
        (X * y[:, None], {"diag"}),
        (sg.sum(r**2), {"norm"}),
        (sg.sum(X**2), {"frobenius"}),
        (sg.norm(X), {"frobenius"}),
        (sg.sum(P * Y), {"bracket"}),
        (sg.trace(A), {"trace"}),
        (sg.diagonal(A), {"diagonal"}),
        (sg.inv(A).T, {"inverse_transpose"}),
        (sg.solve(A, u), {"inverse"}),
        (r > 0, {"indicator", "elementwise"}),
        (sg.where(x > 0, x, 0), {"cases"}),
        (sg.sum(T3), {"sum"}),
        (transpose(T3), {"entries"}),
        (sg.tanh(x), set()),
    ],
)
def test_the_notation_that_a_page_has_to_explain(e, expected):
    assert symbols_used(e) == expected


def test_what_is_peeled_off_is_not_explained():
    # ‖r‖² has no ones and no elementwise square on the page.
    assert symbols_used(sg.sum((X @ w - y) ** 2) / n) == {"norm"}


def test_a_chain_of_five_thousand_nodes():
    e = x
    for _ in range(2500):
        e = linear([(1, elementwise("tanh", e)), (1, x)])
    text = latex(e)
    assert text.startswith(r"\tanh\bigl(")
    assert text.endswith(r"x\bigr) + x")
    assert text.count(r"\tanh") == 2500
    assert symbols_used(e) == set()


@pytest.mark.parametrize(
    "grow",
    [
        lambda e: e.T @ A,
        lambda e: linear([(1, e), (-1, A)]),
        lambda e: linear([(1, A), (-1, e)]),
        lambda e: linear([(Fraction(1, 2), e)]),
        lambda e: sg.inv(e).T,
        lambda e: contraction([e, A], [(0, 1), (0, 1)], A.shape),
        lambda e: contraction([A, e, B], [(0, 2), (2, 3), (3, 1)], A.shape),
    ],
)
def test_chains_of_matrices(grow):
    e = A
    for _ in range(2500):
        e = grow(e)
    assert latex(e)
    assert latex_terms(e)


def test_an_exponentially_long_formula_is_refused():
    e = x
    for _ in range(80):
        e = elementwise("power_of", e, e)
    with pytest.raises(InputError, match="names"):
        latex(e)
    assert symbols_used(e) == set()


def test_numbers_are_exact():
    assert latex(number(Fraction(1, 3))) == r"\tfrac{1}{3}"
    assert latex(number(Fraction(7, 400))) == "0.0175"
    assert latex(number(1e300)) == "10^{300}"
    assert latex(number(0)) == "0"
    assert latex(broadcast_to(number(0), X.shape)) == r"0 \mathbf{1} \mathbf{1}^{\top}"
    assert latex(contraction([number(2), y], [(), (0,)], y.shape)) == "2 y"
    assert latex(elementwise("maximum", x, -1)) == r"\max(x, -1)"


def test_a_size_with_braces_is_no_place_for_an_operand():
    r"""m_{1} and \mathrm{hours} stand within the template of a slice, whose {0} is its operand."""
    m1, hours = sg.dims("m_1 hours")
    assert latex(sg.parameter("W", hours, m1)[1:, :-1]) == r"(W_{2:\mathrm{hours},\,:})_{:,\,1:m_{1} - 1}"
