"""What a page may be asked to be: its language, its detail, its layout, its proofs, and what goes together."""

from __future__ import annotations

from typing import Literal

from symgrad.derive.layout import LAYOUTS, Layout
from symgrad.errors import InputError
from symgrad.prose import LANGUAGES

Method = Literal["index", "differential"]
METHODS: tuple[Method, ...] = ("index", "differential")


def check_choice(language: str, detail: str, layout: str = "denominator") -> None:
    """Refuse a language, a detail or a layout that no page has."""
    if language not in LANGUAGES:
        raise InputError(f"no page is written in {language!r}; choose en or zh")
    if detail not in ("brief", "normal", "full"):
        raise InputError(f"no page has the detail {detail!r}; choose brief, normal or full")
    if layout not in LAYOUTS:
        raise InputError(f"no page has the layout {layout!r}; choose denominator or numerator")


def check_together(format: str, layout: Layout, proof: Method, *, numbers: bool, is_bound: bool) -> None:
    """Refuse what has no page together."""
    if format == "json" and (numbers or is_bound or (layout, proof) != ("denominator", "index")):
        raise InputError(
            "JSON holds the lines of the derivation alone; leave out the layout, the proof, the numbers, what is bound"
        )
    if proof not in METHODS:
        raise InputError(f"no step is proved by {proof!r}; choose {' or '.join(METHODS)}")
    if layout == "numerator" and proof == "differential":
        raise InputError("differentials are shown in denominator layout; leave out the layout or the proof")
    if layout == "numerator" and is_bound:
        raise InputError("the bound form is shown in denominator layout; leave out the layout or what is bound")
