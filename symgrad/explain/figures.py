"""Numbers on a page: arrays with as many digits as they deserve, aligned, and shortened where they are long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import numpy as np

from symgrad.derive.numbers import shown_places
from symgrad.records import dataclass

# Of the largest entry this many digits are shown, and up to so many more where a smaller one would lose its own.
DIGITS, MORE = 5, 2
# From this power of ten on, and below the other, it stands in front of the array.
LARGE, SMALL = 5, -3
DOTS = {"row": r"\cdots", "column": r"\vdots", "both": r"\ddots"}
NOT_TAKEN = r"\cdot"


@dataclass(frozen=True, slots=True)
class Figures:
    """How the entries of arrays are rounded: times 10^power, with so many decimals."""

    power: int
    decimals: int

    def text(self, x: Decimal | None) -> str:
        """One entry, rounded."""
        if x is None or not x:
            return NOT_TAKEN if x is None else "0"
        scaled = x.scaleb(-self.power)
        rounded = scaled.quantize(Decimal(1).scaleb(-self.decimals), rounding=ROUND_HALF_EVEN)
        return f"{rounded if rounded else abs(rounded):f}"

    def scaled(self, tex: str) -> str:
        """A formula with the power of ten in front of it."""
        return rf"10^{{{self.power}}} {tex}" if self.power else tex


def figures_for(arrays: Sequence[Any]) -> Figures:
    """The rounding that arrays share: five digits of the largest entry, more where small ones need them.

    >>> figures_for([np.array([Decimal("0.5"), Decimal(2)])])
    Figures(power=0, decimals=1)
    """
    entries = [abs(x) for a in arrays for x in _shown(np.asarray(a, dtype=object)) if x]
    if not entries:
        return Figures(0, 0)
    top, bottom = max(entries).adjusted(), min(entries).adjusted()
    power = (
        0 if SMALL <= top < LARGE and not all(x == x.to_integral_value() for x in entries if top < 2 * LARGE) else top
    )
    if all(x == x.to_integral_value() for x in entries) and top < 2 * LARGE:
        return Figures(0, 0)
    decimals = max(0, DIGITS - 1 - (top - power) + min(MORE, max(0, top - bottom - DIGITS + 2)))
    texts = [Figures(power, decimals).text(x) for x in entries]
    # 0.5000 and 0.2500 are 0.50 and 0.25.
    zeros = min(len(t) - len(t.rstrip("0")) for t in texts) if decimals else 0
    return Figures(power, decimals - min(zeros, decimals))


def array_tex(a: Any, figures: Figures, *, is_row: bool = False) -> str:
    """An array: a number, a column (written as a transposed row) or a row, a matrix, or a list of such."""
    a = np.asarray(a, dtype=object)
    if not a.ndim:
        return _number(a[()], figures)
    if a.ndim > 2:
        parts = [array_tex(a[k], figures) for k in shown_places(len(a))]
        return r"\left(" + r",\; ".join(_with_dots(parts, len(a), DOTS["row"])) + r"\right)"
    body = _matrix(a if a.ndim == 2 else a[None, :], figures)
    turned = r"^{\top}" if a.ndim == 1 and not is_row else ""
    return figures.scaled(body + turned)


def scalar_tex(x: Decimal) -> str:
    """One number, five digits of it."""
    return array_tex(x, figures_for([x]))


def _number(x: Decimal | None, figures: Figures) -> str:
    text = figures.text(x)
    return rf"{text} \times 10^{{{figures.power}}}" if figures.power else text


def _matrix(a: Any, figures: Figures) -> str:
    rows, columns = (shown_places(length) for length in a.shape)
    texts = [[figures.text(a[i, j]) for j in columns] for i in rows]
    aligned = list(zip(*(_padded(column) for column in zip(*texts, strict=True)), strict=True))
    lines = [_with_dots(list(line), a.shape[1], DOTS["row"]) for line in aligned]
    if len(rows) < a.shape[0]:
        between = _with_dots([DOTS["column"]] * len(columns), a.shape[1], DOTS["both"])
        lines.insert(len(lines) - 1, between)
    return r"\begin{pmatrix} " + r" \\ ".join(" & ".join(line) for line in lines) + r" \end{pmatrix}"


def _padded(column: Sequence[str]) -> list[str]:
    """The entries of a column with invisible signs and digits in front, so that their points stand below each other."""
    signs = any(t.startswith("-") for t in column)
    digits = max(len(t.lstrip("-").split(".")[0]) for t in column)
    padded = []
    for t in column:
        if t == NOT_TAKEN:
            padded.append(t)
            continue
        missing = "0" * (digits - len(t.lstrip("-").split(".")[0]))
        front = ("-" if signs and not t.startswith("-") else "") + missing
        behind = next((u[u.index(".") :] for u in column if "." in u), "") if t == "0" else ""
        padded.append(f"{_unseen(front)}{t}{_unseen(behind)}")
    return padded


def _unseen(text: str) -> str:
    return rf"\phantom{{{text}}}" if text else ""


def _with_dots(parts: list[str], length: int, dots: str) -> list[str]:
    return parts if len(parts) == length else [*parts[:-1], dots, parts[-1]]


def _shown(a: Any) -> Iterator[Decimal]:
    places = np.ix_(*map(shown_places, a.shape)) if a.ndim else ()
    yield from (x for x in np.ravel(a[places]) if x is not None)
