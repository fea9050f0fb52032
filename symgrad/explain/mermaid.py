"""A graph as a Mermaid flow chart, which GitHub draws inside a Markdown file."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from symgrad.explain.document import Graph, Inline, Node

# The frame of a value says what it is: sharp corners, a trapezium for what arrives from outside a group, round, double.
FRAMES = {"data": "[{}]", "parameter": "[{}]", "shown": "[/{}/]", "value": "({})", "loss": "(({}))"}


def mermaid(graph: Graph, plain: Callable[[Inline], str]) -> str:
    """The graph: solid arrows forward, dotted ones back, with the derivative on the first of them."""
    return "\n".join(_lines(graph, plain))


def _lines(graph: Graph, plain: Callable[[Inline], str]) -> Iterator[str]:
    number = {n.key: f"n{k}" for k, n in enumerate(graph.nodes)}
    yield "flowchart LR"
    for k, part in enumerate(graph.parts):
        if isinstance(part, Node):
            yield "  " + _node(part, number, plain)
            continue
        yield f"  subgraph g{k} [{_quoted(part.values, plain)}]"
        yield from ("    " + _node(n, number, plain) for n in part.nodes)
        yield "  end"
    yield from (f"  {number[a.source]} --> {number[a.target]}" for a in graph.arrows)
    named: set[str] = set()
    derivative = {n.key: n.derivative for n in graph.nodes}
    for a in graph.arrows:
        own = derivative[a.source]
        if a.has_return and own is not None:
            text = "" if a.source in named else f"|{_quoted(own, plain)}|"
            named.add(a.source)
            yield f"  {number[a.target]} -.->{text} {number[a.source]}"
    thick = [number[n.key] for n in graph.nodes if n.kind == "parameter"]
    if thick:
        yield "  classDef parameter stroke-width:3px"
        yield f"  class {','.join(thick)} parameter"


def _node(node: Node, number: dict[str, str], plain: Callable[[Inline], str]) -> str:
    name = _quoted(node.name, plain, "" if node.label is None else f" ({node.label})")
    return number[node.key] + FRAMES[node.kind].format(name)


def _quoted(item: Inline, plain: Callable[[Inline], str], more: str = "") -> str:
    """Between quotation marks; a sign of ASCII's that could be markup is written by its number."""
    text = plain(item) + more
    return '"' + "".join(c if c.isalnum() or c in " (),=/" or not c.isascii() else f"#{ord(c)};" for c in text) + '"'
