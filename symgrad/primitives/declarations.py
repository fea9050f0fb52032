"""What a model file declares: sizes, data with their facts, parameters, hyperparameters, labels, and names of values."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from symgrad.errors import InputError
from symgrad.graph.expression import Expr, Leaf, Number, Role, Rows, Shape, apply, coerce, leaf, size
from symgrad.graph.sizes import Size
from symgrad.primitives.facts import FACTS
from symgrad.prose import Text

__all__ = ["arange", "assume", "data", "dims", "hyperparameter", "labels", "named", "parameter"]


def dims(names: str) -> Any:
    """Sizes by name: one name gives one size, several a tuple.

    >>> n, d = dims("n d")
    >>> data("X", n, 2 * d + 1).shape
    (n, 2*d+1)
    """
    found = [_name(word, "size") for word in names.replace(",", " ").split()]
    if not found:
        raise InputError('dims("") names no size; write dims("n d")')
    sizes = [size(Size.symbol(name)) for name in found]
    return sizes[0] if len(sizes) == 1 else tuple(sizes)


def data(name: str, *shape: object, about: str | Text = "", **facts: bool) -> Leaf:
    """A fixed array x of the given shape, with facts such as `one_hot=True`.

    >>> data("y", dims("n"), sign=True).facts
    frozenset({'sign'})
    """
    unknown = sorted(set(facts) - set(FACTS))
    if unknown:
        raise InputError(f"data({name!r}): no fact is called {unknown[0]}; the facts are {', '.join(FACTS)}")
    sizes = shape_of(name, shape)
    held = [fact for fact, is_held in facts.items() if is_held]
    for fact in held:
        FACTS[fact].admit(name, sizes)
    return leaf(_name(name, "data"), sizes, Role.DATA, facts=held, about=about)


def parameter(name: str, *shape: object, about: str | Text = "") -> Leaf:
    """An array θ by which the loss is differentiated."""
    return leaf(_name(name, "parameter"), shape_of(name, shape), Role.PARAMETER, about=about)


def hyperparameter(name: str, default: Number | None = None, about: str | Text = "") -> Leaf:
    """A scalar that is neither data nor differentiated by; its default is used unless a value is passed.

    >>> hyperparameter("lam", 0.3).value
    Fraction(3, 10)
    """
    value = None if default is None else Fraction(str(default))
    return leaf(_name(name, "hyperparameter"), (), Role.HYPERPARAMETER, about=about, value=value)


def labels(name: str, *shape: object, about: str | Text = "") -> Leaf:
    """Whole numbers c, each one of 0 … k-1: the last size is k, those before it are the shape.

    >>> n, t, k = dims("n t k")
    >>> labels("c", n, k).shape, labels("words", n, t, k).shape
    ((n,), (n, t))
    """
    if not shape:
        raise InputError(f'labels("{name}"): the number of classes is missing; write labels("{name}", n, k)')
    *sizes, classes = shape_of(name, shape)
    return leaf(_name(name, "labels"), tuple(sizes), Role.LABELS, about=about, value=classes)


def arange(n: object) -> Rows:
    """The row numbers 0 … n-1, for one entry of each row: Z[arange(n), labels].

    >>> n, k = dims("n k")
    >>> str(data("Z", n, k)[arange(n), labels("c", n, k)])
    'sum(Z * one_hot(c), axis=1)'
    """
    return Rows(size_of("arange", n))


def named(name: str, e: object) -> Expr:
    """e under a name of its own, where no assignment of a model file can give it one.

    >>> from symgrad.primitives.language import tanh
    >>> str(named("H", tanh(data("z", dims("n")))))
    'named("H", tanh(z))'
    """
    x = coerce(e)
    return apply("named", [x], [("name", _name(name, "value"))], x.shape)


def assume(
    e: object,
    *,
    symmetric: bool = False,
    positive_definite: bool = False,
    positive: bool = False,
    nonnegative: bool = False,
    one_hot: bool = False,
    sign: bool = False,
    binary: bool = False,
) -> Expr:
    """e, of which the facts hold wherever it is computed: said on the page, used by proofs, checked by compiled code.

    The value needs a name of its own: `K = sg.assume(k(X), positive_definite=True)`.

    >>> n = dims("n")
    >>> D = data("D", n, n)
    >>> str(assume(D + D.T, symmetric=True))
    'assume(D + D.T, symmetric=True)'
    """
    x = coerce(e)
    if isinstance(x, Leaf):
        raise InputError(
            f"assume({x}): facts are assumed of a value that is computed; state those of data where it is declared"
        )
    given = {
        "symmetric": symmetric, "positive_definite": positive_definite, "positive": positive, "nonnegative": nonnegative,
        "one_hot": one_hot, "sign": sign, "binary": binary,
    }  # fmt: skip
    held = [fact for fact, is_held in given.items() if is_held]
    if not held:
        raise InputError(f"assume({x}): no fact is given; the facts are {', '.join(FACTS)}")
    for fact in held:
        FACTS[fact].admit(str(x), x.shape)
    return apply("assume", [x], [(fact, True) for fact in sorted(held)], x.shape)


def _name(name: str, what: str) -> str:
    if not isinstance(name, str):
        raise InputError(f'{what}: the name comes first and is a string; write for example sg.data("X", n, d)')
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise InputError(f"{name!r} cannot name a {what}; use letters, digits and _, beginning with a letter")
    return name


def shape_of(name: str, shape: Sequence[object]) -> Shape:
    """Sizes from dims and whole numbers; `name` is what is declared."""
    sizes = tuple(size_of(name, item) for item in shape)
    for s, item in zip(sizes, shape, strict=True):
        if s.value is not None and s.value < 1:
            raise InputError(f"{name}: {item} is not a size; use sg.dims or a whole number from 1")
    return sizes


def size_of(name: str, item: object) -> Size:
    """A size from dims, or a whole number from 0."""
    if isinstance(item, tuple | list):
        raise InputError(f"{name}: a {type(item).__name__} is not a size; write the sizes one by one, {name!r}, n, d")
    if isinstance(item, str):
        raise InputError(f"{name}: {item!r} is not a size; use sg.dims or a whole number from 1")
    e = coerce(item) if not isinstance(item, Size) else size(item)
    value = e.value if isinstance(e, Leaf) else None
    if isinstance(value, Fraction) and value.denominator == 1 and value >= 0:
        value = Size.constant(int(value))
    if not isinstance(value, Size):
        raise InputError(f"{name}: {e} is not a size; use sg.dims or a whole number from 1")
    return value
