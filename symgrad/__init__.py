"""symgrad: gradients derived step by step, proved, explained, and compiled to NumPy.

The public names are loaded when they are first used, so that importing symgrad stays cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PLACES = {
    **dict.fromkeys(("Problem", "load", "load_output"), "symgrad.problem"),
    **dict.fromkeys(("jacobian", "jvp", "vjp"), "symgrad.products"),
    "Text": "symgrad.prose",
    "latex": "symgrad.notation.latex",
    "parse": "symgrad.text.parse",
    "to_sympy": "symgrad.derive.indexed",
    **dict.fromkeys(
        (
            "SymgradError",
            "InputError",
            "ShapeError",
            "CheckFailed",
            "DerivationError",
            "MissingTool",
            "NotFiniteWarning",
        ),
        "symgrad.errors",
    ),
}
_VOCABULARY = "symgrad.primitives.language"


def __getattr__(name: str) -> Any:
    # What is not listed above is a word of the language, which the tables know.
    if name == "__all__":
        return sorted({*_PLACES, *import_module(_VOCABULARY).__all__})
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    words = {} if name.startswith("_") else import_module(_VOCABULARY).VOCABULARY
    if name not in words:
        close = import_module("difflib").get_close_matches(name, words, n=1)
        hint = f"did you mean sg.{close[0]}?" if close else "see `symgrad rules` for what it has"
        raise AttributeError(f"symgrad has no {name!r}; {hint}")
    return words[name]


def __dir__() -> list[str]:
    return [*__getattr__("__all__"), "__version__"]
