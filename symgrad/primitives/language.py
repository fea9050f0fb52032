"""What a model file says: leaves with their facts, NumPy's sums and products, the functions and primitives by name.

Everything here is public as `symgrad.<name>`; a formula in a string can use exactly these names.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from symgrad.errors import InputError, ShapeError
from symgrad.graph.expression import (
    Contraction,
    Expr,
    Leaf,
    Number,
    Role,
    Shape,
    apply,
    axes_of,
    coerce,
    contraction,
    elementwise,
    identity,
    is_number,
    leaf,
    number,
    power,
    size,
    total,
)  # fmt: skip
from symgrad.graph.expression import (
    broadcast_to as _broadcast_to,
)
from symgrad.graph.expression import (
    transpose as _transpose,
)
from symgrad.graph.expression import (
    window as _window,
)
from symgrad.graph.show import show_shape
from symgrad.graph.sizes import ONE, Size
from symgrad.primitives.facts import FACTS
from symgrad.primitives.functions import ABSOLUTE as abs
from symgrad.primitives.functions import CLIP as clip
from symgrad.primitives.functions import COS as cos
from symgrad.primitives.functions import EQUAL as equal
from symgrad.primitives.functions import EXP as exp
from symgrad.primitives.functions import HUBER as huber
from symgrad.primitives.functions import LOG as log
from symgrad.primitives.functions import MAXIMUM as maximum
from symgrad.primitives.functions import MINIMUM as minimum
from symgrad.primitives.functions import RELU as relu
from symgrad.primitives.functions import SIGMOID as sigmoid
from symgrad.primitives.functions import SIGN as sign
from symgrad.primitives.functions import SIN as sin
from symgrad.primitives.functions import SOFTPLUS as softplus
from symgrad.primitives.functions import TANH as tanh
from symgrad.primitives.functions import WHERE as _WHERE
from symgrad.primitives.matrices import DET as det
from symgrad.primitives.matrices import INV as inv
from symgrad.primitives.matrices import LOGDET as logdet
from symgrad.primitives.matrices import SOLVE as solve
from symgrad.primitives.normalisers import LOG_SOFTMAX as log_softmax
from symgrad.primitives.normalisers import LOGSUMEXP as logsumexp
from symgrad.primitives.normalisers import NORM as norm
from symgrad.primitives.normalisers import SOFTMAX as softmax

__all__ = [
    "abs", "broadcast_to", "clip", "cos", "data", "det", "diag", "diagonal", "dims", "dot", "einsum", "equal", "exp",
    "eye", "huber", "hyperparameter", "inv", "labels", "log", "log_softmax", "logdet", "logsumexp", "maximum", "mean",
    "minimum", "named", "norm", "ones", "outer", "parameter", "relu", "scalar", "sigmoid", "sign", "sin", "softmax",
    "softplus", "solve", "sqrt", "sum", "tanh", "trace", "transpose", "unfold", "where", "window",
]  # fmt: skip


def dims(names: str) -> Any:
    """Sizes by name: one name gives one size, several a tuple.

    >>> n, d = dims("n d")
    >>> X = data("X", n, d)
    >>> str(sum(X, axis=0) / n)
    'sum(X, axis=0) / n'
    """
    found = [_name(word, "size") for word in names.replace(",", " ").split()]
    if not found:
        raise InputError('dims("") names no size; write dims("n d")')
    sizes = [size(Size.symbol(name)) for name in found]
    return sizes[0] if len(sizes) == 1 else tuple(sizes)


def data(name: str, *shape: object, about: str = "", **facts: bool) -> Leaf:
    """A fixed array x of the given shape, with facts such as `one_hot=True`.

    >>> data("y", dims("n"), sign=True).facts
    frozenset({'sign'})
    """
    unknown = sorted(set(facts) - set(FACTS))
    if unknown:
        raise InputError(f"data({name!r}): no fact is called {unknown[0]}; the facts are {', '.join(FACTS)}")
    sizes = _shape(name, shape)
    held = [fact for fact, is_held in facts.items() if is_held]
    for fact in held:
        FACTS[fact].admit(name, sizes)
    return leaf(_name(name, "data"), sizes, Role.DATA, facts=held, about=about)


def parameter(name: str, *shape: object, about: str = "") -> Leaf:
    """An array θ by which the loss is differentiated."""
    return leaf(_name(name, "parameter"), _shape(name, shape), Role.PARAMETER, about=about)


def hyperparameter(name: str, default: Number | None = None, about: str = "") -> Leaf:
    """A scalar that is neither data nor differentiated by; its default is used unless a value is passed.

    >>> hyperparameter("lam", 0.3).value
    Fraction(3, 10)
    """
    value = None if default is None else Fraction(str(default))
    return leaf(_name(name, "hyperparameter"), (), Role.HYPERPARAMETER, about=about, value=value)


def labels(name: str, n: object, k: object, about: str = "") -> Leaf:
    """Whole numbers c of shape (n,), each one of 0 … k-1."""
    (rows,), (classes,) = _shape(name, (n,)), _shape(name, (k,))
    return leaf(_name(name, "labels"), (rows,), Role.LABELS, about=about, value=classes)


def named(name: str, e: object) -> Expr:
    """e under a name of its own, where no assignment of a model file can give it one.

    >>> str(named("H", tanh(data("z", dims("n")))))
    'named("H", tanh(z))'
    """
    x = coerce(e)
    return apply("named", [x], [("name", _name(name, "value"))], x.shape)


def sum(a: object, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Expr:
    """Σ a over the named axes, or over all of them.

    >>> n, d = dims("n d")
    >>> sum(data("X", n, d), axis=1).shape
    (n,)
    """
    return total(a, axis, keepdims=keepdims)


def mean(a: object, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Expr:
    """The sum over the named axes divided by how many entries it has.

    >>> n, d = dims("n d")
    >>> str(mean(data("X", n, d), axis=0)), str(mean(data("X", n, d)))
    ('sum(X, axis=0) / n', 'sum(X) / (d*n)')
    """
    x = coerce(a)
    counts = [x.shape[k] for k in axes_of(x, axis)]
    result = total(x, axis, keepdims=keepdims)
    symbolic = Size.constant(1)
    for s in counts:
        # A number that is a size (784) stays apart from other numbers: proofs put a small stand-in for it.
        result, symbolic = (result / size(s), symbolic) if s.value is not None else (result, symbolic * s)
    return result / size(symbolic) if symbolic != ONE else result


def sqrt(a: object) -> Expr:
    """√a entry by entry."""
    return power(a, Fraction(1, 2))


def where(condition: object, a: object, b: object) -> Expr:
    """a where the condition holds, else b.

    >>> r = data("r", dims("n"))
    >>> str(where(r > 0, r, 0))
    'where(r > 0, r, 0)'
    """
    if isinstance(condition, bool):
        raise InputError(
            "where: the condition is a Python truth value; compare expressions with <, >, <=, >= or sg.equal"
        )
    mask = coerce(condition)
    if isinstance(mask, Leaf) and mask.role is not Role.NUMBER and "binary" not in mask.facts:
        raise InputError(
            f"where: {mask} is not known to be 0 or 1; declare it with binary=True, or compare it: {mask} > 0"
        )
    return _WHERE(mask, a, b)


def transpose(a: object, axes: Sequence[int] | None = None) -> Expr:
    """The axes in the given order, or in reverse."""
    return _transpose(a, axes)


def dot(a: object, b: object) -> Expr:
    """aᵀb for vectors, the matrix product otherwise."""
    return coerce(a) @ coerce(b)


def outer(a: object, b: object) -> Expr:
    """a bᵀ: entry (i, j) is aᵢ bⱼ."""
    x, y = _of_rank("outer", a, 1), _of_rank("outer", b, 1)
    return contraction((x, y), ((0,), (1,)), (*x.shape, *y.shape))


def trace(a: object) -> Expr:
    """Σᵢ aᵢᵢ."""
    x = _of_rank("trace", a, 2)
    _same(x, "trace")
    return contraction([x], [(0, 0)], ())


def diagonal(a: object) -> Expr:
    """The vector aᵢᵢ."""
    x = _of_rank("diagonal", a, 2)
    _same(x, "diagonal")
    return contraction([x], [(0, 0)], x.shape[:1])


def diag(a: object) -> Expr:
    """The matrix with the vector a on its diagonal, or the diagonal of a matrix.

    >>> str(diag(data("v", dims("n"))))
    'diag(v)'
    """
    x = coerce(a)
    if x.rank == 2:
        return diagonal(x)
    _of_rank("diag", x, 1)
    return contraction((x, identity(x.shape[0])), ((0,), (0, 1)), x.shape * 2)


def eye(n: object) -> Expr:
    """The n × n identity matrix."""
    return identity(_shape("eye", (n,))[0])


def ones(*shape: object) -> Expr:
    """The array whose entries are all 1.

    >>> ones(dims("n"), 2).shape
    (n, 2)
    """
    wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
    return _broadcast_to(number(1), _shape("ones", wanted))


def einsum(subscripts: str, *operands: object) -> Expr:
    """Π operands[letters], summed over the letters that do not stand behind `->`, as in NumPy.

    >>> n, d = dims("n d")
    >>> X = data("X", n, d)
    >>> einsum("ij,kj->ik", X, X).shape, einsum("ij->ji", X) is X.T, einsum("ij,k->ik", X, ones(d)).shape
    ((n, n), True, (n, d))
    """
    left, arrow, result = str(subscripts).replace(" ", "").partition("->")
    spelled = left.split(",")
    nodes = [coerce(e) for e in operands]
    what = f'einsum("{subscripts}", …)'
    if not arrow or not all(word.isalpha() or not word for word in (*spelled, result)):
        raise InputError(f'{what} is not understood; write the letters of every axis, as einsum("ij,jk->ik", A, B)')
    if [len(word) for word in spelled] != [e.rank for e in nodes]:
        shapes = " and ".join(show_shape(e.shape) for e in nodes) or "none"
        raise ShapeError(f"{what}: the shapes are {shapes}; write one letter for each axis of each operand")
    extents: dict[str, Size] = {}
    for letter, extent in (
        (i, s) for word, e in zip(spelled, nodes, strict=True) for i, s in zip(word, e.shape, strict=True)
    ):
        if extents.setdefault(letter, extent) != extent:
            raise ShapeError(f"{what}: {letter} is both {extents[letter]} and {extent}; give both axes the same size")
    if len(set(result)) < len(result) or not set(result) <= set(extents):
        raise InputError(f"{what}: each letter behind -> stands there once, and in an operand too; mend the letters")
    place = {letter: k for k, letter in enumerate(dict.fromkeys((*result, *extents)))}
    pairs = _without_ones(list(zip(nodes, spelled, strict=True)), result)
    indices = [[place[letter] for letter in word] for _, word in pairs]
    return contraction([e for e, _ in pairs], indices, tuple(extents[letter] for letter in result))


def _without_ones(pairs: list[tuple[Expr, str]], result: str) -> list[tuple[Expr, str]]:
    """The operands but for arrays of ones that only tell the size of an axis of the result."""
    kept = [(e, word) for e, word in pairs if not (_is_ones(e) and set(word) <= set(result))]
    return kept or pairs


def _is_ones(e: Expr) -> bool:
    return isinstance(e, Contraction) and len(e.operands) == 1 and is_number(e.operands[0], 1)


def scalar(body: Any, *operands: object) -> Expr:
    """f(e₁, …) entry by entry, f given as a SymPy `Lambda` in real symbols; its derivative is SymPy's.

    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> str(scalar(sympy.Lambda((x,), sympy.atan(x)), data("u", dims("n"))))
    'scalar("x: atan(x)", u)'
    """
    variables = getattr(body, "variables", None)
    if not isinstance(variables, Iterable):
        raise InputError(
            "scalar: the function is not a SymPy Lambda; write scalar(sympy.Lambda((x,), sympy.atan(x)), e)"
        )
    names = list(variables)
    if len(names) != len(operands) or not operands:
        raise InputError(f"scalar: the function takes {len(names)} argument(s), not {len(operands)}; give one for each")
    free = sorted(str(v) for v in body.expr.free_symbols - set(names))
    if free:
        raise InputError(f"scalar: {free[0]} is no variable of the function; make it one of its arguments")
    return elementwise("scalar", *operands, parameter=body)


def broadcast_to(a: object, *shape: object) -> Expr:
    """a repeated along new axes and axes of size 1."""
    wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
    x, sizes = coerce(a), _shape("broadcast_to", wanted)
    fits = len(sizes) >= x.rank and all(s in (t, ONE) for s, t in zip(x.shape[::-1], sizes[::-1], strict=False))
    if not fits:
        raise InputError(f"broadcast_to: shape {show_shape(x.shape)} does not stretch to {show_shape(sizes)}")
    return _broadcast_to(x, sizes)


def window(length: object, width: object) -> Expr:
    """The selector [u = t + s] of shape (length, length - width + 1, width): entry u of a sequence is entry s of window t."""
    (whole,), (part,) = _shape("window", (length,)), _shape("window", (width,))
    return _window(whole, part)


def unfold(a: object, width: object, axis: int = -1) -> Expr:
    """All windows of a width along an axis, one after the other: y[…, t, …, s] = a[…, t + s, …].

    The axis of length t is replaced by t - width + 1 windows, and a last axis runs within each window. A convolution
    is their contraction with a kernel.

    >>> n, t, s = dims("n t s")
    >>> unfold(data("X", n, t), s).shape
    (n, t+1-s, s)
    """
    x = coerce(a)
    (place,) = axes_of(x, axis)
    selector = window(x.shape[place], width)
    own = [k if k != place else x.rank + 1 for k in range(x.rank)]
    shape = (*x.shape[:place], selector.shape[1], *x.shape[place + 1 :], selector.shape[2])
    return contraction((x, selector), (own, (x.rank + 1, place, x.rank)), shape)


def _of_rank(what: str, a: object, rank: int) -> Expr:
    x = coerce(a)
    if x.rank != rank:
        raise InputError(f"{what}({x}): its shape is {show_shape(x.shape)}; {what} needs {rank} axes")
    return x


def _same(x: Expr, what: str) -> None:
    if x.shape[0] != x.shape[1]:
        raise InputError(f"{what}({x}): its shape is {show_shape(x.shape)}; {what} needs a square matrix")


def _name(name: str, what: str) -> str:
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise InputError(f"{name!r} cannot name a {what}; use letters, digits and _, beginning with a letter")
    return name


def _shape(name: str, shape: Sequence[object]) -> Shape:
    sizes: list[Size] = []
    for item in shape:
        e = coerce(item) if not isinstance(item, Size) else size(item)
        value = e.value if isinstance(e, Leaf) else None
        if isinstance(value, Fraction) and value.denominator == 1 and value >= 1:
            value = Size.constant(int(value))
        if not isinstance(value, Size):
            raise InputError(f"{name}: {e} is not a size; use sg.dims or a whole number from 1")
        sizes.append(value)
    return tuple(sizes)
