"""The values of a call's options in a formula: axes, truth values, whole numbers, and the words that a loss knows."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from symgrad.primitives.facts import FACTS

MOST_AXES = 16
LARGEST_STEP = 10**6


def written_out(node: ast.expr) -> Any:
    """The value of a constant, of a signed one, or of a tuple of such; the text "no" for anything else."""
    if isinstance(node, ast.Tuple):
        return tuple(map(written_out, node.elts))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        value = node.operand.value
        return -value if type(value) is int else "no"
    return node.value if isinstance(node, ast.Constant) else "no"


def _are_axes(value: Any) -> bool:
    items = value if isinstance(value, tuple) else (value,)
    return all(type(k) is int and abs(k) <= MOST_AXES for k in items)


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool)


def _are_whole(value: Any) -> bool:
    items = value if isinstance(value, tuple) else (value,)
    return all(type(k) is int and abs(k) <= LARGEST_STEP for k in items)


# What an option may be: the test, and what to write.
Kind = tuple[Callable[[Any], bool], str]
AXIS: Kind = (lambda value: value is None or _are_axes(value), "an axis such as 0, or (0, 1)")
TRUTH: Kind = (_is_truth, "True or False")
WHOLE: Kind = (_are_whole, "a whole number such as 2")
KINDS: Mapping[str, Kind] = {
    "axis": AXIS,
    "axes": (
        lambda value: value is None or (isinstance(value, tuple) and _are_axes(value)),
        "a tuple of axes such as (1, 0)",
    ),
    "keepdims": TRUTH,
    "reverse": TRUTH,
    "lower": TRUTH,
    "causal": TRUTH,
    **dict.fromkeys(FACTS, TRUTH),
    "step": WHOLE,
    "stride": (lambda value: value is None or _are_whole(value), WHOLE[1]),
    "padding": WHOLE,
    "k": WHOLE,
    "ord": (lambda value: value is None or value in (1, 2, "fro", "inf"), '1, 2, "fro" or "inf"'),
    "reduction": (lambda value: value in ("mean", "sum", "none"), '"mean", "sum" or "none"'),
    "activation": (lambda value: value is None, "the activation around it: tanh(dense(X, W, b))"),
}


def read_option(node: ast.expr, name: str) -> Any:
    """The value of an option; ValueError, with what to write, where it is none."""
    value = written_out(node)
    is_fine, wanted = KINDS[name]
    if not is_fine(value):
        raise ValueError(f"{name} is not understood here; write {wanted}")
    return float("inf") if value == "inf" else value
