"""Every law and every entry of the tables against calculus done elsewhere: SymPy's entrywise `diff`, PyTorch, 50 digits.

The tests walk the tables: an entry that is added is tested without a word here. What is compared with is independent of
symgrad's own proofs: inverses and determinants are written out as rational functions of the entries.
"""

from __future__ import annotations

import math
import random
import re
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import sympy

import symgrad as sg
from symgrad.canonical import put_in
from symgrad.derive.reverse import contraction_cotangent, local_derivatives, pull_back
from symgrad.errors import SymgradError
from symgrad.evaluate import Assignment, evaluate
from symgrad.fields import Reals, Symbolic
from symgrad.graph.expression import Leaf, Role, contraction, elementwise, leaf, linear
from symgrad.graph.sizes import ONE, Size
from symgrad.primitives.facts import FACTS
from symgrad.primitives.functions import FUNCTIONS
from symgrad.primitives.table import PRIMITIVES

DIGITS = 40
TOLERANCE = sympy.Rational(1, 10**30)
SIZES = Assignment({"n": 3, "d": 4, "k": 2})
n, d, k = sg.dims("n d k")

# Members of the families: the exponents of powers, SymPy's bodies.
_p, _q = sympy.symbols("p q", real=True)
FAMILIES = {
    "power": [(Fraction(e), 1) for e in ("2", "3", "-1", "-2", "1/2", "-1/2", "3/2", "5/3")],
    "scalar": [(sympy.Lambda((_p, _q), _p * sympy.exp(-_q) + sympy.sin(_p * _q)), 2)],
}
MEMBERS = [
    (name, parameter, arity)
    for name, entry in FUNCTIONS.items()
    for parameter, arity in FAMILIES.get(name, [(None, entry.arity)])
]


# Where a function is meant to be used: a condition is 0 or 1, bounds are in order, a threshold is positive.
DOMAINS = {
    "where": lambda c, a, b: (int(bool(abs(c) > 1)), a, b),
    "clip": lambda x, low, high: (x, min(low, high), max(low, high)),
    "huber": lambda r, delta: (r, abs(delta)),
}


def points_for(name, entry, arity, count, seed):
    """Random points of a function's domain, off its kinks."""
    rows = [rationals(arity, seed + 100 * i, *entry.sample) for i in range(count)]
    return [[sympy.Rational(x) for x in DOMAINS[name](*row)] if name in DOMAINS else row for row in rows]


class Explicit(Symbolic):
    """SymPy expressions in which inverse and determinant are rational functions of the entries.

    Near a point off ties the largest of several is one of them, which the numbers at the point tell.
    """

    def __init__(self, values):
        self.values = values

    def inverse(self, a):
        """The adjugate over the determinant."""
        m = sympy.Matrix(a.tolist())
        return np.array((m.adjugate() / m.det(method="berkowitz")).tolist(), dtype=object)

    def determinant(self, a):
        """The sum over permutations."""
        return sympy.Matrix(a.tolist()).det(method="berkowitz")

    def cholesky(self, a):
        """Row by row, with roots."""
        low = np.full(a.shape, sympy.S.Zero, dtype=object)
        for i, j in np.ndindex(*a.shape):
            if j <= i:
                rest = a[i, j] - sum(low[i, k] * low[j, k] for k in range(j))
                low[i, j] = sympy.sqrt(rest) if i == j else rest / low[j, j]
        return low

    def largest(self, items):
        """The one that is largest at the point."""
        return max(items, key=lambda e: at(e, self.values))

    def is_largest(self, place, items):
        """1 for the one that is largest at the point."""
        return sympy.Integer(items[place] == self.largest(items))


def symbols_for(e, prefix):
    shape = SIZES.shape(e.shape)
    flat = [sympy.Symbol(f"{prefix}{i}", real=True) for i in range(int(np.prod(shape, dtype=int)))]
    return np.array(flat, dtype=object).reshape(shape)


def rationals(count, seed, low=-2.0, high=2.0):
    r = random.Random(seed)
    return [sympy.Rational(round(r.uniform(low, high) * 997), 997) for _ in range(count)]


def at(e, values):
    return sympy.N(put_in(sympy.S(e), values), DIGITS)


def agree(a, b, values):
    x, y = at(a, values), at(b, values)
    return x.is_finite and y.is_finite and abs(x - y) <= TOLERANCE * (1 + abs(x))


# Functions: the tuple of derivatives against SymPy's derivative of the body.


@pytest.mark.parametrize(("name", "parameter", "arity"), MEMBERS)
def test_a_functions_derivatives_are_those_of_its_body(name, parameter, arity):
    entry, s = FUNCTIONS[name], Symbolic()
    operands = [sg.data(f"x{i}") for i in range(arity)]
    xs = [sympy.Symbol(f"x{i}", real=True) for i in range(arity)]
    node = elementwise(name, *operands, parameter=parameter)
    body = entry.body(s, *xs, *([parameter] if entry.is_family else []))
    leaves = {e: np.array(x, dtype=object) for e, x in zip(operands, xs, strict=True)}
    derivatives = local_derivatives(node, node)
    assert len(derivatives) == arity
    for x, derivative in zip(xs, derivatives, strict=True):
        ours = sympy.S.Zero if derivative is None else evaluate([derivative], leaves, SIZES, s)[0][()]
        if name == "where" and x is xs[0]:
            assert derivative is None  # a condition is not differentiated by
            continue
        for point in points_for(name, entry, arity, 8, 1):
            assert agree(sympy.diff(body, x), ours, dict(zip(xs, point, strict=True))), (x, point)


@pytest.mark.parametrize(("name", "parameter", "arity"), MEMBERS)
def test_a_functions_code_has_the_value_of_its_body(name, parameter, arity):
    entry, s = FUNCTIONS[name], Reals(50)
    operands = [sg.data(f"x{i}", n) for i in range(arity)]
    rows = [[float(x) for x in row] for row in points_for(name, entry, arity, 12, 10)]
    if name == "equal":
        rows[:6] = [(x, x) for x, _ in rows[:6]]
    columns = list(zip(*rows, strict=True))
    f = predicting(elementwise(name, *operands, parameter=parameter))
    ours = f.predict(**{e.name: np.array(c, dtype=float) for e, c in zip(operands, columns, strict=True)})
    extra = [parameter] if entry.is_family else []
    exact = [float(entry.body(s, *map(s.context.mpf, row), *extra)) for row in rows]
    np.testing.assert_allclose(np.asarray(ours, dtype=float), exact, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", [name for name, entry in FUNCTIONS.items() if entry.numpy])
def test_a_functions_code_binds_its_operands(name):
    """A call or parentheses around it all, no operator between bare operands: -(a + b) is not - a + b."""
    template = FUNCTIONS[name].numpy
    assert re.fullmatch(r"[\w.]+\((?:(?:\{\d\}|[\d.]+)(?:, )?)+\)|\(\{0\} [<>=]+ \{1\}\)|\{0\} \*\* \{1\}", template), (
        template
    )


def predicting(e):
    """The compiled function of which `predict` is the expression."""
    s = sg.parameter("weight")
    return sg.Problem(s * sg.sum(e), model=e).compile(prove=False)


KINKS = [
    (sg.relu, [0], [0]),
    (sg.abs, [0], [0]),
    (lambda x: sg.maximum(x, 2), [2], [0]),
    (lambda x: sg.maximum(2, x), [2], [0]),
    (lambda x: sg.minimum(x, 2), [2], [0]),
    (sg.maximum, [2, 2], [0.5, 0.5]),
    (sg.minimum, [2, 2], [0.5, 0.5]),
    (lambda x: sg.clip(x, -1, 1), [1], [0]),
    (lambda x: sg.clip(x, -1, 1), [-1], [0]),
    (lambda x: sg.huber(x, 1), [1], [1]),  # no kink: the two branches meet with the same slope
]


@pytest.mark.parametrize(("f", "point", "expected"), KINKS)
def test_at_a_kink_the_printed_convention_is_computed(f, point, expected):
    parameters = [sg.parameter(f"x{i}") for i in range(len(point))]
    _, gradients = sg.Problem(f(*parameters)).compile(prove=False)(**{f"x{i}": v for i, v in enumerate(point)})
    assert [float(gradients[e.name]) for e in parameters] == expected


# Primitives: pullback, definition, local derivative and code against the entry's forward form.

SHAPES = [(n,), (n, n), (n, d), (k, n, k)]


def options_of(entry, operands):
    """Every choice of options that an entry takes for these operands."""
    rank, shape = operands[0].rank, operands[0].shape
    axes = {"axis": [None, *range(rank), -1, *([(0, 1)] if rank > 1 else [])], "keepdims": [False, True]}
    axes |= {"reverse": [False, True], "before": [0, k], "after": [0, 1], "step": [1, 2], "classes": [None]}
    axes |= {
        "start": [Size.constant(1)],
        "stop": [shape[0]],
        "shape": [(*shape[::-1],), (math.prod(shape, start=ONE),)],
    }
    names = list(entry.options)
    for values in product(*(axes[name] for name in names)):
        yield dict(zip(names, values, strict=True))


def samples():
    """Every entry applied to leaves of every shape that it takes, with every choice of options."""
    found = {}
    for entry in PRIMITIVES.values():
        for shapes in product(SHAPES, repeat=entry.arity or 2):
            operands = [sg.data(f"x{i}", *shape) for i, shape in enumerate(shapes)]
            operands = [sg.labels("c", n, k)] if entry.name == "one_hot" else operands
            for options in options_of(entry, operands):
                try:
                    node = entry(*operands, **options)
                except (SymgradError, TypeError):
                    continue
                if node.rank or "axis" not in options or options["axis"] in (None, 0, (0, 1)):
                    found.setdefault(node, (entry.name, str(node)))
    return found


SAMPLES = samples()


def test_every_primitive_has_a_sample():
    assert {name for name, _ in SAMPLES.values()} == set(PRIMITIVES)


def as_functions(nodes):
    return pytest.mark.parametrize("node", nodes, ids=[f"{e.primitive}-{e}" for e in nodes])


@as_functions(list(SAMPLES))
def test_a_primitives_pullback_is_the_transposed_derivative_of_its_forward_form(node):
    entry, options = PRIMITIVES[node.primitive], dict(node.options)
    leaves = {e: symbols_for(e, e.name + "_") for e in node.operands}
    # Far from singular, of positive determinant, and not symmetric: a symmetric point would not see a transpose.
    unknowns = [x for a in leaves.values() for x in a.ravel()]
    values = dict(zip(unknowns, rationals(len(unknowns), 3, -1, 1), strict=True))
    for a in leaves.values():
        if a.ndim == 2 and a.shape[0] == a.shape[1]:
            values |= {a[i, i]: values[a[i, i]] + 3 for i in range(len(a))}
    s = Explicit(values)
    y = evaluate([node], leaves, SIZES, s)[0]
    seed = leaf("y", node.shape, Role.COTANGENT)
    weights = np.array(rationals(y.size, 5), dtype=object).reshape(y.shape)
    paired = sympy.Add(*(w * v for w, v in zip(weights.ravel(), y.ravel(), strict=True)))
    pulled = entry.pullback(seed, node, node.operands, options)
    assert len(pulled) == len(node.operands)
    for operand, expression in zip(node.operands, pulled, strict=True):
        assert expression.shape == operand.shape
        ours = evaluate([expression], {**leaves, seed: weights}, SIZES, s)[0]
        for place in np.ndindex(ours.shape):
            assert agree(sympy.diff(paired, leaves[operand][place]), ours[place], values), place


@as_functions([e for e in SAMPLES if PRIMITIVES[e.primitive].definition is not None])
def test_a_primitives_definition_has_the_values_of_its_forward_form(node):
    definition = PRIMITIVES[node.primitive].definition(node.operands, dict(node.options))
    leaves = {e: numbers_for(e, i) for i, e in enumerate(node.operands)}
    ours, theirs = evaluate([definition, node], leaves, SIZES, Reals(50))
    assert ours.shape == theirs.shape
    assert all(abs(a - b) < 1e-40 for a, b in zip(ours.ravel(), theirs.ravel(), strict=True))


@as_functions(
    [e for e in SAMPLES if (f := PRIMITIVES[e.primitive].local) is not None and f(e, dict(e.options)) is not None]
)
def test_a_primitives_local_derivative_is_that_of_its_forward_form(node):
    local, _ = PRIMITIVES[node.primitive].local(node, dict(node.options))
    (x,) = node.operands
    leaves = {x: symbols_for(x, "x_")}
    values = dict(zip(leaves[x].ravel(), rationals(leaves[x].size, 7), strict=True))
    y, ours = evaluate([node, local], leaves, SIZES, Explicit(values))
    # Entry (…, j, q) is ∂y[…, j]/∂x[…, q], row by row.
    for place in np.ndindex(ours.shape):
        *row, j, q = place
        assert agree(sympy.diff(y[(*row, j)], leaves[x][(*row, q)]), ours[place], values), place


def numbers_for(e, seed):
    shape, s = SIZES.shape(e.shape), Reals(50)
    if e.role is Role.LABELS:
        return np.array([j % SIZES.at(e.value) for j in range(shape[0])], dtype=object)
    a = np.array([s.number(x) for x in map(Fraction, map(str, rationals(int(np.prod(shape)), seed)))], dtype=object)
    a = a.reshape(shape)
    return a + 6 * np.eye(len(a), dtype=int) if a.ndim == 2 and shape[0] == shape[1] else a


@as_functions(list(SAMPLES))
def test_a_primitives_code_has_the_value_of_its_forward_form(node):
    leaves = {e: numbers_for(e, i) for i, e in enumerate(node.operands)}
    exact = evaluate([node], leaves, SIZES, Reals(50))[0]
    f = predicting(node)
    sizes = {a.name: SIZES.names[a.name] for a in f.arguments if a.role == "size"}
    ours = f.predict(**{e.name: a.astype(float) for e, a in leaves.items()}, **sizes)
    assert np.shape(ours) == exact.shape
    np.testing.assert_allclose(ours, exact.astype(float), rtol=1e-12, atol=1e-14)


# The three laws, against PyTorch.


def torch_value(torch, e, tensors, sizes):
    """A contraction or a leaf in PyTorch; axes that no operand holds are filled by ones."""
    if isinstance(e, Leaf):
        return torch.eye(sizes.at(e.shape[0]), dtype=torch.float64) if e.role is Role.IDENTITY else tensors[e]
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = ["".join(letters[i] for i in own) for own in e.indices]
    values = [torch_value(torch, x, tensors, sizes) for x in e.operands]
    for axis in set(range(e.rank)) - {i for own in e.indices for i in own}:
        names.append(letters[axis])
        values.append(torch.ones(sizes.at(e.shape[axis]), dtype=torch.float64))
    return torch.einsum(f"{','.join(names)}->{letters[: e.rank]}", *values)


def random_contraction(seed):
    """Up to three operands of up to three axes: repeated indices, sums, broadcasts, transposes, the same array twice."""
    r = random.Random(seed)
    sizes = [Size.symbol(name) for name in "ndk"]
    extent = {i: r.choice(sizes) for i in range(5)}
    operands, indices = [], []
    for place in range(r.randint(1, 3)):
        own = tuple(r.choice(range(5)) for _ in range(r.randint(0, 3)))
        shape = tuple(extent[i] for i in own)
        twin = next((e for e in operands if e.shape == shape), None)
        operands.append(twin if twin is not None and r.random() < 0.5 else leaf(f"x{place}", shape, Role.DATA))
        indices.append(own)
    free = [i for i in range(5) if r.random() < 0.5]
    order = {i: axis for axis, i in enumerate(free)} | {i: 10 + i for i in range(5) if i not in free}
    shape = tuple(extent[i] for i in free)
    return contraction(operands, [[order[i] for i in own] for own in indices], shape)


@pytest.mark.parametrize("seed", range(60))
def test_a_contractions_cotangents_are_contractions(seed):
    torch = pytest.importorskip("torch", reason="PyTorch is the outside oracle; install symgrad[oracle]")
    node = random_contraction(seed)
    if isinstance(node, Leaf):
        node = contraction([node], [tuple(range(node.rank, 2 * node.rank))], ())
    generator = torch.Generator().manual_seed(seed)

    def tensor(e):
        return torch.randn(SIZES.shape(e.shape), generator=generator, dtype=torch.float64)

    seed_leaf = leaf("z", node.shape, Role.COTANGENT)
    weights = tensor(node)
    for place, operand in enumerate(node.operands):
        # One place at a time varies: where an array stands twice, its places contribute one by one.
        tensors = {e: tensor(e) for e in node.operands} | {seed_leaf: weights}
        varied = leaf("varied", operand.shape, Role.PARAMETER)
        operands = [varied if j == place else e for j, e in enumerate(node.operands)]
        tensors[varied] = tensor(operand).requires_grad_()
        moved = contraction(operands, node.indices, node.shape)
        if isinstance(moved, Leaf):
            continue
        (torch_value(torch, moved, tensors, SIZES) * weights).sum().backward()
        cotangent = contraction_cotangent(moved, place, seed_leaf)
        assert cotangent.shape == operand.shape
        ours = torch_value(torch, cotangent, tensors, SIZES).detach()
        torch.testing.assert_close(ours, tensors[varied].grad, rtol=1e-12, atol=1e-12)


def test_the_random_contractions_hold_every_kind():
    nodes = [random_contraction(seed) for seed in range(60)]
    kinds = {
        "diagonal": lambda e: any(len(set(own)) < len(own) for own in e.indices),
        "sum": lambda e: any(i >= e.rank for own in e.indices for i in own),
        "broadcast": lambda e: set(range(e.rank)) - {i for own in e.indices for i in own},
        "array twice": lambda e: len(set(e.operands)) < len(e.operands),
        "scalar operand": lambda e: any(not own for own in e.indices),
    }
    for kind, is_one in kinds.items():
        assert sum(bool(is_one(e)) for e in nodes if not isinstance(e, Leaf)) >= 5, kind


def test_linearity_scales_the_cotangent():
    x, y = sg.parameter("x", n), sg.data("y", n)
    node = linear([(Fraction(-3, 7), x), (5, y)])
    seed = leaf("z", node.shape, Role.COTANGENT)
    (pulled,) = pull_back(seed, node, None, [x]).values()
    assert pulled.rule == "linearity"
    assert str(pulled.cotangent) == "-3 * z_bar / 7"


def test_what_is_used_twice_gets_the_sum_of_both_contributions():
    # d(xᵀAx)/dx by place: Ax from the left use, Aᵀx from the right one; a pattern 2Ax would be wrong.
    A, x = sg.data("A", n, n), sg.parameter("x", n)
    (pulled,) = pull_back(sg.data("z"), x @ A @ x, None, [x]).values()
    s = Explicit({})
    leaves = {e: symbols_for(e, e.name) for e in (A, x)} | {sg.data("z"): np.array(sympy.S.One, dtype=object)}
    value, ours = evaluate([x @ A @ x, pulled.cotangent], leaves, SIZES, s)
    for place, symbol in enumerate(leaves[x]):
        assert sympy.expand(sympy.diff(value[()], symbol) - ours[place]) == 0


# Facts: what proofs sample from has the fact.


class Numbers:
    """Draws floats where proofs draw rationals."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def number_of(self, count):
        return self.random.randrange(count)

    def real(self):
        return self.random.uniform(-1, 1)

    def positive(self):
        return self.random.uniform(0.2, 1.7)


def holds(fact, entries, shape):
    a = np.array([float(x) for x in entries]).reshape(shape)
    return bool(eval(fact.check.format("a"), {"np": np, "a": a}))  # the table's own condition, as compiled code has it


@pytest.mark.parametrize("fact", FACTS.values(), ids=list(FACTS))
@pytest.mark.parametrize("seed", range(5))
def test_what_a_fact_draws_has_the_fact(fact, seed):
    assert holds(fact, fact.draw(Numbers(seed), (3, 3)), (3, 3))


@pytest.mark.parametrize("fact", FACTS.values(), ids=list(FACTS))
def test_a_facts_check_refuses_an_array_without_it(fact):
    assert not holds(fact, [0.5, -1.5, 2.0, 0.25, -0.75, 3.0, -2.5, 1.5, 0.1], (3, 3))


@pytest.mark.parametrize("fact", [f for f in FACTS.values() if f.every is not None], ids=lambda f: f.name)
def test_a_facts_enumeration_has_the_fact_and_misses_nothing(fact):
    shape, every = (2, 3), [tuple(a) for a in fact.every((2, 3))]
    assert all(holds(fact, a, shape) for a in every)
    assert len(set(every)) == len(every)
    # Every array with entries -1, 0 or 1 that has the fact is in the list.
    assert set(every) == {a for a in product((-1, 0, 1), repeat=6) if holds(fact, a, shape)}


@pytest.mark.parametrize("fact", [f for f in FACTS.values() if f.entries is not None], ids=lambda f: f.name)
def test_a_facts_free_entries_have_what_the_fact_says_in_equations(fact):
    a = np.array(fact.entries(lambda: sympy.Dummy(real=True), (3, 3)), dtype=object).reshape(3, 3)
    free = {x for e in a.ravel() for x in e.free_symbols}
    if fact.name == "one_hot":  # rows that sum to 1, and nothing else
        assert all(sympy.expand(sum(row)) == 1 for row in a)
    else:
        assert all(sympy.expand(a[i, j] - a[j, i]) == 0 for i, j in np.ndindex(3, 3))
        values = dict(zip(sorted(free, key=str), rationals(len(free), 1), strict=True))
        assert holds(fact, [x.subs(values) for x in a.ravel()], (3, 3))
    # As general as the fact: three rows of two, or a triangle of six; fewer would prove too much.
    assert len(free) == 6
