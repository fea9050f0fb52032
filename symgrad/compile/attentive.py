"""Calls in which NumPy tells of every overflow, division by zero and invalid operation, at next to no cost.

`np.errstate` sets a context variable, and builds what it sets anew each time: 2.5 µs. Here it is set once, in a context of
our own that every call is run in: 0.2 µs. Generated code reads no other context variable.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextvars import Context, copy_context
from typing import Any

import numpy as np


class Attentive(threading.local):
    """One context for each thread: a context cannot be entered twice at a time."""

    def __init__(self) -> None:
        self._flags: list[str] = []
        self._context: Context = copy_context()
        watch = np.errstate(divide="call", over="call", invalid="call", call=lambda kind, _: self._flags.append(kind))
        self._context.run(watch.__enter__)

    def run(self, function: Callable[..., Any], arguments: Mapping[str, Any]) -> tuple[Any, bool]:
        """(function(**arguments), whether anything in it was not finite).

        >>> Attentive().run(lambda x: np.float64(1) / x, {"x": np.float64(0)})
        (np.float64(inf), True)
        """
        if self._flags:
            self._flags.clear()
        result = self._context.run(function, **arguments)
        return result, bool(self._flags)
