"""The expression graph: five kinds of immutable, interned, shape-typed nodes, and NumPy's operators on them.

| node | value |
|---|---|
| `Leaf` | a declared array, a number, a size, an identity matrix, or a name given to an intermediate |
| `Linear` | Σₖ cₖ·eₖ with rational cₖ, all of one shape |
| `Contraction` | Πₖ eₖ[indices], summed over every index that is not an axis of the result |
| `Elementwise` | f(e₁, …) entry by entry, f named in the table of functions |
| `Apply` | an entry of the table of primitives applied to whole arrays |

Two nodes of the same content are the same object: equality is identity. `digest` names the content in the same way in
every process. The functions at the end build nodes and check shapes; the operators call them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from hashlib import blake2b
from importlib import import_module
from numbers import Integral, Rational, Real
from typing import Any, ClassVar, NoReturn, TypeVar
from weakref import WeakValueDictionary

from symgrad.errors import InputError, ShapeError
from symgrad.graph.show import show, show_shape
from symgrad.graph.sizes import ONE, ZERO, Size
from symgrad.prose import NO_TEXT, Text, as_text

Shape = tuple[Size, ...]
Number = Fraction | int | float


class Role(Enum):
    """What a leaf stands for."""

    DATA = "data"
    LABELS = "labels"
    PARAMETER = "parameter"
    HYPERPARAMETER = "hyperparameter"
    INTERMEDIATE = "intermediate"
    COTANGENT = "cotangent"
    DIFFERENTIAL = "differential"
    NUMBER = "number"
    SIZE = "size"
    IDENTITY = "identity"
    WINDOW = "window"

    # A role is asked for in every walk; the hash of an enumeration's member is a call of Python.
    __hash__ = object.__hash__


CONSTANT_ROLES = frozenset({Role.NUMBER, Role.SIZE, Role.IDENTITY, Role.WINDOW})


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True, repr=False)
class Expr:
    """A node of the graph, made of its `children`; `shape` holds a size for each axis. Operators are NumPy's."""

    shape: Shape
    # A field, and no property that each kind of node has its own of: walks ask for it at every step.
    children: tuple[Expr, ...]
    # Every node beneath this one once, operands before what uses them (`graph.walk`); None where there are many.
    below: tuple[Expr, ...] | None = field(default=None, init=False)
    _digest: bytes = field(default=b"", init=False)
    # How many symbols the node prints, once they have been counted (`rewrite.cost`).
    symbols: int | None = field(default=None, init=False)

    # NumPy must neither loop over an expression nor make an array of objects of it.
    __array_ufunc__: ClassVar[None] = None
    kind: ClassVar[str]

    @property
    def digest(self) -> bytes:
        """The content, in the same bytes in every process."""
        # Most nodes are never asked for it.
        return self._digest or _digest_of(self)

    @property
    def _content(self) -> object:
        """What the node is besides its kind and its shape, operands by their digests."""
        raise NotImplementedError

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def T(self) -> Expr:
        """The axes in reverse order, as in NumPy."""
        return transpose(self)

    def __str__(self) -> str:
        return show(self)

    def __repr__(self) -> str:
        return f"<{self.kind} {show_shape(self.shape)}: {show(self)}>"

    def _repr_latex_(self) -> str | None:
        """Typeset mathematics in a notebook: IPython asks the object itself. None, plain text then, where it is too long."""
        shown: str | None = import_module("symgrad.notebook").expression(self)
        return shown

    def to_sympy(self, sizes: Mapping[str, int] | None = None, **options: object) -> object:
        """The entries in SymPy at these sizes; `sg.to_sympy` says what the options are."""
        return import_module("symgrad.derive.indexed").to_sympy(self, sizes, **options)

    def __add__(self, other: object) -> Expr:
        return add(self, other)

    def __radd__(self, other: object) -> Expr:
        return add(other, self)

    def __sub__(self, other: object) -> Expr:
        return add(self, other, -1)

    def __rsub__(self, other: object) -> Expr:
        return add(other, self, -1)

    def __mul__(self, other: object) -> Expr:
        return multiply(self, other)

    def __rmul__(self, other: object) -> Expr:
        return multiply(other, self)

    def __truediv__(self, other: object) -> Expr:
        return divide(self, other)

    def __rtruediv__(self, other: object) -> Expr:
        return divide(other, self)

    def __pow__(self, other: object) -> Expr:
        return power(self, other)

    def __rpow__(self, other: object) -> Expr:
        return power(other, self)

    def __matmul__(self, other: object) -> Expr:
        return matmul(self, other)

    def __rmatmul__(self, other: object) -> Expr:
        return matmul(other, self)

    def __neg__(self) -> Expr:
        return scale(-1, self)

    def __pos__(self) -> Expr:
        return self

    def __abs__(self) -> Expr:
        return elementwise("absolute", self)

    def __gt__(self, other: object) -> Expr:
        return elementwise("greater", self, other)

    def __ge__(self, other: object) -> Expr:
        return elementwise("greater_equal", self, other)

    def __lt__(self, other: object) -> Expr:
        return elementwise("greater", other, self)

    def __le__(self, other: object) -> Expr:
        return elementwise("greater_equal", other, self)

    def __and__(self, other: object) -> Expr:
        return multiply(self, other)

    def __eq__(self, other: object) -> NoReturn:
        raise InputError(
            "`==` between expressions has no single answer; write sg.equal(a, b) for [a = b] entry by entry"
        )

    def __ne__(self, other: object) -> NoReturn:
        raise InputError("`!=` between expressions has no single answer; write 1 - sg.equal(a, b)")

    # Identity is equality; the comparison above is for the user's eyes only.
    __hash__ = object.__hash__

    def __bool__(self) -> NoReturn:
        raise InputError(
            "an expression is neither true nor false; use sg.where(condition, a, b), and `&` between comparisons"
        )

    def __or__(self, other: object) -> Expr:
        return elementwise("maximum", self, other)

    def __invert__(self) -> Expr:
        return add(1, self, -1)

    def __array_function__(self, function: Any, *_: object) -> NoReturn:
        # Without it np.mean(e) is e, and np.dot(A, b) is A * b: NumPy takes an expression for a scalar.
        raise InputError(
            f"np.{function.__name__} takes arrays and no expressions; write the function of symgrad, as in sg.sum(…)"
        )

    def __xor__(self, other: object) -> NoReturn:
        raise InputError("^ is no power in Python; write e**2")

    def __iter__(self) -> NoReturn:
        raise InputError("an expression cannot be iterated over; use sums over axes, or declare one leaf for each item")

    def __getitem__(self, key: object) -> Expr:
        return index(self, key)


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Leaf(Expr):
    """A name with a shape. `value` is the number of a NUMBER, the polynomial of a SIZE, a hyperparameter's default."""

    name: str
    role: Role
    facts: frozenset[str]
    about: Text
    value: Fraction | Size | None
    kind: ClassVar[str] = "leaf"

    @property
    def _content(self) -> object:
        """All fields; what is said about it once where both languages say the same."""
        said = self.about.en if self.about.en == self.about.zh else (self.about.en, self.about.zh)
        return self.name, self.role.value, sorted(self.facts), said, self.value


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Linear(Expr):
    """Σₖ cₖ·eₖ, every eₖ of this shape."""

    terms: tuple[tuple[Fraction, Expr], ...]
    kind: ClassVar[str] = "linear"

    @property
    def _content(self) -> object:
        """The terms."""
        return [(str(c), e.digest) for c, e in self.terms]


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Contraction(Expr):
    """Πₖ eₖ[indices[k]]: indices 0 … rank-1 are the axes of the result, every other one is summed."""

    indices: tuple[tuple[int, ...], ...]
    kind: ClassVar[str] = "contraction"
    # The same slot by another name.
    operands: ClassVar[tuple[Expr, ...]] = Expr.children  # type: ignore[misc]

    @property
    def _content(self) -> object:
        """The operands and their indices."""
        return [e.digest for e in self.operands], self.indices


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Elementwise(Expr):
    """f(e₁, …) entry by entry; `parameter` is what a family of functions needs (the exponent of a power)."""

    function: str
    parameter: object
    kind: ClassVar[str] = "elementwise"
    operands: ClassVar[tuple[Expr, ...]] = Expr.children  # type: ignore[misc]

    @property
    def _content(self) -> object:
        """The function, its operands and its parameter."""
        return self.function, [e.digest for e in self.operands], parameter_key(self.parameter)


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Apply(Expr):
    """A primitive applied to whole arrays; `options` are its keyword arguments (an axis)."""

    primitive: str
    options: tuple[tuple[str, object], ...]
    kind: ClassVar[str] = "apply"
    operands: ClassVar[tuple[Expr, ...]] = Expr.children  # type: ignore[misc]

    @property
    def _content(self) -> object:
        """The primitive, its operands and its options."""
        return self.primitive, [e.digest for e in self.operands], self.options

    def option(self, name: str) -> object:
        """The value of a keyword argument."""
        return dict(self.options)[name]


# What is said of a value, a name or facts, and does nothing to it.
MARKS = frozenset({"named", "assume"})

# The formula of a step is walked time after time, and every node remembers what is beneath it. With the nodes of a whole
# program that would be as many places as there are pairs of them.
MOST_BELOW = 64

# Nodes by the very objects that they are made of.
_INTERNED: WeakValueDictionary[tuple[object, ...], Expr] = WeakValueDictionary()


E = TypeVar("E", bound=Expr)


def _intern(made_of: tuple[object, ...], node: E) -> E:
    object.__setattr__(node, "below", _below(node.children))
    _INTERNED[made_of] = node
    return node


def _below(children: tuple[Expr, ...]) -> tuple[Expr, ...] | None:
    """What is beneath a node: its operands, each behind what is beneath it."""
    if not children:
        return ()
    found: list[Expr] = []
    for e in children:
        if e.below is None:
            return None
        found += (*e.below, e)
    order = dict.fromkeys(found) if len(children) > 1 else found
    return tuple(order) if len(order) <= MOST_BELOW else None


def _digest_of(root: Expr) -> bytes:
    """The digest of a node, once those of its operands are there."""
    pending = [root]
    while pending:
        node = pending[-1]
        missing = [e for e in node.children if not e._digest]
        if missing:
            pending += missing
            continue
        pending.pop()
        text = f"{type(node).__name__}|{node.shape}|{node._content}"
        object.__setattr__(node, "_digest", blake2b(text.encode(), digest_size=16).digest())
    return root._digest


def leaf(
    name: str,
    shape: Shape,
    role: Role,
    *,
    facts: Iterable[str] = (),
    about: str | Text = "",
    value: Fraction | Size | None = None,
) -> Leaf:
    """The leaf of this content."""
    known = frozenset(facts)
    said = NO_TEXT if about == "" else _said(name, about)
    made_of = (name, shape, role, known, said.en, said.zh, value)
    found = _INTERNED.get(made_of)
    if isinstance(found, Leaf):
        return found
    return _intern(made_of, Leaf(shape, (), name, role, known, said, value))


def _said(name: str, about: str | Text) -> Text:
    if not isinstance(about, str | Text):
        raise InputError(
            f"about of {name} is a {type(about).__name__}; write a text, or sg.Text(en=…, zh=…) for both languages"
        )
    return as_text(about)


def number(value: Number) -> Leaf:
    """The exact number that was written: 0.1 is 1/10, not the binary fraction nearest to it."""
    exact = value if isinstance(value, (Fraction, int)) else Fraction(str(value))
    found = _INTERNED.get(exact.as_integer_ratio())
    return found if isinstance(found, Leaf) else _number(Fraction(exact))


def _number(exact: Fraction) -> Leaf:
    node = leaf("", (), Role.NUMBER, value=exact)
    _INTERNED[exact.as_integer_ratio()] = node
    return node


def size(value: Size) -> Leaf:
    """A size as a scalar of formulas."""
    return leaf(str(value), (), Role.SIZE, value=value)


def identity(n: Size) -> Leaf:
    """The n × n identity matrix."""
    return leaf("I", (n, n), Role.IDENTITY)


def window(length: Size, width: Size) -> Leaf:
    """δ(u = t + s) for u < length, s < width, t ≤ length - width: the entry u of a sequence is entry s of window t."""
    return leaf("window", (length, length - width + Size.constant(1), width), Role.WINDOW)


def linear(terms: Iterable[tuple[Fraction | int, Expr]]) -> Expr:
    """Σ c·e over terms of one shape; a single e with the coefficient 1 is e itself."""
    exact = tuple([(c if type(c) is Fraction else Fraction(c), e) for c, e in terms])
    made_of = tuple([x for c, e in exact for x in (c.as_integer_ratio(), e)])
    if len(exact) == 1 and made_of[0] == (1, 1):
        return exact[0][1]
    found = _INTERNED.get(made_of)
    if found is not None:
        return found
    return _intern(made_of, Linear(exact[0][1].shape, tuple([e for _, e in exact]), exact))


def contraction(operands: Sequence[Expr], indices: Sequence[Sequence[int]], shape: Shape) -> Expr:
    """Πₖ operands[k][indices[k]], summed over the indices ≥ len(shape); these are numbered as they occur."""
    nodes, given = tuple(operands), tuple(map(tuple, indices))
    if len(nodes) == 1 and given[0] == tuple(range(len(shape))):
        return nodes[0]
    made_of = (nodes, given, shape)
    found = _INTERNED.get(made_of)
    if found is not None:
        return found
    if not _is_in_order(given, len(shape)):
        rename = {axis: axis for axis in range(len(shape))}
        renamed = [tuple([rename.setdefault(i, len(rename)) for i in own]) for own in given]
        return contraction(nodes, renamed, shape)
    return _intern(made_of, Contraction(shape, nodes, given))


def _is_in_order(indices: tuple[tuple[int, ...], ...], rank: int) -> bool:
    """Whether the summed indices are numbered as they occur."""
    following = rank
    for own in indices:
        for i in own:
            # An axis of size 1 may come with the index -1.
            if not 0 <= i <= following:
                return False
            following += i == following
    return True


def parameter_key(parameter: object) -> str:
    """A parameter in words that two different ones do not share: x - y² and y - x² of (x, y) by the order of the variables."""
    # A SymPy Lambda by its bound variables in canonical form; the graph itself needs no SymPy.
    canonical = getattr(parameter, "as_dummy", None)
    return str(parameter if canonical is None else canonical())


def elementwise(function: str, *operands: object, parameter: object = None) -> Expr:
    """f(e₁, …) entry by entry, the operands broadcast against each other."""
    nodes = [coerce(e) for e in operands]
    shape = broadcast_shape(lambda: function, nodes) if len(nodes) > 1 else nodes[0].shape
    full = tuple([broadcast_to(e, shape) for e in nodes]) if len(nodes) > 1 else tuple(nodes)
    made_of = (function, full, parameter_key(parameter))
    found = _INTERNED.get(made_of)
    return _intern(made_of, Elementwise(shape, full, function, parameter)) if found is None else found


def apply(primitive: str, operands: Sequence[Expr], options: Iterable[tuple[str, object]], shape: Shape) -> Expr:
    """A primitive's node; its own entry has checked the operands."""
    nodes, chosen = tuple(operands), tuple(sorted(options))
    # By what the options print: True is no 1.
    made_of = (primitive, nodes, str(chosen), shape)
    found = _INTERNED.get(made_of)
    return _intern(made_of, Apply(shape, nodes, primitive, chosen)) if found is None else found


def with_operands(node: Expr, operands: tuple[Expr, ...]) -> Expr:
    """The same node over other operands of the same shapes, of which nothing has to be checked or numbered again."""
    made_of: tuple[object, ...]
    if isinstance(node, Contraction):
        made_of = (operands, node.indices, node.shape)
        found = _INTERNED.get(made_of)
        return _intern(made_of, Contraction(node.shape, operands, node.indices)) if found is None else found
    if isinstance(node, Elementwise):
        made_of = (node.function, operands, parameter_key(node.parameter))
        found = _INTERNED.get(made_of)
        new = Elementwise(node.shape, operands, node.function, node.parameter) if found is None else found
        return _intern(made_of, new) if found is None else found
    assert isinstance(node, Apply)
    made_of = (node.primitive, operands, str(node.options), node.shape)
    found = _INTERNED.get(made_of)
    return _intern(made_of, Apply(node.shape, operands, node.primitive, node.options)) if found is None else found


def sizes_of(node: Expr) -> list[Size]:
    """The sizes that a node holds: those of its shape, of its value, and of its options."""
    own = list(node.shape)
    if isinstance(node, Leaf) and isinstance(node.value, Size):
        own.append(node.value)
    if isinstance(node, Apply):
        items = [x for _, value in node.options for x in (value if isinstance(value, tuple) else (value,))]
        own += [x for x in items if isinstance(x, Size)]
    return own


def coerce(value: object) -> Expr:
    """An operand as a node: numbers enter exactly, arrays are refused."""
    if isinstance(value, Expr):
        return value
    if type(value) is Fraction or type(value) is int:
        return number(value)
    if isinstance(value, bool):
        raise InputError(
            f"{value} is a Python truth value, not an expression; compare expressions with <, >, <=, >= or sg.equal"
        )
    if isinstance(value, (Fraction, Integral)):
        return number(Fraction(int(value.numerator), int(value.denominator)))
    if isinstance(value, Rational | Real):
        return number(Fraction(str(value)))
    raise InputError(
        f"a {type(value).__name__} cannot stand in an expression; declare it with sg.data and pass its values when computing"
    )


def is_number(e: Expr, value: int | None = None) -> bool:
    """Whether `e` is a number (this number)."""
    return isinstance(e, Leaf) and e.role is Role.NUMBER and (value is None or e.value == value)


def broadcast_shape(what: Callable[[], str], nodes: Sequence[Expr]) -> Shape:
    """The common shape by NumPy's rule: axes are aligned from the right, and 1 stretches.

    `what` writes the operation for an error message; it is called for nothing else, since writing long graphs is slow.
    """
    rank = max((e.rank for e in nodes), default=0)
    shape: list[Size] = []
    for axis in range(-rank, 0):
        sizes = {e.shape[axis] for e in nodes if e.rank >= -axis} - {ONE}
        if len(sizes) > 1:
            shapes = " and ".join(show_shape(e.shape) for e in nodes)
            names = " is not ".join(sorted(str(s) for s in sizes))
            raise ShapeError(
                f"{what()}: shapes {shapes} do not fit, {names}; give both the same size, or transpose one"
            )
        shape.append(sizes.pop() if sizes else ONE)
    return tuple(shape)


def broadcast_to(e: Expr, shape: Shape) -> Expr:
    """`e` repeated along new axes, and along axes of size 1, to `shape`."""
    if e.shape == shape:
        return e
    offset = len(shape) - e.rank
    own = [offset + k if s == shape[offset + k] else len(shape) + k for k, s in enumerate(e.shape)]
    return contraction([e], [own], shape)


def scale(c: Fraction | int, e: Expr) -> Expr:
    """c·e."""
    if isinstance(e, Leaf) and e.role is Role.NUMBER:
        return number(Fraction(c) * Fraction(e.value))  # type: ignore[arg-type]  # a NUMBER's value is a Fraction
    value = e.value if isinstance(e, Leaf) else None
    if isinstance(value, Size) and value.value is None and Fraction(c).denominator == 1 and c > 0:
        return size(value * int(c))
    return linear([(c, e)])


def add(a: object, b: object, sign: int = 1) -> Expr:
    """a + sign·b, broadcast; 0 + e is e."""
    x, y = coerce(a), coerce(b)
    if is_number(x, 0):
        return y if sign == 1 else scale(sign, y)
    if is_number(y, 0):
        return x
    p, q = _size_of(x), _size_of(y)
    if p is not None and q is not None:
        return _constant(p + q * sign)
    if is_number(x) and is_number(y):
        return number(x.value + sign * y.value)  # type: ignore[attr-defined]  # both are NUMBER leaves
    if isinstance(y, Leaf) and y.role is Role.NUMBER and isinstance(y.value, Fraction) and y.value < 0:
        y, sign = number(-y.value), -sign
    shape = broadcast_shape(lambda: f"({x}) {'+' if sign == 1 else '-'} ({y})", (x, y))
    return linear([(1, broadcast_to(x, shape)), (sign, broadcast_to(y, shape))])


def multiply(a: object, b: object) -> Expr:
    """a·b entry by entry, broadcast; 1·e is e."""
    x, y = coerce(a), coerce(b)
    p, q = _size_of(x), _size_of(y)
    if p is not None and q is not None:
        return _constant(p * q)
    for c, e in ((x, y), (y, x)):
        if isinstance(c, Leaf) and c.role is Role.NUMBER:
            return scale(Fraction(c.value), e)  # type: ignore[arg-type]  # a NUMBER's value is a Fraction
    shape = broadcast_shape(lambda: f"({x}) * ({y})", (x, y))
    return contraction((x, y), (_aligned(x, shape), _aligned(y, shape)), shape)


def divide(a: object, b: object) -> Expr:
    """a/b entry by entry."""
    x, y = coerce(a), coerce(b)
    if is_number(y, 0):
        raise InputError(f"({x}) / 0 has no value; divide by something else")
    return multiply(x, power(y, -1))


def power(base: object, exponent: object) -> Expr:
    """base**exponent entry by entry; a number as the exponent makes it a power, anything else e^(exponent·log base)."""
    x = coerce(base)
    p = exponent if type(exponent) is Fraction else coerce(exponent)
    if isinstance(p, Leaf) and p.role is Role.NUMBER and isinstance(p.value, Fraction):
        p = p.value
    if not isinstance(p, Fraction):
        return elementwise("power_of", x, p)
    if p == 1:
        return x
    if isinstance(x, Leaf) and p.denominator == 1:
        if x.role is Role.NUMBER and (x.value or p > 0):
            return number(Fraction(x.value) ** int(p))  # type: ignore[arg-type]  # a NUMBER's value is a Fraction
        # A number that is a size (28) stays that size: 28² is no size, and would not follow it where it is another.
        if isinstance(x.value, Size) and p > 0 and x.value.value is None:
            return size(_size_power(x.value, int(p)))
    return elementwise("power", x, parameter=p)


def matmul(a: object, b: object) -> Expr:
    """NumPy's `@`: the last axis of `a` against the first or last but one of `b`."""
    x, y = coerce(a), coerce(b)
    inner = y.shape[-2:][0] if y.rank else None
    if not x.rank or not y.rank or x.shape[-1] != inner:
        raise ShapeError(
            f"({x}) @ ({y}): shapes {show_shape(x.shape)} and {show_shape(y.shape)} do not fit"
            + (f", {x.shape[-1]} is not {inner}" if x.rank and y.rank else "; `@` needs vectors or matrices, use `*`")
            + ("; transpose one of them, or declare the same size" if x.rank and y.rank else "")
        )
    rows, columns = x.shape[-2:-1], y.shape[-1:] if y.rank > 1 else ()
    lead = _matmul_lead(x, y)
    shape = (*lead, *rows, *columns)
    bound, k = len(shape), len(lead)
    left = (*_batch(x, lead, bound + 1), *range(k, k + len(rows)), bound)
    right = (*_batch(y, lead, bound + 1 + x.rank), bound, *range(k + len(rows), len(shape)))
    return contraction((x, y), (left, right), shape)


def total(a: object, axis: int | tuple[int, ...] | None = None, *, keepdims: bool = False) -> Expr:
    """The sum over all axes, or over those named."""
    x = coerce(a)
    summed = set(axes_of(x, axis))
    kept = [k for k in range(x.rank) if keepdims or k not in summed]
    shape = tuple(ONE if k in summed else x.shape[k] for k in kept)
    place = {k: at for at, k in enumerate(kept) if k not in summed}
    return contraction([x], [[place.get(k, len(shape) + k) for k in range(x.rank)]], shape)


def axes_of(x: Expr, axis: int | tuple[int, ...] | None) -> tuple[int, ...]:
    """The axes meant by NumPy's `axis=`, counted from 0."""
    wanted = range(x.rank) if axis is None else (axis,) if isinstance(axis, int) else axis
    for k in wanted:
        if not -x.rank <= k < x.rank:
            raise ShapeError(f"axis {k} of {x}: its shape is {show_shape(x.shape)}; name an axis below {x.rank}")
    return tuple(sorted({k % x.rank for k in wanted}))


def transpose(a: object, axes: Sequence[int] | None = None) -> Expr:
    """The axes in the given order, or in reverse."""
    x = coerce(a)
    order = list(axes) if axes is not None else list(range(x.rank))[::-1]
    if sorted(order) != list(range(x.rank)):
        raise ShapeError(f"transpose of shape {show_shape(x.shape)} by {tuple(order)}; name each axis once")
    place = {k: at for at, k in enumerate(order)}
    return contraction([x], [[place[k] for k in range(x.rank)]], tuple(x.shape[k] for k in order))


@dataclass(frozen=True, slots=True)
class Rows:
    """The row numbers 0 … size-1, as the first of two indices: Z[arange(n), labels]."""

    size: Size


def index(x: Expr, key: object) -> Expr:
    """`x[:, None]`, `x[1:k]`, `x[-1]`; `E[ids]` and `Z[arange(n), labels]`, which are products with one-hot rows."""
    items = list(key) if isinstance(key, tuple) else [key]
    if any(isinstance(i, Rows) or (isinstance(i, Leaf) and i.role is Role.LABELS) for i in items):
        return _gathered(x, items)
    if sum(i is not None for i in items) > x.rank:
        raise InputError(
            f"({x})[…]: there are more indices than axes, its shape is {show_shape(x.shape)}; leave one out"
        )
    shape: list[Size] = []
    own: list[int] = []
    fresh = len(items) + x.rank
    for item in (*items, *[slice(None)] * (x.rank - sum(i is not None for i in items))):
        axis = len(own)
        if item is None:
            shape.append(ONE)
            continue
        x, is_kept = _cut(x, axis, item)
        own.append(len(shape) if is_kept else fresh + axis)
        shape += [x.shape[axis]] * is_kept
    return contraction([x], [own], tuple(shape))


def _cut(x: Expr, axis: int, item: object) -> tuple[Expr, bool]:
    """x with one axis cut to a slice, or to one place, which takes the axis away."""
    n = x.shape[axis]
    if not isinstance(item, slice):
        place = _place(x, item, n, ZERO)
        return slice_of(x, axis=axis, start=place, stop=place + ONE), False
    step = 1 if item.step is None else item.step
    if type(step) is not int or step < 1:
        raise InputError(f"({x})[…]: a slice goes forward by a whole number; write flip(x, axis) for the other way")
    start, stop = _place(x, item.start, n, ZERO), _place(x, item.stop, n, n)
    if (stop.value or 0) > (n.value or stop.value or 0):
        stop = n
    return slice_of(x, axis=axis, start=start, stop=stop, step=step), True


def _place(x: Expr, item: object, n: Size, default: Size) -> Size:
    """A place along an axis of n entries; what is negative counts from the end."""
    if item is None:
        return default
    found = _size_of(coerce(item))
    if found is None:
        raise InputError(
            f"({x})[{item}] is not understood; write `:`, `None`, whole numbers, sizes, slices of these, or labels"
        )
    value = found.value
    return found if value is None or value >= 0 else n + found


def slice_of(x: Expr, *, axis: int, start: Size, stop: Size, step: int = 1) -> Expr:
    """x[…, start:stop:step, …] along an axis; the whole axis is x itself."""
    n, length = x.shape[axis], stop - start
    count = length.over(step)
    room = n - stop
    if count is None or (count.value is not None and count.value < 1) or room.is_negative:
        part = f"{start}:{stop}" + (f":{step}" if step != 1 else "")
        why = f"{length} is not known to be a multiple of {step}" if count is None else "it has no such entries"
        raise ShapeError(f"({x})[{part}] along axis {axis}: {why}, the shape is {show_shape(x.shape)}; mend the slice")
    if start == ZERO and stop == n and step == 1:
        return x
    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
    return apply("slice", [x], [("axis", axis), ("start", start), ("stop", stop), ("step", step)], shape)


def one_hot(labels: Leaf) -> Expr:
    """The rows [labels = 0, 1, … k-1]."""
    assert isinstance(labels.value, Size)
    return apply("one_hot", [labels], [("classes", labels.value)], (*labels.shape, labels.value))


def _gathered(x: Expr, items: Sequence[object]) -> Expr:
    """E[ids] is one_hot(ids) E; Z[arange(n), labels] is the sum of Z ⊙ one_hot(labels) over the classes."""
    rows, labels = (items[0], items[1]) if len(items) == 2 else (None, items[0])
    is_paired = len(items) == 2 and isinstance(rows, Rows)
    if not isinstance(labels, Leaf) or labels.role is not Role.LABELS or not (is_paired or len(items) == 1):
        raise InputError(f"({x})[…]: write E[ids] for rows, or Z[sg.arange(n), labels] for one entry of each row")
    axis = 1 if is_paired else 0
    shown = f"({x})[{'…, ' * is_paired}{labels.name}]: its shape is {show_shape(x.shape)}"
    if isinstance(rows, Rows) and x.shape[:1] != (rows.size,):
        raise ShapeError(
            f"{shown}, and arange({rows.size}) numbers other rows; write arange({x.shape[0] if x.rank else 1})"
        )
    if x.rank <= axis or x.shape[axis] != labels.value or (is_paired and labels.shape != x.shape[:1]):
        raise ShapeError(
            f"{shown}, and {labels.name} of shape {show_shape(labels.shape)} names one of {labels.value} classes;"
            " declare the same sizes"
        )
    chosen, k = one_hot(labels), labels.rank
    if is_paired:
        return total(x * chosen[(slice(None), slice(None), *[None] * (x.rank - 2))] if x.rank > 2 else x * chosen, 1)
    own = (x.rank + k, *range(k, x.rank + k - 1))
    return contraction((chosen, x), ((*range(k), x.rank + k), own), (*labels.shape, *x.shape[1:]))


def _aligned(e: Expr, shape: Shape) -> list[int]:
    offset = len(shape) - e.rank
    return [offset + k if s == shape[offset + k] else len(shape) + offset + k for k, s in enumerate(e.shape)]


def _batch(e: Expr, lead: Shape, fresh: int) -> list[int]:
    own = e.shape[:-2]
    offset = len(lead) - len(own)
    return [offset + k if s == lead[offset + k] else fresh + k for k, s in enumerate(own)]


def _matmul_lead(x: Expr, y: Expr) -> Shape:
    if x.rank <= 2 and y.rank <= 2:
        return ()
    return broadcast_shape(lambda: f"({x}) @ ({y})", [leaf("", e.shape[:-2], Role.DATA) for e in (x, y)])


def _size_of(e: Expr) -> Size | None:
    """The polynomial of a size or of a whole number, where at least the caller's other operand is a size."""
    if isinstance(e, Leaf) and e.role is Role.SIZE and isinstance(e.value, Size):
        return e.value
    if isinstance(e, Leaf) and e.role is Role.NUMBER and isinstance(e.value, Fraction) and e.value.denominator == 1:
        return Size.constant(int(e.value))
    return None


def _constant(value: Size) -> Leaf:
    return size(value) if value.value is None else number(value.value)


def _size_power(value: Size, exponent: int) -> Size:
    result = Size.constant(1)
    for _ in range(exponent):
        result = result * value
    return result
