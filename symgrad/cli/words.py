"""The words of a command line as they stand, without what typer converts them with.

From 0.29 on typer has pydantic read every value, those that nobody gave too. To import it and to build its readers takes each
command 0.2 s, for texts that are texts already.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from typer.core import TyperCommand


class Command(TyperCommand):
    """A command of which typer converts only the values that need it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments."""
        keep_words(self, ctx)
        return super().parse_args(ctx, args)


def keep_words(command: Any, ctx: Any) -> None:
    """Leave the values of a command, or of a group of them, as they stand where they need not be converted."""
    kinds = get_type_hints(command.callback)
    for parameter in command.get_params(ctx):
        # typer makes the parameters, and has no place for another class. --help it adds by itself, without a value.
        kind = kinds.get(parameter.name, NoneType)
        parameter.process_value = partial(_value, kind, parameter.process_value)


def _value(kind: Any, by_typer: Callable[[Any, Any], Any], ctx: Any, value: Any) -> Any:
    """The value where it is of its parameter's type, the choice that it names; all else, and what is wrong, by typer."""
    is_optional = NoneType in get_args(kind)
    own = next(k for k in get_args(kind) if k is not NoneType) if is_optional else kind
    if get_origin(own) is list:
        is_read = get_args(own) == (str,) and (all(isinstance(v, str) for v in value) if value else is_optional)
        return tuple(value or ()) if is_read else by_typer(ctx, value)
    if is_optional and value is None:
        return None
    if issubclass(own, StrEnum) and value in list(own):
        return own(value)
    # A flag may have a callback, and typer itself leaves flags as they are.
    return value if isinstance(value, own) and own is not bool else by_typer(ctx, value)
