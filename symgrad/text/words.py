"""The words of a formula: what of the language may be called, with which arguments, and the nearest one to a misspelt one."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from symgrad.primitives import language
from symgrad.primitives.entry import Function, Primitive
from symgrad.text.options import KINDS

DECLARATIONS = frozenset({"arange", "data", "parameter", "hyperparameter", "labels", "dims"})
WORDS: Mapping[str, Any] = {name: getattr(language, name) for name in language.__all__ if name not in DECLARATIONS}
# Arguments that are not expressions, by the names that they have in the language.
OPTIONS = frozenset(KINDS)
STRINGS = frozenset({"subscripts", "name", "body"})
# Arguments that are lists of expressions, and options that are sizes.
LISTS = frozenset({"arrays", "WQ", "WK", "WV"})
SIZES = frozenset({"before", "after"})


def parameter_of(function: Any, place: int) -> str | None:
    """What the argument in a place is: "operand", "shape", or the name of an option, a list or a string; None for none."""
    if isinstance(function, Function | Primitive):
        return "operand"
    parameters = list(inspect.signature(function).parameters.values())
    parameter = parameters[min(place, len(parameters) - 1)]
    if place >= len(parameters) and parameter.kind is not inspect.Parameter.VAR_POSITIONAL:
        return None
    return parameter.name if parameter.name in {*OPTIONS, *STRINGS, *LISTS, "shape"} else "operand"


def options_of(function: Any) -> list[str]:
    """The keyword arguments of a function."""
    if isinstance(function, Function):
        return []
    if isinstance(function, Primitive):
        return list(function.options)
    return [name for name in inspect.signature(function).parameters if name in OPTIONS]


def required_of(function: Any) -> int:
    """How many arguments a function needs at least (the tables' entries count theirs themselves)."""
    if isinstance(function, Function | Primitive):
        return 0
    parameters = inspect.signature(function).parameters.values()
    return sum(p.default is p.empty and p.kind is not p.VAR_POSITIONAL for p in parameters)


def shortened(text: str) -> str:
    """The beginning of a text that may be long."""
    return text if len(text) <= 40 else f"{text[:40]}…"


def nearest(word: str, known: Sequence[str]) -> str:
    """What to write instead of an unknown word: the nearest known one, or any."""
    folded = {name.lower(): name for name in known}
    close = get_close_matches(word[:40].lower(), list(folded), n=1, cutoff=0.6)
    if close:
        return f"did you mean {folded[close[0]]}?"
    return (
        f"write one of {', '.join(known[:12])}{', …' if len(known) > 12 else ''}"
        if known
        else "no names are known here"
    )
