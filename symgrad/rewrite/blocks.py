"""Blocks beside each other: [A 0] + [0 B] is [A B]."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symgrad.graph.expression import Apply, Expr, scale
from symgrad.graph.sizes import ZERO, Size
from symgrad.primitives.table import PRIMITIVES


def side_by_side(terms: Sequence[tuple[Fraction, Expr]]) -> Expr | None:
    """The concatenation that a sum of padded blocks is, where they fill an axis; None where they do not."""
    blocks: dict[Size, tuple[Fraction, Apply]] = {}
    for c, e in terms:
        if not isinstance(e, Apply) or e.primitive != "pad" or e.option("step") != 1:
            return None
        before = e.option("before")
        assert isinstance(before, Size)
        blocks[before] = c, e
    axes = {e.option("axis") for _, e in blocks.values()}
    (axis, *others), place, joined = axes, ZERO, list[Expr]()
    if others or len(blocks) < len(terms) or not isinstance(axis, int):
        return None
    while place in blocks:
        c, block = blocks.pop(place)
        joined.append(scale(c, block.operands[0]))
        place = place + block.operands[0].shape[axis]
    return PRIMITIVES["concatenate"](*joined, axis=axis) if not blocks and place == terms[0][1].shape[axis] else None
