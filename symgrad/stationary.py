"""The stationary points of a loss, as a user holds them: what was found, and its page."""

from __future__ import annotations

from collections.abc import Mapping

from symgrad.explain.choices import check_choice
from symgrad.explain.extrema import ExtremaPage, extrema_page
from symgrad.explain.steps import Detail
from symgrad.extrema.found import Answer, Found, Point, Step
from symgrad.formats.table import Page, render
from symgrad.graph.expression import Expr
from symgrad.prose import Language
from symgrad.records import dataclass


@dataclass(frozen=True, slots=True)
class Extrema:
    """The stationary points that were found, each put into every gradient and seen to give 0.

    `points` hold their values over data alone and their kind; `steps` the normal equations that led there.
    """

    found: Found
    page: ExtremaPage

    @property
    def points(self) -> tuple[Point, ...]:
        """The stationary points."""
        return self.found.points

    @property
    def steps(self) -> tuple[Step, ...]:
        """The parameters that a law found, in the order in which it did."""
        return self.found.steps

    @property
    def solutions(self) -> tuple[Mapping[str, Expr], ...]:
        """The points as expressions over data by their parameters' names; those that SymPy alone can write are left out."""
        return tuple({p.name: e for p, e in point.values.items()} for point in self.points if point.values)

    def __str__(self) -> str:
        if not self.points:
            return self.found.answer.value if self.found.answer is not Answer.ROOTS else "no real solution was found"
        return "\n".join(map(_line, self.points))

    def explain(self, format: str = "markdown", language: Language = "en", detail: Detail = "normal") -> Page:
        """The conditions, their solution and what it is, as a handout."""
        check_choice(language, detail)
        return render(extrema_page(self.page, language, detail), format)


def _line(point: Point) -> str:
    named = {p.name: str(e) for p, e in point.values.items()}
    if not named and point.root is not None:
        named = {p.name: str(e) for p, e in point.root.values.items()}
    at = ", ".join(f"{name} = {value}" for name, value in named.items())
    return f"{at}: {'global ' if point.is_global else ''}{point.kind.value}"
