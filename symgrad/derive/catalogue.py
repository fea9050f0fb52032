"""The tables walked: every function and primitive applied to arrays by name, with the derivative that its entry gives.

Nothing is listed here by hand. An entry is tried on arrays of a few shapes until it takes them, so that a new one shows
itself as soon as it stands in its table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from inspect import signature
from itertools import product
from typing import Any

import sympy

from symgrad.derive.derivation import Derivation
from symgrad.derive.engine import derive
from symgrad.derive.proof import prove
from symgrad.derive.reverse import local_derivatives
from symgrad.errors import InputError, SymgradError
from symgrad.fields import Symbolic
from symgrad.graph.expression import Apply, Elementwise, Expr, Leaf, Role, Shape, elementwise, leaf, total
from symgrad.graph.sizes import ZERO, Size
from symgrad.graph.walk import postorder, use_counts
from symgrad.primitives.entry import Function, Primitive
from symgrad.primitives.functions import FUNCTIONS
from symgrad.primitives.table import PRIMITIVES
from symgrad.records import dataclass
from symgrad.rewrite.convert import substitute, to_form
from symgrad.rewrite.cost import cost
from symgrad.rewrite.display import written

N, D = Size.symbol("n"), Size.symbol("d")
# In the order in which an entry is offered them.
SHAPES: tuple[Shape, ...] = ((N, D), (N, N), (N,))
# A family of functions is shown by this member of it.
MEMBER = Fraction(3)
# A pullback of more symbols than LONGEST gets names for what it holds more than once, unless that is SHORT.
LONGEST, SHORT = 40, 4
LETTERS = "MSTUV"


@dataclass(frozen=True, slots=True)
class Sample:
    """An entry applied to arrays: the node, its value by name, what each operand gets.

    `slopes` are derivatives of a function, and of a primitive the cotangents that its pullback gives for that of its
    value, ȳ; None where it is 0. `cases` are a function's body, each case with SymPy's condition for it, which is True for
    the last; `definition` is a primitive's in the model language. `shared` names, inner ones first, what long slopes hold
    more than once.
    """

    entry: Function | Primitive
    node: Expr
    value: Leaf
    operands: tuple[Leaf, ...]
    slopes: tuple[Expr | None, ...]
    cases: tuple[tuple[Expr, Any], ...] = ()
    definition: Expr | None = None
    shared: tuple[tuple[Leaf, Expr], ...] = ()

    @property
    def numpy(self) -> str:
        """The NumPy expression that the entry emits for these operands; empty where code is made otherwise."""
        names = [e.name for e in self.operands]
        if isinstance(self.entry, Function):
            return self.entry.numpy.format(*names)
        assert isinstance(self.node, Apply)
        options = {key: _as_code(value) for key, value in self.node.options}
        return self.entry.numpy(names, options, [e.rank for e in self.operands])


def _as_code(value: Any) -> Any:
    """A size, or a tuple of sizes, as it stands in code."""
    if isinstance(value, tuple) and any(isinstance(x, Size) for x in value):
        return tuple(map(str, value))
    return str(value) if isinstance(value, Size) else value


def samples() -> tuple[Sample, ...]:
    """Every entry of both tables, functions first, in the order of the tables.

    >>> [str(s.slopes[0]) for s in samples() if s.entry.name in ("tanh", "inv")]
    ['1 - tanh(x)**2', '-Y.T @ Y_bar @ Y.T']
    """
    functions = [_function(entry) for entry in FUNCTIONS.values()]
    return (*(s for s in functions if s is not None), *map(_primitive, PRIMITIVES.values()))


# ---- functions


def _function(entry: Function) -> Sample | None:
    """The function of numbers named as its body names them; None for a family whose member has to be given whole."""
    names = list(signature(entry.body).parameters)[1:]
    if entry.is_family:
        names = names[:-1]
    if len(names) != entry.arity or len(signature(entry.body).parameters) < 2:
        return None
    operands = tuple(leaf(name, (), Role.DATA) for name in names)
    node = elementwise(entry.name, *operands, parameter=MEMBER if entry.is_family else None)
    assert isinstance(node, Elementwise)
    symbols = [sympy.Symbol(name, real=True) for name in names]
    body = entry.body(Symbolic(), *symbols, *([MEMBER] if entry.is_family else []))
    slopes = tuple(None if d is None else written(d) for d in local_derivatives(node, node))
    pairs = body.args if isinstance(body, sympy.Piecewise) else [(body, True)]
    cases = tuple((elementwise("scalar", *operands, parameter=sympy.Lambda(tuple(symbols), e)), c) for e, c in pairs)
    return Sample(entry, node, leaf("y", (), Role.INTERMEDIATE), operands, slopes, cases)


# ---- primitives


def _primitive(entry: Primitive) -> Sample:
    """The primitive of the first arrays that it takes."""
    tried = list(_applications(entry))
    if not tried:
        raise InputError(f"{entry.name} takes none of the arrays that the catalogue offers it; give it more of them")
    operands, node = tried[0]
    assert isinstance(node, Apply)
    options = dict(node.options)
    is_matrix = node.rank > 1
    value = leaf("Y" if is_matrix else "y", node.shape, Role.INTERMEDIATE)
    seed = leaf(f"{value.name}_bar", node.shape, Role.INTERMEDIATE)
    pulled = entry.pullback(seed, value, node.operands, options)
    slopes = tuple(None if _is_zero(e) else written(e) for e in pulled)
    shared = _shared([e for e in slopes if e is not None])
    names: dict[Expr, Expr] = {e: name for name, e in shared}
    slopes = tuple(None if e is None else substitute(e, names) for e in slopes)
    # Each may hold the ones before it.
    shown = tuple((name, substitute(e, {k: v for k, v in names.items() if k is not e})) for name, e in shared)
    definition = entry.definition(node.operands, options) if entry.definition is not None else None
    return Sample(entry, node, value, operands, slopes, definition=definition, shared=shown)


def _shared(slopes: Sequence[Expr]) -> list[tuple[Leaf, Expr]]:
    """Names for what stands more than once in slopes too long to be read."""
    found: list[tuple[Leaf, Expr]] = []
    if max((cost(e) for e in slopes), default=0) > LONGEST:
        counts = use_counts(postorder(slopes))
        again = [e for e, count in counts.items() if count > 1 and cost(e) > SHORT and isinstance(e, Apply)]
        found = [(leaf(name, e.shape, Role.INTERMEDIATE), e) for name, e in zip(LETTERS, again, strict=False)]
    return found


def _is_zero(e: Expr) -> bool:
    return not to_form(e).terms


def _applications(entry: Primitive) -> Iterator[tuple[tuple[Leaf, ...], Expr]]:
    arity = entry.arity or 2
    # What goes over all axes is said most simply of a vector.
    shapes = SHAPES[::-1] if "axis" in entry.options and entry.options["axis"] is None else SHAPES
    for operands in (*_arrays(arity, shapes), *_labels(arity)):
        for options in _options(entry, operands):
            try:
                node = entry(*operands, **options)
            except (SymgradError, TypeError):
                continue
            if isinstance(node, Apply):
                yield operands, node


def _arrays(arity: int, known: Sequence[Shape]) -> Iterator[tuple[Leaf, ...]]:
    """Arrays X, or A and b, of every choice of shapes."""
    letters = ("x",) if arity == 1 else tuple("abcefg"[:arity])
    for shapes in product(known, *[SHAPES[::-1]] * (arity - 1)):
        yield tuple(
            leaf(name.upper() if len(shape) > 1 else name, shape, Role.DATA)
            for name, shape in zip(letters, shapes, strict=True)
        )


def _labels(arity: int) -> Iterator[tuple[Leaf, ...]]:
    """Labels, alone or behind a matrix whose rows they choose."""
    labels = leaf("c", (N,), Role.LABELS, value=D)
    yield (labels,) if arity == 1 else (leaf("X", (N, D), Role.DATA),) * (arity - 1) + (labels,)


def _options(entry: Primitive, operands: Sequence[Leaf]) -> Iterator[Mapping[str, Any]]:
    """What does nothing by default with something in it (one zero before, one behind); the defaults; then a shape or a
    place, where there is no default.
    """
    zeros = [key for key, value in entry.options.items() if value == ZERO or (type(value) is int and value == 0)]
    idle = {key: 1 for key in zeros if key != "axis"}
    if idle:
        yield idle
    yield {}
    missing = [key for key, value in entry.options.items() if value is None and key != "axis"]
    yield {key: tuple(reversed(operands[0].shape)) for key in missing}
    yield dict.fromkeys(missing, Size.constant(2))


# ---- laws


@dataclass(frozen=True, slots=True)
class Law:
    """One of the laws of differentiation, shown on a value that is made by it."""

    name: str
    derivation: Derivation


def laws() -> tuple[Law, ...]:
    """The three laws, each by the smallest derivation whose first step uses it and nothing else, proved.

    >>> [(law.name, str(law.derivation.gradients["X"])) for law in laws()][1]
    ('contraction', 'exp(Z) @ W.T')
    """
    k = Size.symbol("k")
    x, w, v = (leaf(name, shape, Role.PARAMETER) for name, shape in (("X", (N, D)), ("W", (D, k)), ("V", (N, D))))
    made = {"linearity": 2 * x - v, "contraction": x @ w, "elementwise": elementwise("tanh", x)}
    found = []
    for number, (name, z) in enumerate(made.items(), 1):
        derivation = prove(derive(total(elementwise("exp", z)), names={z: "Z"}, wrt=["X"], order=["X", "V", "W"]))
        found.append(Law(name, _numbered(derivation, number, len(made))))
    return tuple(found)


def _numbered(derivation: Derivation, first: int, apart: int) -> Derivation:
    """The derivation with a number of its own for its first equation, and no other number below `apart`."""
    labels = {eq.label: first if not k else apart + k for k, eq in enumerate(derivation.forward)}
    forward = tuple(replace(eq, label=labels[eq.label]) for eq in derivation.forward)
    backward = tuple(
        replace(eq, contributions=tuple(replace(c, label=labels[c.label]) for c in eq.contributions))
        for eq in derivation.backward
    )
    return replace(derivation, forward=forward, backward=backward)
