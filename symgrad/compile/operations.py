"""The operations of a plan: what an array library can do in one call, interned, with shape and type.

A backend prints these kinds and no others:

| kind | args | data | value |
|---|---|---|---|
| argument, local | | name | an argument of the function; what is computed before |
| number, size | | Fraction, Size | a scalar of the host language |
| eye | | | the identity matrix |
| window | | | the selector [u = t + s] |
| windows | x, width | axis | all windows of x along an axis, the place within each as a last axis |
| shifted | x, width | axis | x moved along an axis by 0, 1, … places, zeros entering; the last axis says by how many |
| take | x, c | axis | x with an axis replaced by the entries that labels name |
| pick | x, c | | x[i, cᵢ] for the labels c |
| added | x, c, k | | for each of k classes the sum of the rows of x whose label it is |
| permute | x | axes | axes in that order |
| expand | x | own | x with its axes at `own`, the other axes of size 1 |
| broadcast | x | own | the same, repeated to the shape |
| squeeze | x | axes | x without those axes of size 1 |
| diagonal, diag | x | | the diagonal of a matrix, the matrix with a diagonal |
| sum | x | axes | the sum over axes |
| product | x, … | coefficient, is divisor, … | c·x·y/z, broadcast |
| total | x, … | coefficients | a·x + b·y + …, broadcast |
| matmul, outer, inner | x, y | | the matrix product, x yᵀ, the sum of all x ⊙ y |
| einsum | x, … | indices, result | a contraction that has no other name |
| solve | a, b | | the solution x of a x = b |
| function | x, … | name, parameter | an entry of the table of functions, broadcast |
| primitive | x, … | name, options | an entry of the table of primitives |
| cast | x | | in the floating type of the arrays |
| pair, item | z; pair | options; 0 or 1 | softmax and its logarithm from one exponential |
| sigmoid_and_logs | z | | σ(z), log(1 + eᶻ), log(1 + e⁻ᶻ) from one exponential, each an item |
| sigmoid_and_sum | z | | σ(z) and Σ log(1 + eᶻ), each an item |
| softmax_and_inner | z, y, Σ y | axis | softmax(z) and Σ y log softmax(z), each an item |
| inverse_and_logdet | a | | a⁻¹ and log det a of a symmetric a, each an item |
| both_products | m, b, a | | m b and mᵀ a of a matrix m, each an item |
| products_and_grams | m, b, a | | m b, mᵀ a, bᵀ b and aᵀ a, each an item |
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from fractions import Fraction
from operator import is_
from typing import Any

from symgrad.graph.expression import Shape
from symgrad.graph.sizes import ONE, Size
from symgrad.primitives.table import PRIMITIVES
from symgrad.records import dataclass

# Operations that give several values, which their items are.
TOGETHER = frozenset(
    {
        "pair",
        "sigmoid_and_logs",
        "sigmoid_and_sum",
        "softmax_and_inner",
        "inverse_and_logdet",
        "both_products",
        "products_and_grams",
    }
)
# An entry of a table by its name.
TABLES = frozenset({"function", "primitive"})
# Each entry of the result is made of the entries of the operands at its place.
ENTRYWISE = frozenset({"function", "product", "total", "cast", "eye"})
MATRIX = 2
COMPARISONS = frozenset({"greater", "greater_equal", "equal"})


class Type(Enum):
    """How a value takes part in arithmetic: Python scalars leave the type of arrays alone."""

    SCALAR = "scalar"
    TRUTH = "truth"
    WHOLE = "whole"
    FLOATING = "floating"


# Never changed once made, and made by the hundred: `frozen` would double the cost of each.
@dataclass(eq=False, slots=True)
class Op:
    """One operation; `args` are operations, `data` what else it needs."""

    kind: str
    args: tuple[Op, ...]
    data: Any
    shape: Shape
    type: Type

    @property
    def children(self) -> tuple[Op, ...]:
        """The operations that this one needs."""
        return self.args

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)


class Operations:
    """Builds operations; two of the same content are the same object."""

    def __init__(self) -> None:
        self._known: dict[object, Op] = {}
        # Operations whose transpose is themselves, by a fact; those of them that were used so.
        self.symmetric: set[Op] = set()
        self.used_symmetry: set[Op] = set()
        self._made_of: dict[Op, set[Op]] = {}

    def copy(self) -> Operations:
        """The same operations known, to go on from here."""
        other = Operations()
        other._known.update(self._known)
        other.symmetric.update(self.symmetric)
        other.used_symmetry.update(self.used_symmetry)
        other._made_of.update(self._made_of)
        return other

    @property
    def made(self) -> Iterable[Op]:
        """All of them, whether they are needed or not."""
        return self._known.values()

    def make(self, kind: str, args: Sequence[Op], data: Any, shape: Shape, kind_of: Type = Type.FLOATING) -> Op:
        """The operation of this content."""
        operands = tuple(args)
        key = (kind, operands, data, shape)
        op = self._known.get(key)
        if op is None:
            op = self._known[key] = Op(kind, operands, data, shape, kind_of)
            if len(shape) == MATRIX and shape[0] == shape[1]:
                self._note_symmetry(op)
        return op

    def _note_symmetry(self, op: Op) -> None:
        """What is made of symmetric matrices and scalars, entry by entry, is symmetric; so are AAᵀ, aaᵀ and diagonals."""
        if _is_own_transpose(op):
            self.symmetric.add(op)
            self._made_of[op] = set()
        elif op.kind in ENTRYWISE and all(not x.rank or (x in self.symmetric and x.shape == op.shape) for x in op.args):
            self.symmetric.add(op)
            self._made_of[op] = {y for x in op.args for y in self._made_of.get(x, {x} if x.rank else set())}

    def use_symmetry(self, x: Op) -> None:
        """Note that a result rests on the symmetry of `x`, and so of what it is made of."""
        self.used_symmetry.update(self._made_of.get(x, {x}))

    def rebuilt(self, op: Op, args: Sequence[Op]) -> Op:
        """The same operation on other operands of the same shapes."""
        return op if all(map(is_, op.args, args)) else self.make(op.kind, args, op.data, op.shape, op.type)

    def number(self, value: Fraction) -> Op:
        """An exact number."""
        return self.make("number", (), value, (), Type.SCALAR)

    def size(self, value: Size) -> Op:
        """A size as a scalar."""
        return self.make("size", (), value, (), Type.SCALAR)

    def floating(self, x: Op) -> Op:
        """`x` in the floating type of the arrays."""
        return x if x.type is Type.FLOATING else self.make("cast", (x,), None, x.shape)

    def permute(self, x: Op, axes: Sequence[int]) -> Op:
        """The axes of `x` in this order."""
        order = tuple(axes)
        if order == tuple(range(x.rank)):
            return x
        if x in self.symmetric and order == (1, 0):
            self.use_symmetry(x)
            return x
        if x.kind == "permute":
            return self.permute(x.args[0], [x.data[k] for k in order])
        return self.make("permute", (x,), order, tuple(x.shape[k] for k in order), x.type)

    def aligned(self, x: Op, own: Sequence[int], rank: int) -> Op:
        """`x`, whose axes are the axes `own` of a result, such that NumPy's broadcasting puts them there."""
        places = tuple(own)
        if places == tuple(range(rank - len(places), rank)):
            return x
        return self._expand(x, tuple(k - places[0] for k in places), rank - places[0])

    def _expand(self, x: Op, own: tuple[int, ...], rank: int) -> Op:
        shape = tuple(x.shape[own.index(k)] if k in own else ONE for k in range(rank))
        return self.make("expand", (x,), own, shape, x.type)

    def stretched(self, x: Op, own: Sequence[int], shape: Shape) -> Op:
        """`x` with its axes at `own`, repeated along every other axis of `shape`."""
        places = tuple(own)
        if len(places) == len(shape):
            return x
        if all(s == ONE for k, s in enumerate(shape) if k not in places) and x.type is not Type.SCALAR:
            return self._expand(x, places, len(shape))
        return self.make("broadcast", (x,), places, shape, Type.FLOATING if x.type is Type.SCALAR else x.type)

    def squeeze(self, x: Op, axes: Sequence[int]) -> Op:
        """`x` without axes of size 1."""
        shape = tuple(s for k, s in enumerate(x.shape) if k not in axes)
        return self.make("squeeze", (x,), tuple(axes), shape, x.type) if axes else x

    def diagonal(self, x: Op) -> Op:
        """The diagonal of a square matrix."""
        return self.make("diagonal", (x,), None, x.shape[:1], x.type)

    def sum(self, x: Op, axes: Sequence[int]) -> Op:
        """The sum over axes."""
        shape = tuple(s for k, s in enumerate(x.shape) if k not in axes)
        return self.make("sum", (self.floating(x),), tuple(axes), shape)

    def matmul(self, a: Op, b: Op) -> Op:
        """The matrix product of NumPy's `@`."""
        lead = max(a.shape[:-2], b.shape[:-2], key=len)
        shape = (*lead, *a.shape[-2:-1], *(b.shape[-1:] if b.rank > 1 else ()))
        return self.make("matmul", (self.floating(a), self.floating(b)), None, shape)

    def inner(self, a: Op, b: Op) -> Op:
        """The sum of all entries of a ⊙ b."""
        return self.make("inner", (self.floating(a), self.floating(b)), None, ())

    def outer(self, a: Op, b: Op) -> Op:
        """The matrix aᵢ bⱼ."""
        return self.make("outer", (self.floating(a), self.floating(b)), None, (*a.shape, *b.shape))

    def einsum(self, args: Sequence[Op], indices: Sequence[tuple[int, ...]], result: tuple[int, ...]) -> Op:
        """A contraction, by its indices."""
        size = {i: s for x, own in zip(args, indices, strict=True) for i, s in zip(own, x.shape, strict=True)}
        shape = tuple(size[i] for i in result)
        return self.make("einsum", [self.floating(x) for x in args], (tuple(indices), result), shape)

    def solve(self, a: Op, b: Op) -> Op:
        """The solution x of a x = b; that of a x = c·b is c times it."""
        if b.kind == "product" and len(b.args) == 1 and b.args[0].type is Type.FLOATING and not b.data[1]:
            return self.product(b.data[0], [(self.solve(a, b.args[0]), False)])
        return self.make("solve", (self.floating(a), self.floating(b)), None, b.shape)

    def product(self, coefficient: Fraction, factors: Iterable[tuple[Op, bool]]) -> Op:
        """coefficient · the factors, those marked as divisors divided by; broadcast as NumPy does."""
        pairs = [(x, d) for x, d in factors if x.kind != "number" or x.data != 1]
        if not pairs:
            return self.number(coefficient)
        if len(pairs) == 1 and coefficient == 1 and not pairs[0][1]:
            return pairs[0][0]
        is_truth = coefficient == 1 and all(x.type is Type.TRUTH and not d for x, d in pairs)
        if not is_truth and any(x.type is Type.TRUTH or x.type is Type.WHOLE for x, _ in pairs):
            pairs = self._floating_factors(coefficient, pairs)
        data = (coefficient, *[d for _, d in pairs])
        ops = [x for x, _ in pairs]
        kind = Type.TRUTH if is_truth else _joined(ops)
        return self.make("product", ops, data, broadcast([x.shape for x in ops]), kind)

    def _floating_factors(self, coefficient: Fraction, pairs: list[tuple[Op, bool]]) -> list[tuple[Op, bool]]:
        """The factors, of which some are no floating arrays, such that their product is one."""
        # `2 * t * x` would be whole numbers first: a truth value stays one beside floating arrays alone.
        is_floating = any(x.type is Type.FLOATING for x, _ in pairs) and abs(coefficient) == 1
        is_floating = is_floating and all(x.type is not Type.SCALAR for x, _ in pairs)
        # A minus sign stands before the first factor, and NumPy has none for truth values.
        first = next((x for x, d in pairs if not d), None)
        is_floating = is_floating and (coefficient == 1 or first is None or first.type is Type.FLOATING)
        return [(self._factor(x, is_floating and not d), d) for x, d in pairs]

    def _factor(self, x: Op, beside_floating: bool) -> Op:
        # A truth value times a floating array is what it should be; times anything else it is not.
        is_fine = x.type in (Type.FLOATING, Type.SCALAR) or (x.type is Type.TRUTH and beside_floating)
        return x if is_fine else self.floating(x)

    def total(self, terms: Sequence[tuple[Fraction, Op]]) -> Op:
        """Σ c·x, broadcast as NumPy does."""
        ops = [x if x.type is Type.SCALAR else self.floating(x) for _, x in terms]
        return self.make("total", ops, tuple(c for c, _ in terms), broadcast(x.shape for x in ops), _joined(ops))

    def function(self, name: str, parameter: object, args: Sequence[Op]) -> Op:
        """An entry of the table of functions, broadcast."""
        shape = broadcast(x.shape for x in args)
        if name in COMPARISONS:
            return self.make("function", args, (name, parameter), shape, Type.TRUTH)
        chosen = args[1:] if name == "where" else args
        ready = [x if x.type is Type.SCALAR else self.floating(x) for x in chosen]
        ready = [*args[: len(args) - len(chosen)], *ready]
        is_scalar = all(x.type is Type.SCALAR for x in ready[len(args) - len(chosen) :])
        made = self.make("function", ready, (name, parameter), shape, Type.SCALAR if is_scalar else Type.FLOATING)
        return made if not is_scalar or not shape else self.floating(made)

    def primitive(self, name: str, options: tuple[tuple[str, object], ...], args: Sequence[Op], shape: Shape) -> Op:
        """An entry of the table of primitives."""
        ready = [x if x.type is Type.WHOLE else self.floating(x) for x in args]
        kind = Type.TRUTH if PRIMITIVES[name].is_truth else Type.FLOATING
        return self.make("primitive", ready, (name, options), shape, kind)


def _is_own_transpose(op: Op) -> bool:
    """Whether a matrix is symmetric whatever its operands are."""
    if op.kind == "matmul":
        return any(y.kind == "permute" and y.args[0] is x for x, y in (op.args, op.args[::-1]))
    return op.kind == "diag" or (op.kind == "outer" and op.args[0] is op.args[1])


def _joined(ops: Iterable[Op]) -> Type:
    return Type.SCALAR if all(x.type is Type.SCALAR for x in ops) else Type.FLOATING


def broadcast(shapes: Iterable[Shape]) -> Shape:
    """The shape that NumPy gives operands of these shapes.

    >>> n = Size.symbol("n")
    >>> broadcast([(n, ONE), (ONE, n), ()])
    (n, n)
    """
    every = {s for s in shapes if s}
    if len(every) == 1:
        return every.pop()
    rank = max((len(s) for s in every), default=0)
    result = [ONE] * rank
    for shape in every:
        for k, s in enumerate(shape):
            if s != ONE:
                result[rank - len(shape) + k] = s
    return tuple(result)
