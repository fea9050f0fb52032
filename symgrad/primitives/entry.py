"""What an entry of the tables holds. An entry is complete in one place: a new one touches nothing else.

`Function` is a scalar function used entry by entry; `Primitive` acts on whole arrays. Both are what a user calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Any, Protocol

from symgrad.errors import InputError, ShapeError
from symgrad.graph.expression import Expr, Shape, apply, coerce, elementwise
from symgrad.graph.show import show_shape
from symgrad.graph.sizes import Size
from symgrad.prose import Text
from symgrad.records import dataclass

Scalar = Any
Array = Any
# A sign whose formula says all.
DEFINITION = Text(en="{sign}", zh="{sign}")


class Scalars(Protocol):
    """A field to calculate in: SymPy expressions in proofs, 50-digit reals in checks."""

    def number(self, value: Any) -> Scalar:
        """An exact number as an element."""

    def pi(self) -> Scalar:
        """π."""

    def exp(self, x: Scalar) -> Scalar:
        """e^x."""

    def log(self, x: Scalar) -> Scalar:
        """The natural logarithm."""

    def tanh(self, x: Scalar) -> Scalar:
        """The hyperbolic tangent."""

    def sin(self, x: Scalar) -> Scalar:
        """The sine."""

    def cos(self, x: Scalar) -> Scalar:
        """The cosine."""

    def erf(self, x: Scalar) -> Scalar:
        """The error function."""

    def power(self, x: Scalar, exponent: Any) -> Scalar:
        """x to a rational power or to an element."""

    def choose(self, *cases: tuple[Scalar, Any]) -> Scalar:
        """The value of the first case whose condition holds; the last condition is True."""

    def equal(self, a: Scalar, b: Scalar) -> Any:
        """The condition a = b."""

    def greater(self, a: Scalar, b: Scalar) -> Any:
        """The condition a > b."""

    def scalar(self, body: Any, *operands: Scalar) -> Scalar:
        """A SymPy `Lambda` applied to elements."""

    def each(self, f: Callable[[Scalar], Scalar], a: Array) -> Array:
        """f of every entry of an array."""

    def times(self, arrays: Sequence[Array]) -> Array:
        """The product of arrays, entry by entry, broadcast against each other."""

    def plus(self, arrays: Sequence[Array]) -> Array:
        """The sum of arrays of one shape, entry by entry."""

    def sum(self, a: Array, axis: int | tuple[int, ...] | None, *, keepdims: bool = False) -> Array:
        """The sum over axes."""

    def matmul(self, a: Array, b: Array) -> Array:
        """The matrix product."""

    def inverse(self, a: Array) -> Array:
        """The inverse of a square matrix."""

    def determinant(self, a: Array) -> Scalar:
        """The determinant of a square matrix."""

    def cholesky(self, a: Array) -> Array:
        """The lower triangular L with L Lᵀ = A; A is read on and below its diagonal."""

    def largest(self, items: Sequence[Scalar]) -> Scalar:
        """The largest of some elements."""

    def is_largest(self, place: int, items: Sequence[Scalar]) -> Scalar:
        """1 where the element at a place is the largest one, shared among equal ones; else 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    r"""y = f(x₁, …) entry by entry.

    `body(s, x₁, …)` calculates in the field `s` (with the parameter last, for a family). `derivatives[k](y, x₁, …)` is
    ∂f/∂xₖ in the model language, None where it is zero everywhere; without the tuple SymPy's derivative of the body is
    translated. Either way each use of it is proved against SymPy's. `latex` is a prefix (`\tanh`) or holds `{0}`.
    `numpy` holds `{0}`; `kernel` is the source of a helper that it calls. `sample` bounds the points at which tests compare.
    """

    name: str
    about: Text
    body: Callable[..., Scalar]
    derivatives: tuple[Callable[..., Expr] | None, ...] | None
    latex: str
    numpy: str
    arity: int = 1
    kernel: str = ""
    kink: Text | None = None
    # What a page says of the name by which its formulas call the function: the sign, and its meaning.
    sign: tuple[str, Text] | None = None
    # What a model file calls it: its name, another word, or "" where operators say it.
    word: str | None = None
    # What its arguments have to be, where it is not defined for all numbers.
    domain: Text | None = None
    sample: tuple[float, float] = (-2.0, 2.0)
    # Which operands have to be positive for the body to mean anything (the δ of Huber's function).
    positive: tuple[int, ...] = ()
    is_family: bool = False

    def __call__(self, *operands: object) -> Expr:
        """The function of expressions, broadcast against each other."""
        if len(operands) != self.arity:
            raise InputError(f"{self.name} takes {self.arity} argument(s), not {len(operands)}; see `symgrad rules`")
        return elementwise(self.name, *operands)


@dataclass(frozen=True, slots=True, kw_only=True)
class Primitive:
    """y = f(X₁, …) on whole arrays.

    `shape` gives the result's shape or raises; `forward(s, arrays, options)` calculates in the field `s`;
    `pullback(ȳ, y, operands, options)` gives the operands' cotangents in the model language; `definition` is the same
    function in the model language, where there is one, from which pages print its index form.
    """

    name: str
    about: Text
    shape: Callable[[Sequence[Expr], dict[str, Any]], Shape]
    forward: Callable[[Scalars, Sequence[Array], dict[str, Any]], Array]
    pullback: Callable[[Expr, Expr, Sequence[Expr], dict[str, Any]], tuple[Expr, ...]]
    reason: Text
    # A prefix, or a template; where they decide, of the operands' shapes, the options, and how a size is written.
    latex: str | Callable[[Sequence[Shape], dict[str, Any], Callable[[Size], str]], str]
    numpy: Callable[[Sequence[str], dict[str, Any], Sequence[int]], str]
    # None: any number of operands.
    arity: int | None = 1
    options: dict[str, Any] = field(default_factory=dict)
    normal_options: Callable[[Sequence[Expr], dict[str, Any]], dict[str, Any]] | None = None
    definition: Callable[[Sequence[Expr], dict[str, Any]], Expr] | None = None
    # The reason in numerator layout, where it says what is transposed or on which side.
    reason_in_rows: Text | None = None
    # ∂y/∂x entry by entry as an array with one more axis, and the sentence that uses it; None where that is not short.
    local: Callable[[Expr, dict[str, Any]], tuple[Expr, Text] | None] | None = None
    kernel: str = ""
    kink: Text | None = None
    sign: tuple[str, Text] | None = None
    word: str | None = None
    # Whether f(…, c x) = c f(…, x), in the last operand.
    is_linear: bool = False
    # Whether every entry is 0 or 1.
    is_truth: bool = False
    domain: Text | None = None
    citation: str = ""

    def __call__(self, *operands: object, **options: Any) -> Expr:
        """The primitive of expressions."""
        nodes = [coerce(e) for e in operands]
        unknown = set(options) - set(self.options)
        if len(nodes) != (self.arity or len(nodes)) or not nodes or unknown:
            wrong = f"the option {sorted(unknown)[0]}" if unknown else f"{len(nodes)} argument(s), not {self.arity}"
            raise InputError(f"{self.name} does not take {wrong}; see `symgrad rules`")
        chosen = {**self.options, **options}
        if self.normal_options is not None:
            chosen = self.normal_options(nodes, chosen)
        return apply(self.name, nodes, chosen.items(), self.shape(nodes, chosen))


def square(name: str, e: Expr) -> None:
    """Refuse what is not a square matrix."""
    if e.rank != 2 or e.shape[0] != e.shape[1]:
        raise ShapeError(f"{name}({e}): its shape is {show_shape(e.shape)}; {name} needs a square matrix")
