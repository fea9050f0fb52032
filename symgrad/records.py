"""`dataclass` for classes that never change, their methods written here once instead of generated for each class.

The standard library writes the methods of a frozen dataclass as text and compiles it, for 1.2 ms a class: with two hundred
classes a quarter of a second before a page is begun. What comes out is a dataclass like any other, for `fields`, `replace` and
type checkers too. Classes that change have their methods generated.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool = False, eq: bool = True, **options: Any) -> Callable[[type], type]:
        """As `dataclasses.dataclass`; a frozen class has slots.

        >>> @dataclass(frozen=True, slots=True)
        ... class Size:
        ...     rows: int
        ...     columns: int = 1
        >>> Size(3), Size(3, 1) == Size(rows=3), dataclasses.replace(Size(3), rows=4)
        (Size(rows=3, columns=1), True, Size(rows=4, columns=1))
        """
        if not frozen:
            return dataclasses.dataclass(eq=eq, **options)
        return lambda cls: _with_methods(dataclasses.dataclass(init=False, repr=False, eq=False, **options)(cls), eq)


def _with_methods(cls: Any, has_eq: bool) -> Any:
    """The class with the methods of a frozen dataclass, but those that it has."""
    methods = {
        "__init__": _init(cls),
        "__repr__": _repr,
        "__setattr__": _setattr,
        "__delattr__": _delattr,
        "__getstate__": _getstate,
        "__setstate__": _setstate,
    }
    if has_eq:
        methods |= _comparison([f.name for f in fields(cls)])
    for name, method in methods.items():
        if name not in cls.__dict__:
            setattr(cls, name, method)
    return cls


def _init(cls: Any) -> Callable[..., None]:
    """Sets the fields: to what is given, by place or by name, or to their defaults."""
    taken = {f.name for f in fields(cls) if f.init}
    by_place = [f.name for f in fields(cls) if f.init and not f.kw_only]
    defaults = {f.name: f.default for f in fields(cls) if f.default is not MISSING}
    factories = {f.name: f.default_factory for f in fields(cls) if f.default_factory is not MISSING}
    needed = taken - defaults.keys() - factories.keys()
    # Past `__setattr__`, which refuses.
    put = {f.name: getattr(cls, f.name).__set__ for f in fields(cls)}
    puts = [put[name] for name in by_place] if len(by_place) == len(put) and not factories else []
    with_defaults = [(name, defaults.get(name, MISSING)) for name in by_place]
    values = [value for _, value in with_defaults]
    fewest = values.count(MISSING)
    after = getattr(cls, "__post_init__", None)

    def __init__(self: Any, *args: Any, **named: Any) -> None:
        if puts and not named and fewest <= len(args) <= len(puts):
            # Most are made so: every field by its place, or the last ones by their defaults.
            for p, value in zip(puts, (*args, *values[len(args) :]), strict=True):
                p(self, value)
        elif puts and len(args) + len(named) <= len(puts):
            if len(args) < len(puts):
                args = (*args, *[named.pop(name, default) for name, default in with_defaults[len(args) :]])
            for p, value in zip(puts, args, strict=True):
                if value is MISSING:
                    raise TypeError(f"{cls.__qualname__} takes {', '.join(put)}, not {args}")
                p(self, value)
            if named:
                raise TypeError(f"{cls.__qualname__} takes {', '.join(put)}, not {', '.join(named)} so")
        else:
            given = dict(zip(by_place, args, strict=False)) | named
            if len(given) < len(args) + len(named) or not needed <= given.keys() <= taken:
                raise TypeError(f"{cls.__qualname__} takes {', '.join(put)}, not {args} and {named}")
            for name, make in factories.items():
                if name not in given:
                    given[name] = make()
            for name, value in (defaults | given).items():
                put[name](self, value)
        if after is not None:
            after(self)

    return __init__


def _comparison(names: list[str]) -> dict[str, Any]:
    """Equal are objects of one class whose fields are equal; these have the same hash."""
    get: Callable[[Any], tuple[Any, ...]]
    get = attrgetter(*names) if len(names) > 1 else lambda self: tuple(getattr(self, name) for name in names)

    def __eq__(self: Any, other: Any) -> Any:
        return get(self) == get(other) if type(other) is type(self) else NotImplemented

    def __hash__(self: Any) -> int:
        return hash(get(self))

    return {"__eq__": __eq__, "__hash__": __hash__}


def _repr(self: Any) -> str:
    shown = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.repr)
    return f"{type(self).__qualname__}({shown})"


def _setattr(self: Any, name: str, value: Any) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(self: Any, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(self: Any) -> list[Any]:
    return [getattr(self, f.name) for f in fields(self)]


def _setstate(self: Any, state: list[Any]) -> None:
    for f, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, f.name, value)
