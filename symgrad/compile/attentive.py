"""Calls in which NumPy tells of every overflow, division by zero and invalid operation, at next to no cost.

`np.errstate` sets a context variable, and builds what it sets anew each time: 2.5 µs. Here it is set once, in a context of
our own that every call is run in: 0.2 µs. Generated code reads no other context variable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import copy_context
from typing import Any

import numpy as np

# How a function is run in a context, and what NumPy has told of in it.
Watch = tuple[Callable[..., Any], list[str]]


class Attentive:
    """Contexts that watch: as many as calls run at a time, since none can be entered twice."""

    def __init__(self) -> None:
        self.idle: list[Watch] = [watching()]

    def run(self, function: Callable[..., Any], arguments: Mapping[str, Any]) -> tuple[Any, bool]:
        """(function(**arguments), whether anything in it was not finite).

        >>> Attentive().run(lambda x: np.float64(1) / x, {"x": np.float64(0)})
        (np.float64(inf), True)
        """
        # Taking one out and putting it back are one step each for all threads. After an error it is not put back.
        try:
            watch = self.idle.pop()
        except IndexError:
            watch = watching()
        run, flags = watch
        result = run(function, **arguments)
        has_flags = False
        if flags:
            has_flags = True
            flags.clear()
        self.idle.append(watch)
        return result, has_flags


def watching() -> Watch:
    """A context of our own, in which NumPy tells of what is not finite."""
    flags: list[str] = []
    context = copy_context()
    errors = np.errstate(divide="call", over="call", invalid="call", call=lambda kind, _: flags.append(kind))
    context.run(errors.__enter__)
    return context.run, flags
