"""Generated source, run: the one place where text of ours becomes functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=64)
def loaded(source: str, names: tuple[str, ...]) -> dict[str, Callable[..., Any]]:
    """The functions of a generated module."""
    namespace: dict[str, Any] = {"__name__": "symgrad_generated"}
    # The one use of exec: the text is our own generated source; names and titles in it were made safe.
    exec(compile(source, "<symgrad: generated NumPy>", "exec"), namespace)
    return {name: namespace[name] for name in names}
