"""The vocabulary of a model file: what it declares, the tables' entries by name, and what is defined by them.

Everything here is public as `symgrad.<name>`; a formula in a string can use exactly these names.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from symgrad.primitives import activations, arrays, declarations, layers, linear_algebra, losses, windows
from symgrad.primitives.functions import FUNCTIONS
from symgrad.primitives.table import PRIMITIVES

DEFINITIONS = (declarations, arrays, linear_algebra, windows, activations, losses, layers)
VOCABULARY: Mapping[str, Any] = MappingProxyType(
    {
        **{
            entry.word or name: entry
            for table in (FUNCTIONS, PRIMITIVES)
            for name, entry in table.items()
            if entry.word != ""
        },
        **{name: getattr(module, name) for module in DEFINITIONS for name in module.__all__},
    }
)
__all__ = sorted(VOCABULARY)


def __getattr__(name: str) -> Any:
    if name not in VOCABULARY:
        raise AttributeError(f"the language has no {name!r}; see `symgrad rules` for what it has")
    return VOCABULARY[name]
