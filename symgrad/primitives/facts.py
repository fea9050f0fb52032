"""The table of facts: what a user may state of data, and what proofs, pages and run-time checks make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

from symgrad.errors import ShapeError
from symgrad.graph.expression import Shape
from symgrad.graph.show import show_shape
from symgrad.prose import Text
from symgrad.records import dataclass

Array = Any
Fresh = Callable[[], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A statement about a leaf.

    `entries(fresh, shape)` lists the entries, in C order, of the most general array with the fact that has free
    entries; `every(shape)` enumerates all arrays with it where they are finitely many; `draw(random, shape)` gives the
    entries of one at random, by rational numbers; `check` is a NumPy condition in `{0}` which holds of such arrays.
    """

    name: str
    sentence: Text
    # The sentence for an array without rows, where it reads differently.
    of_vector: Text | None = None
    check: str
    draw: Callable[[Any, tuple[int, ...]], list[Any]]
    entries: Callable[[Fresh, tuple[int, ...]], list[Any]] | None = None
    every: Callable[[tuple[int, ...]], Iterator[list[int]]] | None = None
    is_square: bool = False

    def admit(self, name: str, shape: Shape) -> None:
        """Refuse the fact of a shape that cannot have it."""
        if self.is_square and (len(shape) != 2 or shape[0] != shape[1]):
            raise ShapeError(f"{name} has shape {show_shape(shape)}; only a square matrix can be {self.name}")
        if self.name == "one_hot" and not shape:
            raise ShapeError(f"{name} is a scalar; only an array with an axis of classes can be one_hot")


def _symmetric(fresh: Fresh, shape: tuple[int, ...]) -> list[Any]:
    n = shape[0]
    upper = {(i, j): fresh() for i in range(n) for j in range(i, n)}
    return [upper[min(i, j), max(i, j)] for i in range(n) for j in range(n)]


def _cholesky_product(fresh: Fresh, shape: tuple[int, ...]) -> list[Any]:
    n = shape[0]
    low = [[fresh() if j <= i else 0 for j in range(n)] for i in range(n)]
    return [sum(low[i][k] * low[j][k] for k in range(min(i, j) + 1)) for i in range(n) for j in range(n)]


def _last_is_the_rest(fresh: Fresh, shape: tuple[int, ...]) -> list[Any]:
    rows = 1
    for s in shape[:-1]:
        rows *= s
    entries: list[Any] = []
    for _ in range(rows):
        row = [fresh() for _ in range(shape[-1] - 1)]
        entries += [*row, 1 - sum(row)]
    return entries


def _count(shape: tuple[int, ...]) -> int:
    total = 1
    for s in shape:
        total *= s
    return total


def _all_one_hot(shape: tuple[int, ...]) -> Iterator[list[int]]:
    k = shape[-1]
    for classes in product(range(k), repeat=_count(shape) // k):
        yield [int(c == j) for c in classes for j in range(k)]


def _each_of(values: tuple[int, ...]) -> Callable[[tuple[int, ...]], Iterator[list[int]]]:
    return lambda shape: (list(choice) for choice in product(values, repeat=_count(shape)))


def _draw_one_hot(random: Any, shape: tuple[int, ...]) -> list[Any]:
    k = shape[-1]
    return [int(c == j) for c in (random.number_of(k) for _ in range(_count(shape) // k)) for j in range(k)]


def _draw_each(values: tuple[int, ...]) -> Callable[[Any, tuple[int, ...]], list[Any]]:
    return lambda random, shape: [values[random.number_of(len(values))] for _ in range(_count(shape))]


def _draw_counts(random: Any, shape: tuple[int, ...]) -> list[Any]:
    """Positive numbers, and in every other array zeros among them."""
    has_zeros = random.number_of(2)
    return [0 if has_zeros and not random.number_of(3) else random.positive() for _ in range(_count(shape))]


ONE_HOT = Fact(
    name="one_hot",
    sentence=Text(
        en="one-hot: one entry of each row is 1, the others are 0, so that each row sums to 1",
        zh="独热：每行有一个元素为 1，其余为 0，因而每行之和为 1",
    ),
    of_vector=Text(
        en="one-hot: one entry is 1, the others are 0, so that the entries sum to 1",
        zh="独热：恰有一个元素为 1，其余为 0，因而各元素之和为 1",
    ),
    check="((({0} == 0) | ({0} == 1)).all() and ({0}.sum(axis=-1) == 1).all())",
    entries=_last_is_the_rest,
    every=_all_one_hot,
    draw=_draw_one_hot,
)
SYMMETRIC = Fact(
    name="symmetric",
    sentence=Text(en="symmetric: equal to its transpose", zh="对称：等于自身的转置"),
    # What is computed is symmetric up to rounding.
    check="(np.abs({0} - {0}.T) <= 1e-8 * np.abs({0}).max()).all()",
    entries=_symmetric,
    draw=lambda random, shape: _symmetric(random.real, shape),
    is_square=True,
)
POSITIVE_DEFINITE = Fact(
    name="positive_definite",
    sentence=Text(en="symmetric and positive definite", zh="对称正定"),
    check="((np.abs({0} - {0}.T) <= 1e-8 * np.abs({0}).max()).all() and np.linalg.eigvalsh({0}).min() > 0)",
    entries=_cholesky_product,
    draw=lambda random, shape: _cholesky_product(random.positive, shape),
    is_square=True,
)
POSITIVE = Fact(
    name="positive",
    sentence=Text(en="every entry is positive", zh="每个元素为正"),
    check="({0} > 0).all()",
    draw=lambda random, shape: [random.positive() for _ in range(_count(shape))],
)
NONNEGATIVE = Fact(
    name="nonnegative",
    sentence=Text(en="no entry is negative", zh="每个元素非负"),
    check="({0} >= 0).all()",
    draw=_draw_counts,
)
SIGN = Fact(
    name="sign",
    sentence=Text(en="every entry is +1 or -1", zh="每个元素为 +1 或 −1"),
    check="(np.abs({0}) == 1).all()",
    every=_each_of((1, -1)),
    draw=_draw_each((1, -1)),
)
BINARY = Fact(
    name="binary",
    sentence=Text(en="every entry is 0 or 1", zh="每个元素为 0 或 1"),
    check="(({0} == 0) | ({0} == 1)).all()",
    every=_each_of((0, 1)),
    draw=_draw_each((0, 1)),
)

FACTS: dict[str, Fact] = {
    fact.name: fact
    for fact in (ONE_HOT, SYMMETRIC, POSITIVE_DEFINITE, POSITIVE, NONNEGATIVE, SIGN, BINARY)
}  # fmt: skip
