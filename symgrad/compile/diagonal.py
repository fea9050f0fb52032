"""A multiple of the identity added to a matrix: n numbers are changed, where `A + c * np.eye(n)` writes n² three times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from symgrad.compile.numpy_text import Context, text_of
from symgrad.compile.operations import Op, Operations, Type
from symgrad.graph.show import Text


@dataclass(frozen=True, slots=True)
class Shift:
    """A + cI or A - cI: the matrix, the sign, c."""

    matrix: Op
    sign: str
    scalar: Op

    def line(self, name: str, texts: Mapping[Op, Text], context: Context) -> tuple[str, str, str]:
        """(what is changed, the sign, by what), where the matrix has that name."""
        c = self.scalar
        text = texts[c] if c in texts else text_of(c, [texts[x] for x in c.args], context)
        return f"{name}.flat[:: {context.size(self.matrix.shape[0])[0]} + 1]", self.sign, text[0]


def shift_of(op: Op, ops: Operations) -> Shift | None:
    """A sum as a matrix whose diagonal is shifted; None where it is something else."""
    if op.kind != "total" or len(op.args) != 2:
        return None
    terms = list(zip(op.data, op.args, strict=True))
    for (c, x), (d, y) in (terms, terms[::-1]):
        scalar = identity_factor(y, ops)
        if c == 1 and abs(d) == 1 and scalar is not None and x.shape == op.shape and x.type is Type.FLOATING:
            return Shift(x, "+" if d > 0 else "-", scalar)
    return None


def identity_factor(op: Op, ops: Operations) -> Op | None:
    """c of cI; None where an operation is something else."""
    if op.kind == "eye":
        return ops.number(Fraction(1))
    if op.kind != "product":
        return None
    coefficient, *flags = op.data
    factors = list(zip(op.args, flags, strict=True))
    others = [(x, is_divisor) for x, is_divisor in factors if x.kind != "eye"]
    is_scaled = len(others) == len(factors) - 1 and not any(x.rank for x, _ in others)
    return ops.product(coefficient, others) if is_scaled else None
