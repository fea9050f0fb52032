"""What a page may be asked to be: its language, its detail, its layout."""

from __future__ import annotations

from symgrad.derive.layout import LAYOUTS
from symgrad.errors import InputError
from symgrad.prose import LANGUAGES


def check_choice(language: str, detail: str, layout: str = "denominator") -> None:
    """Refuse a language, a detail or a layout that no page has."""
    if language not in LANGUAGES:
        raise InputError(f"no page is written in {language!r}; choose en or zh")
    if detail not in ("brief", "normal", "full"):
        raise InputError(f"no page has the detail {detail!r}; choose brief, normal or full")
    if layout not in LAYOUTS:
        raise InputError(f"no page has the layout {layout!r}; choose denominator or numerator")
