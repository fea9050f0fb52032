"""What a contraction is called: transpose, sum over axes, product, matrix product … or none of these.

Printers and code generators ask here, so that a contraction reads the same everywhere.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache

from symgrad.records import dataclass

Indices = tuple[tuple[int, ...], ...]


class Pattern(Enum):
    """The forms that have a name of their own; `GENERAL` has none and is written with indices."""

    PERMUTE = "permute"
    BROADCAST = "broadcast"
    EXPAND = "expand"
    SUM = "sum"
    TRACE = "trace"
    DIAGONAL = "diagonal"
    PRODUCT = "product"
    MATMUL = "matmul"
    GENERAL = "general"


@dataclass(frozen=True, slots=True)
class Reading:
    """A pattern with its numbers: the axes of a permutation or of a sum, whether summed axes are kept with size 1."""

    pattern: Pattern
    axes: tuple[int, ...] = ()
    keepdims: bool = False


# A handful of short tuples in all programs, each asked for again and again.
@lru_cache(maxsize=1024)
def read(indices: Indices, rank: int, ones: frozenset[int] = frozenset()) -> Reading:
    """Name the contraction of `indices` to a result of `rank` axes, of which those in `ones` have size 1.

    >>> read(((1, 0),), 2).pattern, read(((0, 2), (2, 1)), 2).pattern, read(((0, 1), (1,)), 2).pattern
    (<Pattern.PERMUTE: 'permute'>, <Pattern.MATMUL: 'matmul'>, <Pattern.PRODUCT: 'product'>)
    """
    if len(indices) == 1:
        return _read_one(indices[0], rank, ones)
    if _is_product(indices, rank):
        return Reading(Pattern.PRODUCT)
    if len(indices) == 2 and _is_matmul(indices[0], indices[1], rank):
        return Reading(Pattern.MATMUL)
    return Reading(Pattern.GENERAL)


def _read_one(own: tuple[int, ...], rank: int, ones: frozenset[int]) -> Reading:
    kept = [i for i in own if i < rank]
    summed = tuple(k for k, i in enumerate(own) if i >= rank)
    missing = set(range(rank)) - set(kept)
    if len(set(own)) < len(own):
        if len(own) == 2 and rank == 0:
            return Reading(Pattern.TRACE)
        return Reading(Pattern.DIAGONAL if own == (0, 0) and rank == 1 else Pattern.GENERAL)
    if not summed and not missing:
        order = tuple(own.index(axis) for axis in range(rank))
        return Reading(Pattern.PERMUTE, order)
    if kept != sorted(kept):
        return Reading(Pattern.GENERAL)
    if not summed:
        return Reading(Pattern.EXPAND if missing <= ones else Pattern.BROADCAST)
    if not missing:
        return Reading(Pattern.SUM, summed)
    if missing <= ones and missing == set(summed) and len(own) == rank:
        return Reading(Pattern.SUM, summed, keepdims=True)
    return Reading(Pattern.GENERAL)


def _is_product(indices: Indices, rank: int) -> bool:
    covered = {i for own in indices for i in own}
    return covered == set(range(rank)) and all(list(own) == sorted(set(own)) for own in indices)


def _is_matmul(a: tuple[int, ...], b: tuple[int, ...], rank: int) -> bool:
    bound = {i for i in (*a, *b) if i >= rank}
    if len(bound) != 1 or len(set(a)) < len(a) or len(set(b)) < len(b):
        return False
    (k,) = bound
    if len(a) == 1 or len(b) == 1:
        lead: tuple[int, ...] = ()
    else:
        lead = a[:-2]
        if b[:-2] != lead or lead != tuple(range(len(lead))):
            return False
    at = len(lead)
    rows = (at,) if len(a) > 1 else ()
    columns = (at + len(rows),) if len(b) > 1 else ()
    return rank == at + len(rows) + len(columns) and a == (*lead, *rows, k) and b == (*lead, k, *columns)


def is_trailing(own: tuple[int, ...], rank: int) -> bool:
    """Whether NumPy's broadcasting puts an operand with these axes where they belong without being told."""
    return own == tuple(range(rank - len(own), rank))


def inserted(own: tuple[int, ...], rank: int) -> str:
    """What stands behind an operand so that NumPy aligns its axes with the result's.

    >>> inserted((0,), 2), inserted((1,), 2)
    ('[:, None]', '')
    """
    if is_trailing(own, rank):
        return ""
    return "[" + ", ".join(":" if axis in own else "None" for axis in range(own[0], rank)) + "]"
