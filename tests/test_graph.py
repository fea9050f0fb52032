"""The expression graph: one object for one content, shapes held strictly, and the traps of Python and NumPy closed."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
import pytest
from random_programs import random_program

import symgrad as sg
from symgrad.errors import InputError, ShapeError
from symgrad.graph.expression import MOST_BELOW
from symgrad.graph.sizes import Size
from symgrad.graph.walk import postorder
from symgrad.rewrite.convert import rebuild

n, m, d = sg.dims("n m d")
X, y, w = sg.data("X", n, d), sg.data("y", n), sg.parameter("w", d)


def test_equal_content_is_one_object():
    assert X @ w - y is X @ w - y
    assert sg.data("X", n, d) is X
    assert sg.data("X", n, d, about="rows") is not X
    assert X @ w is not X @ sg.data("w", d), "a parameter and data of one name are different"


def test_what_a_node_remembers_beneath_it_is_what_a_walk_meets():
    for seed in range(30):
        loss = random_program(seed).loss
        # To stop at a node that is not there is to go step by step.
        for roots in ([loss], [*loss.children, loss], [loss.children[-1], X @ w]):
            assert postorder(roots) == postorder(roots, stop={sg.data("elsewhere")}), seed
    chain = y
    for _ in range(2 * MOST_BELOW):
        chain = sg.tanh(chain)
    assert chain.below is None
    assert len(postorder([chain])) == 2 * MOST_BELOW + 1


def test_a_node_over_other_operands_is_the_one_that_would_be_written():
    v, Z = sg.data("v", n), sg.data("Z", n, d)
    pairs = [
        (X @ w, Z @ w),
        (sg.exp(y), sg.exp(v)),
        (y * v + v, v * y + y),
        (sg.softmax(X), sg.softmax(Z)),
        (y**3, v**3),
    ]
    for one, other in pairs:
        assert rebuild(one, list(other.children)) is other


def test_what_was_written_is_kept():
    assert str(X.T @ (X @ w - y) / n) == "X.T @ (X @ w - y) / n"
    assert y - y is not y * 0
    assert str(y - y) == "y - y"
    assert 0 + y is y


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: X @ y, ["(n, d)", "(n,)", "d is not n"]),
        (lambda: X + y, ["(n, d)", "(n,)", "d is not n"]),
        (lambda: X * sg.data("Z", m, d), ["(n, d)", "(m, d)", "m is not n"]),
        (lambda: sg.inv(X), ["(n, d)", "square"]),
        (lambda: sg.sum(y, axis=1), ["axis 1", "(n,)"]),
        (lambda: sg.data("S", n, d, symmetric=True), ["(n, d)", "square"]),
        (lambda: sg.transpose(X, (0, 0)), ["(0, 0)", "each axis once"]),
        (lambda: y @ 2, ["`@`"]),
    ],
)
def test_shapes_that_do_not_fit_are_refused_with_both_shapes(build, words):
    with pytest.raises(ShapeError) as e:
        build()
    for word in words:
        assert word in str(e.value)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    ("build", "remedy"),
    [
        (lambda: y == 1, "sg.equal"),
        (lambda: y != 1, "sg.equal"),
        (lambda: 0 < y < 1, "&"),
        (lambda: bool(y), "sg.where"),
        (lambda: y and y, "sg.where"),
        (lambda: list(y), "iterated"),
        (lambda: y["a"], "sg.data"),
        (lambda: y + np.ones(3), "sg.data"),
        (lambda: y * True, "truth value"),
        (lambda: sg.where(True, y, y), "truth value"),
        (lambda: y / 0, "no value"),
        (lambda: y ^ 2, r"e\*\*2"),
        # NumPy took y for a scalar: its mean was y, and np.dot(X, w) was X * w.
        (lambda: np.mean(y), r"np\.mean .* as in sg\.sum"),
        (lambda: np.dot(X, w), r"np\.dot .* as in sg\.sum"),
        (lambda: np.concatenate([y, y]), r"np\.concatenate .* as in sg\.sum"),
    ],
)
def test_traps_raise_with_what_to_write(build, remedy):
    with pytest.raises(InputError, match=remedy):
        build()


def test_numpy_makes_no_array_of_expressions():
    with pytest.raises((TypeError, InputError)):
        np.ones(3) * y
    assert np.float64(0.5) * y is y * 0.5


def test_numbers_enter_exactly():
    assert str(y * 0.1) == "y / 10"
    assert (y * 0.1).terms[0][0] == Fraction(1, 10)
    assert (y + 1e-5).terms[1][1].operands[0].value == Fraction(1, 100000)


def test_sizes_are_polynomials():
    a, b = Size.symbol("a"), Size.symbol("b")
    assert (a + b) * (a - b) == a * a - b * b
    assert a * 0 == Size.constant(0)
    assert (n + m) * 2 is m * 2 + n + n
    assert sg.data("q", n + m).shape == sg.data("q", m + n).shape
    assert ((a + 1) * b).at({"a": 2, "b": 5}) == 15
    with pytest.raises(ShapeError, match="n"):
        sg.data("q", n + 1) + y


def chain(steps):
    """x ← x + sin(x)/k, again and again: two nodes a step."""
    e = sg.parameter("x", n)
    for step in range(steps):
        e = e + sg.sin(e) / (step + 2)
    return sg.Problem(sg.sum(e))


def seconds_of(work):
    """Processor time, which others on the machine do not stretch."""
    start = time.process_time()
    work()
    return time.process_time() - start


def test_a_chain_of_many_nodes_builds_derives_and_compiles():
    # 2,400 nodes: a walk that calls itself would end at Python's 1,000 frames, and ten times 240 tells linear from quadratic.
    chain(20).compile(prove=False)  # imports and caches
    short = seconds_of(lambda: chain(120).compile(prove=False))
    compiled = []
    long = seconds_of(lambda: compiled.append(chain(1200).compile(prove=False)))
    assert long < 30 * short, "ten times the nodes: linear is 10, quadratic 100"
    (f,), h = compiled, 1e-6
    (above, _), (below, _), (_, g) = (f(x=np.array([0.3 + s])) for s in (h, -h, 0))
    np.testing.assert_allclose(g["x"], [(above - below) / (2 * h)], rtol=1e-5)


def test_a_shared_graph_is_written_as_assignments():
    e = sg.exp(X @ w)
    for _ in range(40):
        e = e * e
    assert len(str(e)) < 2000, "as one line it would have 2⁴⁰ factors"


def test_an_explanation_that_is_no_text_is_refused():
    with pytest.raises(InputError, match=r"about of X is a dict; write a text, or sg\.Text\(en=…, zh=…\)"):
        sg.data("X", n, about={"en": "rows", "zh": "行"})
