"""The model language, written: `str` of an expression is what a model file would say.

A graph is read by its fields, so that the nodes themselves can use this module. A graph in which long parts are shared is
written as assignments, never as one exponential line.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from symgrad.graph.patterns import Pattern, inserted, read
from symgrad.graph.sizes import ONE, ZERO, Size
from symgrad.graph.walk import postorder, use_counts

COMPARE, SUM, PRODUCT, UNARY, POWER, ATOM = range(6)
LONGEST_SHARED = 24
# Options at values that change nothing.
NOTHING: dict[str, object] = {"before": ZERO, "after": ZERO, "step": 1}
# A line nests at most this many operations: what is deeper begins a line of its own, so that it can be read back.
DEEPEST = 30
Text = tuple[str, int]


def show(root: Any) -> str:
    """The expression in the model language; a leaf is its name."""
    order = postorder([root])
    uses = use_counts(order)
    inline = len(order) < LONGEST_SHARED
    texts: dict[Any, Text] = {}
    depths: dict[Any, int] = {}
    lines: list[str] = []
    for node in order:
        text = _node(node, texts)
        depths[node] = 1 + max((depths[e] for e in node.children), default=0)
        is_shared = not inline and uses[node] > 1 and len(text[0]) > LONGEST_SHARED
        if node is not root and (is_shared or depths[node] > DEEPEST):
            name = f"_{len(lines) + 1}"
            lines.append(f"{name} = {text[0]}")
            text, depths[node] = (name, ATOM), 0
        texts[node] = text
    return "\n".join([*lines, texts[root][0]])


def show_shape(shape: Iterable[Size]) -> str:
    """A shape as NumPy writes it: (), (n,), (n, d)."""
    sizes = [str(s) for s in shape]
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"


def _node(node: Any, texts: dict[Any, Text]) -> Text:
    if node.kind == "leaf":
        return _leaf(node)
    if node.kind == "linear":
        return _linear(node, texts)
    if node.kind == "contraction":
        return _contraction(node, texts)
    if node.kind == "elementwise":
        return _elementwise(node, texts)
    arguments = [texts[e][0] for e in node.operands]
    if node.primitive == "named":
        return f'named("{node.option("name")}", {arguments[0]})', ATOM
    if node.primitive == "assume":
        return f"assume({', '.join([arguments[0], *(f'{fact}=True' for fact, _ in node.options)])})", ATOM
    if node.primitive == "slice":
        return enclosed(texts[node.operands[0]], ATOM) + _brackets(node), ATOM
    if node.primitive == "reshape":
        return f"reshape({arguments[0]}, {show_shape(node.shape)})", ATOM
    if node.primitive == "concatenate":
        return f"concatenate([{', '.join(arguments)}], axis={node.option('axis')})", ATOM
    if node.primitive == "one_hot":
        return f"one_hot({arguments[0]})", ATOM
    return f"{node.primitive}({', '.join(arguments + _options(node))})", ATOM


def _brackets(node: Any) -> str:
    """[:, a:b], places at the beginning and end left out."""
    start, stop, step = (node.option(key) for key in ("start", "stop", "step"))
    n = node.operands[0].shape[node.option("axis")]
    part = f"{start if start != ZERO else ''}:{stop if stop != n else ''}{f':{step}' if step != 1 else ''}"
    return f"[{', '.join([*[':'] * node.option('axis'), part])}]"


def _options(node: Any) -> list[str]:
    """Keyword arguments but for those that change nothing: no kept axes, the last axis of a map, all axes of a sum."""
    x = node.operands[0]
    is_default = not node.rank or (len(node.shape) == x.rank and (("axis", x.rank - 1),) == node.options)
    shown = [(k, v) for k, v in node.options if not (k == "axis" and is_default)]
    return [f"{k}={v!r}" for k, v in shown if v is not False and not (k in NOTHING and NOTHING[k] == v)]


def _leaf(node: Any) -> Text:
    if isinstance(node.value, Fraction) and not node.name:
        text = str(node.value)
        return text, PRODUCT if "/" in text else UNARY if text.startswith("-") else ATOM
    if node.role.value == "size":
        text = str(node.value)
        return text, ATOM if text.isidentifier() or text.isdigit() else SUM
    if node.role.value == "identity":
        return f"eye({node.shape[0]})", ATOM
    if node.role.value == "window":
        return f"window({node.shape[0]}, {node.shape[2]})", ATOM
    if node.role.value == "differential":
        return f"d{node.name}", ATOM
    return node.name + ("_bar" if node.role.value == "cotangent" else ""), ATOM


def enclosed(text: Text, level: int) -> str:
    """The text, in parentheses where it binds less than `level`."""
    return text[0] if text[1] >= level else f"({text[0]})"


def _linear(node: Any, texts: dict[Any, Text]) -> Text:
    operands = _broadcast_together([e for _, e in node.terms], node, texts)
    result = ""
    binds = PRODUCT
    for (c, _), text in zip(node.terms, operands, strict=True):
        size = abs(c)
        body = enclosed(text, PRODUCT if result or c != 1 else SUM)
        binds = UNARY if c == -1 and text[1] >= UNARY else PRODUCT
        if size.numerator != 1:
            body = f"{size.numerator} * {body}"
        if size.denominator != 1:
            body = f"{body} / {size.denominator}"
        result += (" - " if c < 0 else " + ") + body if result else ("-" if c < 0 else "") + body
    return result, binds if len(node.terms) == 1 else SUM


def _broadcast_together(operands: list[Any], node: Any, texts: dict[Any, Text]) -> list[Text]:
    """Operands of one shape: a broadcast is left to NumPy where another operand has the full shape."""
    plain: list[Text | None] = []
    for e in operands:
        plain.append(_unbroadcast(e, texts))
    if all(text is not None for text in plain):
        plain[0] = None
    return [texts[e] if text is None else text for e, text in zip(operands, plain, strict=True)]


def _unbroadcast(e: Any, texts: dict[Any, Text]) -> Text | None:
    if e.kind != "contraction" or len(e.operands) != 1:
        return None
    own = e.indices[0]
    text = texts[e.operands[0]]
    if _stretched(e) is not None:
        return text
    if read(e.indices, e.rank).pattern is not Pattern.BROADCAST:
        return None
    suffix = inserted(own, e.rank)
    return (enclosed(text, ATOM) + suffix, ATOM) if suffix else text


def _stretched(node: Any) -> tuple[tuple[int, ...], ...] | None:
    """The operands' axes where NumPy's rule alone aligns them, axes of size 1 stretching; None where it does not."""
    used = [i for own in node.indices for i in own]
    if len(used) == len({i for i in used if i < node.rank}) or (len(node.operands) > 1 and not _covers(node, used)):
        return None
    aligned = []
    for e, own in zip(node.operands, node.indices, strict=True):
        offset = node.rank - e.rank
        stretch = [s == ONE and i >= node.rank and used.count(i) == 1 for i, s in zip(own, e.shape, strict=True)]
        place = [offset + k if is_one else i for k, (i, is_one) in enumerate(zip(own, stretch, strict=True))]
        if offset < 0 or place != list(range(offset, node.rank)):
            return None
        aligned.append(tuple(place))
    return tuple(aligned)


def _covers(node: Any, used: list[int]) -> bool:
    return set(range(node.rank)) <= set(used)


def _contraction(node: Any, texts: dict[Any, Text]) -> Text:
    ones = frozenset(k for k, s in enumerate(node.shape) if s == ONE)
    reading = read(node.indices, node.rank, ones)
    if len(node.operands) == 1:
        return _one_operand(node, reading.pattern, reading.axes, reading.keepdims, texts)
    if reading.pattern is Pattern.MATMUL:
        a, b = (texts[e] for e in node.operands)
        return f"{enclosed(a, PRODUCT)} @ {enclosed(b, UNARY)}", PRODUCT
    if reading.pattern is Pattern.PRODUCT:
        return _product(node, node.indices, texts)
    aligned = _stretched(node)
    return _einsum(node, texts) if aligned is None else _product(node, aligned, texts)


def _one_operand(node: Any, pattern: Pattern, axes: tuple[int, ...], keepdims: bool, texts: dict[Any, Text]) -> Text:
    operand = node.operands[0]
    text = texts[operand]
    if pattern is Pattern.PERMUTE and axes == tuple(range(node.rank))[::-1]:
        return enclosed(text, ATOM) + ".T", ATOM
    if pattern is Pattern.PERMUTE:
        return f"transpose({text[0]}, {axes})", ATOM
    if pattern is Pattern.SUM:
        every = len(axes) == operand.rank and not keepdims
        where = "" if every else f", axis={axes[0] if len(axes) == 1 else axes}"
        return f"sum({text[0]}{where}{', keepdims=True' if keepdims else ''})", ATOM
    if pattern is Pattern.TRACE:
        return f"trace({text[0]})", ATOM
    if pattern is Pattern.DIAGONAL:
        return f"diagonal({text[0]})", ATOM
    if pattern is Pattern.EXPAND:
        suffix = "[" + ", ".join(":" if axis in node.indices[0] else "None" for axis in range(node.rank)) + "]"
        return enclosed(text, ATOM) + suffix, ATOM
    if pattern is Pattern.BROADCAST:
        suffix = inserted(node.indices[0], node.rank)
        return (
            f"broadcast_to({enclosed(text, ATOM) + suffix if suffix else text[0]}, {show_shape(node.shape)})",
            ATOM,
        )
    if _stretched(node) is not None:
        return f"broadcast_to({text[0]}, {show_shape(node.shape)})", ATOM
    return _einsum(node, texts)


def _product(node: Any, places: tuple[tuple[int, ...], ...], texts: dict[Any, Text]) -> Text:
    if node.rank == 2 and node.indices == ((0,), (1,)):
        a, b = (texts[e][0] for e in node.operands)
        return f"outer({a}, {b})", ATOM
    on_diagonal = [e for e, own in zip(node.operands, node.indices, strict=True) if own == (0,)]
    last = node.operands[1]
    is_diagonal = node.rank == 2 and len(node.operands) == 2 and last.kind == "leaf" and last.role.value == "identity"
    if is_diagonal and on_diagonal:
        return f"diag({texts[on_diagonal[0]][0]})", ATOM
    numerator: list[str] = []
    denominator: list[str] = []
    for e, own in zip(node.operands, places, strict=True):
        inverse = e.kind == "elementwise" and e.function == "power" and e.parameter == -1
        suffix = inserted(own, node.rank) if own else ""
        text = texts[e.operands[0] if inverse else e]
        level = ATOM if suffix else UNARY if inverse or numerator else PRODUCT
        (denominator if inverse else numerator).append(enclosed(text, level) + suffix)
    result = " * ".join(numerator) or "1"
    return "".join([result, *(f" / {d}" for d in denominator)]), PRODUCT


def _einsum(node: Any, texts: dict[Any, Text]) -> Text:
    letters = "ijklpqrstuvabcdefghmnowxyz"
    spelled = ",".join("".join(letters[i] for i in own) for own in node.indices)
    result = "".join(letters[: node.rank])
    covered = {i for own in node.indices for i in own}
    operands = [texts[e][0] for e in node.operands]
    for axis in range(node.rank):
        if axis not in covered:
            spelled += f",{letters[axis]}"
            operands.append(f"ones({node.shape[axis]})")
    return f'einsum("{spelled}->{result}", {", ".join(operands)})', ATOM


def _elementwise(node: Any, texts: dict[Any, Text]) -> Text:
    operands = _broadcast_together(list(node.operands), node, texts)
    if node.function == "power":
        return _power(operands[0], node.parameter)
    if node.function in {"greater", "greater_equal"}:
        a, b = operands
        sign = ">" if node.function == "greater" else ">="
        return f"{enclosed(a, SUM)} {sign} {enclosed(b, SUM)}", COMPARE
    if node.function == "power_of":
        return f"{enclosed(operands[0], ATOM)} ** {enclosed(operands[1], ATOM)}", POWER
    name = "abs" if node.function == "absolute" else node.function
    arguments = [text for text, _ in operands]
    if node.function == "scalar":
        variables = ", ".join(map(str, node.parameter.variables))
        arguments.insert(0, f'"{variables}: {node.parameter.expr}"')
    return f"{name}({', '.join(arguments)})", ATOM


def _power(base: Text, exponent: Fraction) -> Text:
    if exponent == Fraction(1, 2):
        return f"sqrt({base[0]})", ATOM
    if exponent == -1:
        return f"1 / {enclosed(base, UNARY)}", PRODUCT
    text = str(exponent)
    return f"{enclosed(base, ATOM)}**{text if text.isdigit() else f'({text})'}", POWER
