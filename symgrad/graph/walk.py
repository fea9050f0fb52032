"""Walks over graphs with an explicit stack: a chain of any length is no deeper than a short one."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any, TypeVar

Node = TypeVar("Node", bound=Any)
Value = TypeVar("Value")


def postorder(roots: Iterable[Node], stop: Container[Node] = ()) -> list[Node]:
    """Every node once, operands before what uses them, left to right; nothing beneath the nodes in `stop`."""
    # Above None stand the operands of the node below it, which is done when they are.
    stack: list[Any] = list(roots)[::-1]
    if len(stack) == 1 and not stop:
        below = getattr(stack[0], "below", None)
        if below is not None:
            return [*below, stack[0]]
    order: list[Node] = []
    seen: set[Node] = set()
    while stack:
        node = stack.pop()
        if node is None:
            order.append(stack.pop())
            continue
        if node in seen:
            continue
        below = None if stop else getattr(node, "below", None)
        if below is not None:
            order += [e for e in below if e not in seen] if seen else below
            order.append(node)
            seen.update(below)
            seen.add(node)
            continue
        seen.add(node)
        children = () if stop and node in stop else node.children
        if children:
            stack.append(node)
            stack.append(None)
            stack.extend(children[::-1])
        else:
            order.append(node)
    return order


def use_counts(order: Sequence[Node]) -> dict[Node, int]:
    """How many operand places each node fills."""
    counts = dict.fromkeys(order, 0)
    for node in order:
        for child in node.children:
            counts[child] += 1
    return counts


def fold(roots: Iterable[Node], visit: Callable[[Node, list[Value]], Value]) -> dict[Node, Value]:
    """`visit(node, values of its children)` for every node, operands first."""
    values: dict[Node, Value] = {}
    for node in postorder(roots):
        values[node] = visit(node, [values[child] for child in node.children])
    return values
