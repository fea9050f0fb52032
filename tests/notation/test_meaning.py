"""Random expressions are printed, read back as a textbook's reader would, and must have the same value."""

from __future__ import annotations

import random

import numpy as np
import pytest
from notation.reader import N, as_matrix, read, value_of

from symgrad.graph.expression import broadcast_to, contraction
from symgrad.notation.latex import latex
from symgrad.primitives import language as sg

n, d, k = sg.dims("n d k")
LEAVES = {
    0: [sg.data("s"), sg.parameter("c"), sg.hyperparameter("a", 2)],
    1: [sg.data("u", n), sg.parameter("v", n), sg.data("w", n)],
    2: [sg.data("A", n, n), sg.data("B", n, n), sg.parameter("C", n, n)],
}
VALUES = {
    leaf.name: np.random.default_rng(rank * 7 + at).uniform(0.4, 1.6, (N,) * rank)
    for rank, leaves in LEAVES.items()
    for at, leaf in enumerate(leaves)
}
MATRICES = {name: as_matrix(a) for name, a in VALUES.items()} | {"n": np.array([[float(N)]]), "I": np.eye(N)}


def grow(rng, rank, depth):
    if depth == 0:
        return rng.choice(LEAVES[rank])
    ways = [w for w in WAYS if rank in w[0]]
    return rng.choice(ways)[1](rng, rank, depth - 1)


def same(rng, rank, depth):
    """An operand that broadcasts to the rank."""
    return grow(rng, rng.choice([rank, rank, 0]), depth)


def column(e):
    return e[:, None]


WAYS = [
    ((0, 1, 2), lambda g, r, d: grow(g, r, d) + same(g, r, d)),
    ((0, 1, 2), lambda g, r, d: grow(g, r, d) - same(g, r, d)),
    ((0, 1, 2), lambda g, r, d: same(g, r, d) - grow(g, r, d)),
    ((0, 1, 2), lambda g, r, d: -grow(g, r, d)),
    ((0, 1, 2), lambda g, r, d: grow(g, r, d) * g.choice([2, 3, 0.5, -0.25])),
    ((0, 1, 2), lambda g, r, d: 1 - grow(g, r, d)),
    ((0, 1, 2), lambda g, r, d: grow(g, r, d) * same(g, r, d)),
    ((0, 1, 2), lambda g, r, d: same(g, r, d) * grow(g, r, d)),
    ((0, 1, 2), lambda g, r, d: grow(g, r, d) / same(g, r, d)),
    ((0, 1, 2), lambda g, r, d: grow(g, r, d) / n),
    ((0, 1, 2), lambda g, r, d: grow(g, r, d) ** g.choice([2, 3, -1, -2])),
    (
        (0, 1, 2),
        lambda g, r, d: g.choice([sg.tanh, sg.sigmoid, sg.exp, sg.relu, abs, sg.softplus])(grow(g, r, d)),
    ),
    ((0, 1, 2), lambda g, r, d: grow(g, r, d) > g.choice([0, 1, same(g, r, d)])),
    ((0,), lambda g, r, d: grow(g, 1, d) @ grow(g, 1, d)),
    ((0,), lambda g, r, d: sg.sum(grow(g, 1, d))),
    ((0,), lambda g, r, d: sg.sum(grow(g, 2, d))),
    ((0,), lambda g, r, d: sg.sum(grow(g, 2, d) * grow(g, 2, d))),
    ((0,), lambda g, r, d: sg.sum(grow(g, 1, d) ** 2)),
    ((0,), lambda g, r, d: sg.trace(grow(g, 2, d))),
    ((0,), lambda g, r, d: sg.norm(grow(g, g.choice([1, 2]), d))),
    ((1,), lambda g, r, d: grow(g, 2, d) @ grow(g, 1, d)),
    ((1,), lambda g, r, d: grow(g, 1, d) @ grow(g, 2, d)),
    ((1,), lambda g, r, d: sg.sum(grow(g, 2, d), axis=g.choice([0, 1]))),
    ((1,), lambda g, r, d: sg.diagonal(grow(g, 2, d))),
    ((1, 2), lambda g, r, d: sg.solve(grow(g, 2, 0) + 3 * sg.eye(n), grow(g, r, d))),
    ((1,), lambda g, r, d: broadcast_to(grow(g, 0, d), (n.value,))),
    ((2,), lambda g, r, d: broadcast_to(grow(g, 0, d), (n.value, n.value))),
    ((2,), lambda g, r, d: grow(g, 2, d) @ grow(g, 2, d)),
    ((2,), lambda g, r, d: grow(g, 2, d).T),
    ((2,), lambda g, r, d: grow(g, 2, d) * grow(g, 1, d)),
    ((2,), lambda g, r, d: grow(g, 2, d) * column(grow(g, 1, d))),
    ((2,), lambda g, r, d: grow(g, 2, d) / column(grow(g, 1, d))),
    ((2,), lambda g, r, d: grow(g, 2, d) + grow(g, 1, d)),
    ((2,), lambda g, r, d: grow(g, 2, d) - column(grow(g, 1, d))),
    ((2,), lambda g, r, d: grow(g, 2, d) * sg.sum(grow(g, 2, d), axis=g.choice([0, 1]), keepdims=True)),
    ((2,), lambda g, r, d: grow(g, 2, d) - sg.sum(grow(g, 2, d), axis=g.choice([0, 1]), keepdims=True)),
    ((2,), lambda g, r, d: sg.outer(grow(g, 1, d), grow(g, 1, d))),
    ((2,), lambda g, r, d: sg.diag(grow(g, 1, d))),
    ((2,), lambda g, r, d: sg.softmax(grow(g, 2, d), axis=g.choice([0, 1]))),
    ((2,), lambda g, r, d: sg.inv(grow(g, 2, 0) + 3 * sg.eye(n))),
    ((2,), lambda g, r, d: sg.inv(grow(g, 2, 0).T + 3 * sg.eye(n)).T),
    ((0, 1, 2), lambda g, r, d: einsum(g, r, d)),
]


def einsum(g, rank, depth):
    """A product of vectors and matrices at random indices; every axis of the result occurs."""
    while True:
        letters = [g.sample(range(4), g.choice([1, 2])) for _ in range(g.choice([2, 3]))]
        if set(range(rank)) <= {i for own in letters for i in own}:
            break
    operands = [grow(g, len(own), depth if at == 0 else 0) for at, own in enumerate(letters)]
    return contraction(operands, letters, (n.value,) * rank)


@pytest.mark.parametrize("seed", range(40))
def test_what_is_printed_is_what_is_meant(seed):
    rng = random.Random(seed)
    for _ in range(40):
        e = grow(rng, rng.choice([0, 1, 2]), rng.choice([1, 2, 2, 3]))
        text = latex(e)
        if r"\sum" in text:
            continue  # entry by entry: not for this reader
        with np.errstate(all="ignore"):
            wanted, found = as_matrix(value_of(e, VALUES)), read(text, MATRICES)
        if np.isfinite(wanted).all() and np.abs(wanted).max() < 1e12:
            np.testing.assert_allclose(
                np.broadcast_to(found, wanted.shape), wanted, rtol=1e-6, atol=1e-6, err_msg=f"{e}\n{text}"
            )


def test_the_reader_tells_wrong_parentheses():
    u, v, A, s = (MATRICES[name] for name in "uvAs")
    assert not np.allclose(read("u - u - v", MATRICES), u - (u - v))
    assert np.allclose(read(r"A^{\top} (u - s v)", MATRICES), A.T @ (u - s * v))
    assert np.allclose(read(r"s A \odot A^{\odot 2} \oslash A", MATRICES), s * A**2)
    with pytest.raises(AssertionError):
        read(r"A^{2}", MATRICES)
