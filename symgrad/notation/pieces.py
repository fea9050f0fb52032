"""What LaTeX is put together from: pieces that know how tightly they bind, how tall they are, what they mean.

A piece is shared, not copied, and written out once at the end by a walk with a stack: a chain of any length
costs no more than its text. How a fraction is written depends on where it stands, which the walk knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field, replace
from enum import IntEnum
from fractions import Fraction
from typing import TypeAlias

from symgrad.errors import InputError
from symgrad.records import dataclass


class Level(IntEnum):
    """How tightly a piece binds: what binds less than its place demands is put in parentheses."""

    SUM = 0
    HADAMARD = 1  # A ⊙ B
    SCALED = 2  # 2 A
    CHAIN = 3  # A B
    OPERATOR = 4  # tanh Z
    POSTFIX = 5  # Xᵀ, and a fraction: whole as a factor, not as the base of a power
    CALL = 6  # σ(Z)
    ATOM = 7


class Height(IntEnum):
    """How tall a piece is, which decides the size of parentheses around it."""

    FLAT = 0
    FENCED = 1  # holds parentheses
    SMALL = 2  # holds a small fraction, or large parentheses
    TALL = 3  # holds a fraction


class Place(IntEnum):
    """Where a piece is written."""

    LINE = 0
    FENCE = 1
    FRACTION = 2
    SCRIPT = 3


@dataclass(frozen=True, slots=True, eq=False)
class Script:
    """What stands in a superscript or subscript."""

    inner: Tex


@dataclass(frozen=True, slots=True, eq=False)
class Fence:
    """Delimiters around a piece, as large as it needs."""

    inner: Tex
    opening: str
    closing: str


@dataclass(frozen=True, slots=True, eq=False)
class Quotient:
    """A fraction; a numeric one is always small, a simple one within parentheses."""

    top: Tex
    bottom: Tex
    is_simple: bool
    is_numeric: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Cotangent:
    """∂L/∂Z."""

    loss: str
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class SumSign:
    """Σ over indices."""

    indices: str


@dataclass(frozen=True, slots=True, eq=False)
class Tex:
    """A piece of a formula.

    `marks` names the notation that this piece adds to its parts'. `transposed` is the transpose where it
    has its own form, `inverse` is P where the piece is 1 ⊘ P, `product` what a coefficient may join.
    `is_name` holds of a leaf's name, `is_word` of what needs a thin space on both sides, `is_constant` of
    scalars made of numbers, sizes and hyperparameters.
    """

    parts: tuple[Part, ...]
    level: Level
    height: Height = Height.FLAT
    marks: frozenset[str] = frozenset()
    is_name: bool = False
    is_word: bool = False
    is_constant: bool = False
    rank: int = 0
    has_minus: bool = False
    has_digit: bool = False
    transposed: Tex | None = None
    inverse: Tex | None = None
    product: Product | None = None
    length: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        # Known before anything is written: the text of a graph with shared parts can be exponentially long.
        object.__setattr__(self, "length", sum(map(_length, self.parts)))

    @property
    def is_turned(self) -> bool:
        """Whether this is Xᵀ or X⁻ᵀ."""
        return self.transposed is not None and self.parts[-2:-1] in ((r"\top",), (r"-\top",))


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """coefficient · Π above / Π below · core: scalars in front of at most one array."""

    coefficient: Fraction = Fraction(1)
    above: tuple[Tex, ...] = ()
    below: tuple[Tex, ...] = ()
    core: Tex | None = None


Part: TypeAlias = str | Tex | Script | Fence | Quotient | Cotangent | SumSign


def tex(*parts: Part, level: Level, marks: Iterable[str] = ()) -> Tex:
    """A piece of parts; its height is the tallest part's."""
    height = max(map(_height, parts), default=Height.FLAT)
    return Tex(parts, level, height, frozenset(marks))


def _length(part: Part) -> int:
    if isinstance(part, str):
        return len(part)
    if isinstance(part, Tex):
        return part.length
    if isinstance(part, Script | Fence):
        return part.inner.length
    if isinstance(part, Quotient):
        return part.top.length + part.bottom.length
    return len(part.indices if isinstance(part, SumSign) else part.name)


def _height(part: Part) -> Height:
    if isinstance(part, Tex):
        return part.height
    if isinstance(part, Fence):
        return max(Height.FENCED, Height.SMALL if part.inner.height is Height.FENCED else part.inner.height)
    if isinstance(part, Quotient):
        return Height.SMALL if part.is_simple else Height.TALL
    if isinstance(part, SumSign):
        return Height.SMALL
    return Height.TALL if isinstance(part, Cotangent) else Height.FLAT


ONES = Tex((r"\mathbf{1}",), Level.ATOM, marks=frozenset({"ones"}))
ONES_ROW = Tex((r"\mathbf{1}^{\top}",), Level.POSTFIX, marks=frozenset({"ones", "transpose"}))
ONE = Tex(("1",), Level.ATOM, has_digit=True, is_constant=True)


def fenced(inner: Tex, opening: str = "(", closing: str = ")") -> Tex:
    """(inner)."""
    return tex(Fence(inner, opening, closing), level=Level.ATOM)


def enclosed(piece: Tex, level: Level) -> Tex:
    """The piece, in parentheses where it binds less than `level`."""
    return piece if piece.level >= level else fenced(piece)


def superscript(base: Tex, exponent: Tex | str, marks: Iterable[str] = ()) -> Tex:
    """base^exponent."""
    up = Script(exponent) if isinstance(exponent, Tex) else exponent
    return tex(enclosed(base, Level.CALL), "^{", up, "}", level=Level.POSTFIX, marks=marks)


def transpose(piece: Tex) -> Tex:
    """The transpose: of Xᵀ it is X, of X⁻¹ it is X⁻ᵀ."""
    if piece.transposed is not None:
        return piece.transposed
    return replace(superscript(piece, r"\top", ("transpose",)), transposed=piece)


def inverse(piece: Tex) -> Tex:
    """X⁻¹; of Xᵀ it is X⁻ᵀ."""
    is_turned = piece.transposed is not None and piece.parts[-2:-1] == (r"\top",)
    base = piece.transposed if is_turned and piece.transposed is not None else piece
    straight = superscript(base, "-1", ("inverse",))
    turned = superscript(base, r"-\top", ("inverse_transpose",))
    if is_turned:
        return replace(turned, transposed=straight)
    return replace(straight, transposed=replace(turned, transposed=straight))


def negative(piece: Tex) -> Tex:
    """-piece."""
    return replace(tex("-", enclosed(piece, Level.HADAMARD), level=Level.SUM), has_minus=True)


def chain(factors: Sequence[Tex]) -> Tex:
    """The matrix product A B C: associative, so that a product of matrices in it needs no parentheses."""
    if len(factors) == 1:
        return factors[0]
    last = len(factors) - 1
    level = Level.SCALED if factors[0].level is Level.SCALED else Level.CHAIN
    kept = []
    for k, f in enumerate(factors):
        bare = f.level is Level.CHAIN or f.level >= Level.POSTFIX or (f.level is Level.OPERATOR and k == last)
        kept.append(f if bare or (f.level is Level.SCALED and k == 0) else fenced(f))
    return juxtaposed(kept, level)


def juxtaposed(factors: Sequence[Tex], level: Level) -> Tex:
    """Factors side by side, with as much space as they need to be told apart."""
    parts: list[str | Tex] = []
    for k, factor in enumerate(factors):
        if k:
            parts.append(_between(factors[k - 1], factor))
        parts.append(factor)
    joined = tex(*parts, level=level)
    return replace(joined, has_digit=factors[0].has_digit, has_minus=factors[0].has_minus)


def _between(left: Tex, right: Tex) -> str:
    if right.has_digit:
        return r" \cdot "
    # Before a fraction too: its bar would touch the ⊤ of Xᵀ.
    is_fraction = any(isinstance(part, Quotient | Cotangent) for part in (left.parts[-1], right.parts[0]))
    # b (x + y) would be a function's value, b1 one symbol.
    is_beside = isinstance(right.parts[0], Fence) or right is ONES or right.parts[0] is ONES
    is_scalar = left.is_name and not left.rank
    return r"\," if is_fraction or (is_scalar and is_beside) or left.is_word or _begins_with_word(right) else " "


def _begins_with_word(piece: Tex) -> bool:
    """Whether the first of what stands in a piece is a word: diag(r) M."""
    first: Part = piece
    while isinstance(first, Tex) and not first.is_word and first.parts:
        first = first.parts[0]
    return isinstance(first, Tex) and first.is_word


# ---- writing it out

LONGEST = 2_000_000
_SIZES = {Height.FLAT: ("", ""), Height.FENCED: (r"\bigl", r"\bigr"), Height.SMALL: (r"\bigl", r"\bigr")}


def render(root: Tex) -> str:
    """The LaTeX of a piece; refused where no page could hold it."""
    if root.length > LONGEST:
        raise InputError(
            f"the formula would have {root.length:.0e} characters, because its parts are used many times;"
            " give them names"
        )
    out: list[str] = []
    stack: list[tuple[Part, Place, bool]] = [(root, Place.LINE, True)]
    while stack:
        part, place, is_alone = stack.pop()
        if isinstance(part, str):
            out.append(part)
        elif isinstance(part, Tex):
            is_alone = is_alone and len(part.parts) == 1
            stack.extend((p, place, is_alone) for p in reversed(part.parts))
        elif isinstance(part, Script):
            stack.append((part.inner, Place.SCRIPT, True))
        elif isinstance(part, Fence):
            stack.extend(reversed(_fence(part, place)))
        elif isinstance(part, Quotient):
            small = (part.is_numeric and place <= Place.FENCE) or (part.is_simple and place is Place.FENCE)
            command = r"\tfrac{" if small else r"\frac{"
            inner = Place.SCRIPT if place is Place.SCRIPT else Place.FRACTION
            stack.extend([("}", inner, False), (part.bottom, inner, True), ("}{", inner, False)])
            stack.extend([(part.top, inner, True), (command, inner, False)])
        else:
            out.append(_sign(part, place, is_alone))
    return "".join(out)


def _fence(fence: Fence, place: Place) -> list[tuple[Part, Place, bool]]:
    height = fence.inner.height
    if place is Place.SCRIPT or (place is Place.FRACTION and height < Height.TALL):
        left, right = "", ""
    else:
        left, right = _SIZES.get(height, (r"\left", r"\right"))
    opening, closing = left + fence.opening, right + fence.closing
    space = " " if opening[-1].isalpha() else ""
    inner = Place.FENCE if place is Place.LINE else place
    return [(opening + space, place, False), (fence.inner, inner, False), (closing, place, False)]


def _sign(part: Cotangent | SumSign, place: Place, is_alone: bool) -> str:
    if isinstance(part, SumSign):
        text = rf"\sum_{{{part.indices}}}"
        return text if place in (Place.LINE, Place.SCRIPT) else rf"{{\textstyle {text}}}\,"
    if place <= Place.FENCE:
        return rf"\frac{{\partial {part.loss}}}{{\partial {part.name}}}"
    text = rf"\partial {part.loss}/\partial {part.name}"
    return text if is_alone else f"({text})"


def marks_of(roots: Iterable[Tex]) -> frozenset[str]:
    """The notation that occurs in the pieces and in all their parts."""
    found: set[str] = set()
    seen: set[int] = set()
    stack: list[object] = list(roots)
    while stack:
        part = stack.pop()
        if isinstance(part, str) or id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, Tex):
            found |= part.marks
            stack.extend(part.parts)
        elif isinstance(part, Script | Fence):
            stack.append(part.inner)
        elif isinstance(part, Quotient):
            stack.extend((part.top, part.bottom))
    return frozenset(found)
