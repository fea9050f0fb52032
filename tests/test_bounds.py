"""What is said to be the fewest symbols of a sum is no more than it has, however it is written."""

from itertools import combinations, product

import symgrad.primitives.language as sg
from symgrad.graph.expression import Role, leaf
from symgrad.rewrite.bounds import least_cost, least_in_indices, least_of_two, least_written
from symgrad.rewrite.convert import to_form
from symgrad.rewrite.cost import cost
from symgrad.rewrite.display import written
from symgrad.rewrite.factor import factored
from symgrad.rewrite.matrix import to_expression

n, d = sg.dims("n d")
s, q, u, v = sg.data("s"), sg.data("q"), sg.data("u", n), sg.data("v", n)
X, Y, w = sg.data("X", n, d), sg.data("Y", n, d), sg.data("w", d)
u_bar = leaf("u", u.shape, Role.COTANGENT)
X_bar = leaf("X", X.shape, Role.COTANGENT)
SUMMED = (
    [s, q, 1 / n, s**2, 1 / (s * n * d), n - d, (n - d) * (n + d)],
    [u_bar, u, v, u * v, u**2, u_bar * u, u_bar * s, u * s, u / (v * n), u_bar * u * q, u * v**2, X @ w, Y @ w, X_bar @ w],
    [X, X * Y, X_bar, X_bar * X, X_bar / n, u[:, None] * X, X * w, X**2 * s, sg.outer(u, w), sg.outer(u_bar, w) / n],
    [u @ X, u_bar @ X, (u * v) @ X, sg.sum(X, axis=0), sg.sum(X * Y, axis=0), w * s, (X.T @ X_bar) @ w],
    [X.T @ Y, X.T @ X_bar, X.T @ (X_bar * Y), (u[:, None] * X).T @ Y, X.T @ X, X_bar.T @ X],
)  # fmt: skip


def test_no_sum_of_two_products_is_written_with_fewer_symbols():
    tight = 0
    for terms in SUMMED:
        for (a, b), c in product(combinations(terms, 2), (1, -1)):
            form = to_form(a + c * b)
            whole = cost(written(a + c * b))
            assert least_of_two(form) <= min(whole, cost(to_expression(factored(form)))), f"{a} and {b}"
            assert least_cost(form) <= cost(to_expression(form)), f"{a} and {b}"
            tight += least_of_two(form) == whole
    # A bound that says nothing would hold too.
    assert tight > 60


# A sum, and what is multiplied by it: arrays that it holds, too, and powers that cancel in it.
SUMS = [
    1 - u**2,
    u_bar * u - u_bar * v,
    u * v - u,
    u_bar - v / n,
    1 / u - v / u**2,
    u * (X @ w) - u * v,
    s * u - v**2,
    u * v - v / (u * n),
]
BESIDE = [u_bar, u, u_bar * u, 1 / u, u**2 / n, s / v, X @ w, u_bar * (X @ w) / n, 1 / (u * v), u_bar / n]
BETWEEN = [
    lambda e: e,
    lambda e: X.T @ e,
    lambda e: sg.sum(e),
    lambda e: e[:, None] * X,
    lambda e: X_bar.T @ (e[:, None] * X),
]


def test_no_product_with_a_sum_is_written_with_fewer_symbols():
    close = 0
    for inside, beside, whole in product(SUMS, BESIDE, BETWEEN):
        for e in (whole(beside * inside), whole(beside * inside**2), whole(beside / inside), beside * inside / (u - 1)):
            form = to_form(e)
            symbols = cost(written(e))
            assert least_written(form) <= symbols, e
            assert least_cost(form) <= cost(to_expression(form)), e
            close += symbols - least_written(form) <= 2
    assert close > 60


T = sg.data("T", n, n, d)
T_bar = leaf("T", T.shape, Role.COTANGENT)
C, D = sg.data("C", n, n), sg.data("D", d, d)
# Products with an array of three axes, some of which have a matrix form; sums of two such are factors, too.
THREE_AXES = [
    ("ijk,ij->ij", (C,)), ("ijk,ik->ij", (X,)), ("ijk,k->ij", (w,)), ("ijk,i,ik->ij", (u, X)), ("ijk,jk->i", (X,)),
    ("ijk,jk->ij", (X,)), ("ijk,ij,kl->il", (C, D)), ("ijk,j,k->i", (u, w)), ("ijk,jl,li->i", (C, C)), ("ijk,j->ik", (u,)),
    ("ijk,jl,lj->i", (C, C)), ("ijk->i", ()), ("ijk,->ij", (s,)), ("ijk,l->i", (u,)), ("iik,ik->i", (X,)),
]  # fmt: skip


def test_no_product_in_index_notation_is_written_with_fewer_symbols():
    found = []
    tensors = (T, T_bar, T**2, T - T_bar, T * s - X[:, None, :], X[None, :, :] - (C @ X)[:, None, :])
    for t, (indices, others) in product(tensors, THREE_AXES):
        form = to_form(sg.einsum(indices, t, *others) / n)
        symbols = cost(to_expression(form))
        assert least_in_indices(form) <= symbols, f"{indices} of {t}"
        found.append((least_in_indices(form), symbols))
    assert sum(least > 0 for least, _ in found) > 40
    assert sum(symbols - least <= 4 for least, symbols in found) > 20
