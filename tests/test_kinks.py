"""At a kink the compiled derivative lies between the one-sided slopes, and the page names the convention.

The slopes are differences of 50-digit values to the right and to the left, found by symgrad's forward forms alone: no rule
of differentiation takes part. The tables are walked, so that a new entry is looked at without a word here.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

import symgrad as sg
from symgrad.compile.function import compile_derivation
from symgrad.derive.engine import derive
from symgrad.errors import InputError, NotFiniteWarning, SymgradError
from symgrad.evaluate import Assignment, evaluate
from symgrad.explain.sentences import KINKS_MEET
from symgrad.fields import Reals
from symgrad.formats.escape import markdown_text
from symgrad.graph.expression import Leaf, Role, elementwise
from symgrad.graph.walk import postorder
from symgrad.primitives.entry import Function
from symgrad.primitives.functions import FUNCTIONS
from symgrad.primitives.table import PRIMITIVES

REALS = Reals(50)
STEP = Fraction(1, 10**20)
JUMP = 1e12  # a slope beyond this is a jump, whose derivative is 0 by convention
GRID = [Fraction(p, 2) for p in (-4, -2, -1, 0, 1, 2, 4)]
EXPONENTS = [Fraction(e) for e in ("1/2", "3/2", "2", "3", "-1", "-2", "2/3")]
# A SymPy Lambda is the user's own: no table knows its kinks.
WITHOUT_TABLE = {"scalar"}
# What an entry asks of its operands besides `positive` and `domain`; elsewhere it means nothing.
IS_MEANT = {"clip": lambda x, low, high: low < high, "where": lambda c, x, y: c in (0, 1)}
# Operands that do not move: a condition is 0 or 1, and the comparison that gives it states its own convention.
FIXED = {("where", 0)}
n, d, m = sg.dims("n d m")


# ---- one-sided slopes


def real(value):
    return REALS.number(Fraction(value))


def slopes(value_at):
    """(to the left, to the right) of a function of a small step; None where it has no value."""
    try:
        low, middle, high = (value_at(h) for h in (-STEP, Fraction(0), STEP))
    except (ZeroDivisionError, ValueError, TypeError):  # the last is mpmath's word for some singular matrices
        return None
    if any(REALS.context.isnan(v) or REALS.context.isinf(v) for v in (low, middle, high)):
        return None
    return float((middle - low) / real(STEP)), float((high - middle) / real(STEP))


def is_kink(pair):
    return pair is not None and abs(pair[0] - pair[1]) > 1e-9


def is_jump(pair):
    return max(map(abs, pair)) > JUMP


def assert_between(found, pair, what):
    if pair is None:
        return
    assert np.isfinite(found), what
    if is_jump(pair):
        assert found == 0, f"{what}: it jumps; the derivative is {found}, not 0"
        return
    low, high = min(pair), max(pair)
    assert low - 1e-12 <= found <= high + 1e-12, f"{what}: {found} is not between {low} and {high}"


# ---- every function, in each of its arguments, on a grid of exact points


def cases(entry):
    """The points of the grid at which an entry is meant to have a value."""
    at = np.array(list(product(GRID, repeat=entry.arity)), dtype=object)
    kept = [all(point[k] > 0 for k in entry.positive) for point in at]
    is_meant = IS_MEANT.get(entry.name, lambda *_: True)
    return [tuple(point) for point, is_kept in zip(at, kept, strict=True) if is_kept and is_meant(*point)]


def function_cases():
    for name, entry in FUNCTIONS.items():
        for parameter in EXPONENTS if entry.is_family else [None]:
            if name not in WITHOUT_TABLE:
                yield from ((name, parameter, k) for k in range(entry.arity) if (name, k) not in FIXED)


def slopes_of(entry, point, k, parameter):
    extra = () if parameter is None else (parameter,)

    def value(h):
        moved = [real(v + h if j == k else v) for j, v in enumerate(point)]
        return entry.body(REALS, *moved, *extra)

    return slopes(value)


@pytest.mark.parametrize(("name", "parameter", "k"), list(function_cases()))
def test_a_function_at_its_kinks(name, parameter, k):
    """Between the slopes wherever there are two, with the other operands data; no kink without its text."""
    entry = FUNCTIONS[name]
    known = [(point, pair) for point in cases(entry) if (pair := slopes_of(entry, point, k, parameter)) is not None]
    assert known, "the grid has no point of the domain"
    kinked = [point for point, pair in known if is_kink(pair) or is_jump(pair)]
    # A root has no slope at 0: the point is outside the domain of the derivative, and left of it there is no value.
    assert entry.kink is not None or not kinked, f"{name} has a kink at {kinked[0]} and no text for it"
    operands = [(sg.parameter if j == k else sg.data)(f"x{j}", n) for j in range(entry.arity)]
    e = elementwise(name, *operands, parameter=parameter)
    f = compile_derivation(derive(sg.sum(e)))
    arrays = {f"x{j}": np.array([float(point[j]) for point, _ in known]) for j in range(entry.arity)}
    _, gradients = f(**{a.name: arrays[a.name] for a in f.arguments if a.is_array}, **_sizes(f, len(known)))
    for (point, pair), found in zip(known, gradients[f"x{k}"], strict=True):
        assert_between(found, pair, f"∂{name}/∂x{k} at {tuple(map(str, point))}")


def _sizes(f, count):
    return {a.name: count for a in f.arguments if a.role == "size"}


def test_each_text_has_its_kink():
    """A text is no ornament: somewhere on the grid its function has two slopes."""
    for name, entry in FUNCTIONS.items():
        if entry.kink is None:
            continue
        points = [(point, k) for point in cases(entry) for k in range(entry.arity)]
        assert any((pair := slopes_of(entry, p, k, None)) and (is_kink(pair) or is_jump(pair)) for p, k in points), name


@pytest.mark.parametrize("name", [name for name, e in FUNCTIONS.items() if e.arity > 1 and e.kink is not None])
def test_a_function_with_numbers_beside_the_parameter(name):
    """max(c, x) has a rule of its own for a constant."""
    entry = FUNCTIONS[name]
    for k in range(entry.arity):
        for point in cases(entry):
            pair = slopes_of(entry, point, k, None)
            if not is_kink(pair):
                continue
            x = sg.parameter("x")
            f = compile_derivation(derive(elementwise(name, *[x if j == k else v for j, v in enumerate(point)])))
            _, gradients = f(x=float(point[k]))
            assert_between(gradients["x"], pair, f"∂{name}/∂x{k} at {tuple(map(str, point))} beside numbers")


# ---- every primitive, at every small array of whole numbers


def primitive_cases():
    x, square = sg.parameter("x", m, d), sg.parameter("x", d, d)
    for name, entry in PRIMITIVES.items():
        for operand in (x, square, sg.parameter("x", d)):
            for options in ({"axis": -1}, {"axis": 0}, {}):
                others = [sg.data(f"b{j}", d) for j in range((entry.arity or 1) - 1)]
                try:
                    yield name, entry(operand, *others, **options), operand
                except (SymgradError, TypeError, KeyError):
                    continue


CASES = list(primitive_cases())


def test_every_primitive_with_a_kink_is_looked_at():
    assert {name for name, e in PRIMITIVES.items() if e.kink is not None} <= {name for name, *_ in CASES}


@pytest.mark.parametrize(("name", "e", "x"), CASES, ids=[f"{name}-{e}" for name, e, _ in CASES])
def test_a_primitive_at_its_kinks(name, e, x):
    random = np.random.RandomState(7)
    arrays = [random.randint(-1, 2, size=[2] * x.rank) for _ in range(12)]
    arrays += [np.zeros([2] * x.rank, int), np.ones([2] * x.rank, int)]
    weights = sg.data("v", *e.shape) if e.rank else None
    loss = sg.sum(e * weights) if weights is not None else e
    f = compile_derivation(derive(loss))
    is_kinked = False
    for a in arrays:
        others = {
            leaf.name: np.array([1, -2])[: leaf.rank or 1] for leaf in leaves_of(loss) if leaf.name.startswith("b")
        }
        given = {"x": a, **others}
        if weights is not None:
            given["v"] = np.arange(1, 1 + 2**e.rank).reshape([2] * e.rank)
        pairs = {place: slopes_of_loss(loss, given, "x", place) for place in np.ndindex(*a.shape)}
        if any(pair is None for pair in pairs.values()):
            continue  # outside the domain: a singular matrix
        is_kinked |= any(is_kink(pair) for pair in pairs.values())
        try:
            _, gradients = f(**{b.name: given[b.name] for b in f.arguments if b.is_array}, **_sizes(f, 2))
        except (InputError, NotFiniteWarning):
            # A determinant has a value where its gradient, by the inverse, has none: so its domain says.
            assert PRIMITIVES[name].domain is not None, name
            continue
        for place, pair in pairs.items():
            assert_between(gradients["x"][place], pair, f"∂{e}/∂x{list(place)} at {a.tolist()}")
    assert not is_kinked or PRIMITIVES[name].kink is not None, f"{name} has a kink and no text for it"


def leaves_of(e):
    constants = {Role.NUMBER, Role.SIZE, Role.IDENTITY, Role.WINDOW}
    return [node for node in postorder([e]) if isinstance(node, Leaf) and node.role not in constants]


def slopes_of_loss(loss, arrays, name, place):
    """The slopes of a loss by one entry of one array."""
    leaves = {e.name: e for e in leaves_of(loss)}
    sizes = {}
    for leaf_name, e in leaves.items():
        for size, length in zip(e.shape, np.shape(arrays[leaf_name]), strict=True):
            if size.is_name:
                sizes[size.names[0]] = length

    def value(h):
        values = {}
        for leaf_name, e in leaves.items():
            a = np.empty(np.shape(arrays[leaf_name]), dtype=object)
            for at in np.ndindex(*a.shape):
                own = Fraction(np.asarray(arrays[leaf_name])[at].item())
                a[at] = real(own + h if (leaf_name, at) == (name, place) else own)
            values[e] = a
        return evaluate([loss], values, Assignment(sizes), REALS)[0].item()

    return slopes(value)


# ---- losses that are made of several

x, a, W, t = sg.parameter("x", n), sg.data("a", n), sg.parameter("W", n, d), sg.parameter("t")
AT = {"x": np.array([-1.0, 0.0, 1.0]), "a": np.array([-1.0, 0.0, 2.0])}
COMPOSITES = {
    "the square of a rectifier": sg.sum(sg.relu(x) ** 2),
    "a rectifier of a rectifier": sg.sum(sg.relu(sg.relu(x) - 0)),
    "distances": sg.sum(sg.abs(x - a)) / n,
    "a distance cubed": sg.sum(sg.abs(x) ** 3),
    "the lasso": sg.sum((x - a) ** 2) + Fraction(1, 2) * sg.sum(sg.abs(x)),
    "a hinge": sg.mean(sg.maximum(0, 1 - x)),
    "a squared hinge": sg.mean(sg.maximum(0, 1 - x) ** 2),
    "a tie with data": sg.sum(sg.maximum(x, a)),
    "a tie of two expressions": sg.sum(sg.maximum(x, x**2)),
    "a value with itself": sg.sum(sg.maximum(x, x)),
    "a tie with its negative": sg.sum(sg.maximum(x, -x)),
    "the smaller": sg.sum(sg.minimum(x, 0)) + sg.sum(sg.minimum(x, a)),
    "clipped at its bounds": sg.sum(sg.clip(x, -1, 1)),
    "clipped and squared": sg.sum(sg.clip(x, 0, 1) ** 2),
    "two bends of Huber's": sg.sum(sg.huber(x, 1)),
    "norms of rows": sg.sum(sg.norm(W, axis=1)),
    "norms spelled out": sg.sum(sg.sqrt(sg.sum(W**2, axis=1))) + sg.sqrt(sg.sum(W * W)) + sg.sqrt(x @ x),
    "norms spelled out that keep their axis": sg.sum(sg.sqrt(sg.sum(W**2, axis=0, keepdims=True))),
    "a norm of differences": sg.norm(W[:, None, :] - W[None, :, :]),
    "a norm beside a square": sg.norm(W) + sg.sum(W**2),
    "the square of a norm": sg.norm(x - a) ** 2,
    "the cube of a norm": sg.norm(W) ** 3,
    "two branches": sg.sum(sg.where(x > 0, x**2, -x)),
    "two branches that meet": sg.sum(sg.where(x >= 0, x**3, x**2)),
    "a leak": sg.sum(sg.where(x > 0, x, x / 10)),
    "exponential and linear": sg.sum(sg.where(x > 0, x, sg.exp(x) - 1)),
    "a mask of data": sg.sum(sg.where(a > 0, sg.abs(x), sg.relu(x))),
}


@pytest.mark.parametrize("what", COMPOSITES)
def test_a_loss_at_its_kinks(what):
    loss = COMPOSITES[what]
    given = {**AT, "W": np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])}
    for arrays in (given, {**given, "W": np.zeros((3, 2))}):
        f = compile_derivation(derive(loss))
        own = {leaf.name: arrays[leaf.name] for leaf in leaves_of(loss)}
        _, gradients = f(**{b.name: own[b.name] for b in f.arguments if b.is_array}, **_sizes(f, 3))
        for name, gradient in gradients.items():
            for place in np.ndindex(*gradient.shape):
                pair = slopes_of_loss(loss, own, name, place)
                assert pair is not None
                assert_between(gradient[place], pair, f"{what}: ∂/∂{name}{list(place)}")


def test_kinks_that_cancel():
    """relu(x) - relu(-x) is x: each convention is between its slopes, the difference is not. The page says both."""
    loss = sg.relu(t) - sg.relu(-t)
    _, gradients = compile_derivation(derive(loss))(t=0.0)
    assert gradients["t"] == 0
    page = sg.Problem(loss).explain()
    assert FUNCTIONS["relu"].kink.en in page
    assert KINKS_MEET.en in page
    assert KINKS_MEET.en not in sg.Problem(sg.relu(t) + t).explain()


# ---- what the page says

TEXTS = {name: e.kink for name, e in {**FUNCTIONS, **PRIMITIVES}.items() if e.kink is not None}


def kinks_named(explain):
    """The conventions that a page prints, the same in both languages."""
    pages = {language: explain(language=language) for language in ("en", "zh")}
    found = {
        language: {t.en for t in TEXTS.values() if markdown_text(t.to(language)) in page}
        for language, page in pages.items()
    }
    assert found["en"] == found["zh"]
    assert ("Convention at kinks." in pages["en"]) == bool(found["en"]) == ("不可导点：" in pages["zh"])
    return found["en"]


def use_of(entry):
    """A loss that uses an entry of a parameter, and nothing else that has a kink."""
    if isinstance(entry, Function):
        return sg.sum(x**2 * elementwise(entry.name, x, *[a] * (entry.arity - 1)))
    e = next(e for name, e, operand in CASES if name == entry.name)
    return sg.sum(e**3)


@pytest.mark.parametrize("name", TEXTS)
def test_the_page_names_the_convention(name):
    entry = FUNCTIONS.get(name) or PRIMITIVES[name]
    assert kinks_named(sg.Problem(use_of(entry)).explain) == {entry.kink.en}


@pytest.mark.parametrize("name", [name for name in TEXTS if name in FUNCTIONS])
def test_a_kink_of_data_alone_is_none(name):
    """Nothing is differentiated there, and the page is silent."""
    features = elementwise(name, a, *[sg.data(f"a{j}", n) for j in range(FUNCTIONS[name].arity - 1)])
    assert kinks_named(sg.Problem(sg.mean((x * features - a) ** 2)).explain) == set()


QUIET = {
    "a smooth loss": sg.mean((sg.tanh(x) - a) ** 2),
    "the square of a norm": sg.norm(x - a) ** 2,
    "Huber's function, whose slope has a kink and which has none": sg.sum(sg.huber(x - a, 1)),
    "a mask of data": sg.sum(sg.where(a > 0, x**2, x)),
}


@pytest.mark.parametrize("what", QUIET)
def test_the_page_is_silent_where_there_is_no_kink(what):
    assert kinks_named(sg.Problem(QUIET[what]).explain) == set()


def test_a_condition_on_a_parameter_is_named():
    problem = sg.Problem(sg.sum(sg.where(x > a, x**2, x)))
    assert kinks_named(problem.explain) == {TEXTS["greater"].en}


def test_a_kink_that_only_the_second_derivative_meets():
    """Huber's slope is clip(r, -δ, δ): smooth enough for the gradient, with a kink for the Hessian."""
    problem = sg.Problem(sg.sum(sg.huber(x - a, 1)))
    assert kinks_named(problem.hessian("x").explain) == {TEXTS["clip"].en}
    assert kinks_named(sg.Problem(sg.sum(sg.relu(a) * x**2)).hessian("x").explain) == set()
    page = sg.Problem(sg.sum(sg.relu(a) * x**2)).hessian("x").explain()
    assert "The loss has kinks" not in page


def test_vjp_jacobian_and_jvp_name_it_too():
    for product_ in (sg.vjp(sg.relu(x), x), sg.jacobian(sg.relu(x), x), sg.jvp(sg.relu(x), x)):
        assert kinks_named(product_.explain) == {TEXTS["relu"].en}
    for product_ in (sg.vjp(x * sg.relu(a), x), sg.jvp(x * sg.relu(a), x)):
        assert kinks_named(product_.explain) == set()
