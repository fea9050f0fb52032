"""Every error that a user can cause: one line that says what is wrong and what to do.

`exit_code` is what the command line ends with; `located` puts `file:line:col` in front of the message.
"""

from __future__ import annotations


class SymgradError(Exception):
    """An error that is explained in one line: `what; what to do`."""

    exit_code = 2

    def __init__(self, message: str = "", about: object = None) -> None:
        """`about`: the expression that is wrong, or the name of the variable; a model file knows the line of either."""
        super().__init__(message)
        self.about = about


class InputError(SymgradError):
    """The user's input is wrong: a model file, a table, an argument."""


class ShapeError(InputError):
    """Two shapes do not fit each other, or an array does not fit its declaration."""


class CheckFailed(SymgradError):
    """A proof or a numeric check said no."""

    exit_code = 1


class DerivationError(SymgradError):
    """A loss that cannot be derived: the primitive or the reason is named."""

    exit_code = 3


class MissingTool(SymgradError):
    """A program or an extra is not installed: the install line is given."""

    exit_code = 4


class NotFiniteWarning(RuntimeWarning):
    """A result that is infinite or not a number: the formula, its equation, the entry and its value are named."""


def located(error: SymgradError, place: str) -> SymgradError:
    """Return the same kind of error with `place` (`file:line:col`) in front of its message.

    >>> str(located(InputError("no loss; assign one to `loss`"), "model.py:3:1"))
    'model.py:3:1: no loss; assign one to `loss`'
    """
    return type(error)(f"{place}: {error}")
