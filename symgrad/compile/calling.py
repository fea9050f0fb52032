"""The call of one compiled function by name, written for its own arguments: `f(X=…, y=…, w=…)`.

A `__call__(self, **arrays)` that serves all functions has Python gather the names into a dict, and match every one of them
again with the function that is run: 0.1 µs for each name and time. The one that is written here takes the names once, and
passes everything on by place. It knows the plain way alone: whatever else happens is left to `called` and `told`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any, Protocol, TypeVar

from symgrad.compile.arguments import Argument
from symgrad.compile.attentive import Attentive, watching
from symgrad.compile.loading import loaded

# The names of arguments begin with a letter, those in here with a line.
_TEXT = '''
def calling(_function, _idle, _watch, _isfinite, _missing):
    """The call, for a class."""

    def __call__(_self, /, *, {taken}**_others):
        if not _others:
            try:
                _watched = _idle.pop() if _idle else _watch()
                _result = _watched[0](_function, {passed})
            except (IndexError, TypeError, ValueError):
                pass  # the other way says what is wrong
            else:
                if _watched[1] or not _isfinite(_result[0]):
                    _watched[1].clear()
                    _idle.append(_watched)
                    return _self.told({arrays}, _result)
                _idle.append(_watched)
                return _result
        _given = {{_name: _a for _name, _a in {arrays}.items() if _a is not _missing}}
        return _self.called("value_and_gradients", {{**_given, **_others}})

    return __call__
'''


class Called(Protocol):
    """What a class has to have for a call of its own."""

    def called(self, name: str, arrays: dict[str, Any]) -> Any:
        """The result of one of the functions; errors are worded here."""

    def told(self, arrays: dict[str, Any], result: Any) -> Any:
        """The result, after NumPy has told of a number in it that is not finite."""


C = TypeVar("C", bound=Called)


def class_of_its_own(
    parent: type[C],
    function: Callable[..., Any],
    arguments: Sequence[Argument],
    attentive: Attentive,
    *,
    switch: str = "",
    inside: Mapping[str, str] | None = None,
) -> type[C]:
    """The class, with a `__call__` that runs the function; numbers have their names `inside` it, arrays their places."""
    names = [a.name for a in arguments] + ([switch] if switch else [])
    passed = [a.name if a.is_array else f"{(inside or {}).get(a.name, a.name)}={a.name}" for a in arguments]
    passed += [f"{switch}={switch}"] if switch else []
    defaults = {a.name: repr(a.default) for a in arguments if a.default is not None} | (
        {switch: "True"} if switch else {}
    )
    text = _TEXT.format(
        taken="".join(f"{name}={defaults.get(name, '_missing')}, " for name in names),
        passed=", ".join(passed),
        arrays="{" + ", ".join(f'"{name}": {name}' for name in names) + "}",
    )
    calling = loaded(text, ("calling",))["calling"]
    call = calling(function, attentive.idle, watching, isfinite, object())
    call.__qualname__, call.__doc__ = f"{parent.__name__}.__call__", parent.__call__.__doc__
    own = {name: getattr(parent, name) for name in ("__module__", "__qualname__", "__doc__")} | {"__call__": call}
    made: type[C] = type(parent.__name__, (parent,), own)
    return made
