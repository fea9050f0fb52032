"""What comes before and after the sums over examples, compiled together with them where it is simple enough.

On few examples most of a call is NumPy's work on short vectors: half a microsecond for each operation, and numba has none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from symgrad.compile.layout import wrapped_call
from symgrad.compile.names import Names
from symgrad.compile.operations import MATRIX, Op
from symgrad.compile.statements import Writer
from symgrad.graph.sizes import ONE
from symgrad.graph.walk import postorder

# What a call tells where it is not finite.
TOLD = ("    if finite != 0:", "        tiles.told()")
# What numba compiles as it is written for NumPy.
SIMPLE = frozenset({"argument", "local", "number", "size", "product", "total", "permute", "expand"})
SIMPLE_PRIMITIVES = frozenset({"slice", "concatenate"})
# A sum over examples belongs to the call alone.
RESULTS = frozenset({"product", "total", "local"})


def is_simple(before: Writer, after: Writer) -> bool:
    """Whether numba compiles these lines, and each result is an array of its own."""
    outputs = list(after.plan.outputs.values())
    every = postorder([*before.plan.outputs.values(), *outputs])
    is_known = all(map(_is_simple, every))
    lines = "\n".join([*before.lines, *after.lines])
    is_own = len({id(op) for op in outputs}) == len(outputs) and all(op.kind in RESULTS for op in outputs)
    return is_known and is_own and not after.plan.checks and not re.search(r"\bdtype\b(?<!\.dtype)|\.dot\(", lines)


def _is_simple(op: Op) -> bool:
    is_entry = op.kind == "squeeze" and op.args[0].rank == 1
    is_part = op.kind == "primitive" and op.data[0] in SIMPLE_PRIMITIVES
    is_number = op.kind == "broadcast" and op.shape == (ONE,) and not op.args[0].rank
    return op.rank <= MATRIX and (op.kind in SIMPLE or is_entry or is_part or is_number)


def whole(
    name: str,
    writers: tuple[Writer, Writer],
    sums: str,
    passed: Mapping[str, str],
    names: Names,
) -> tuple[list[str], list[str]]:
    """(The lines of a function that numba compiles, those that call it); `sums` are the assignments of the sums.

    `passed` tells how arguments are passed, by their names.
    """
    before, after = writers
    texts = {key: after.texts[op][0] for key, op in after.plan.outputs.items()}
    ranks = {key: op.rank for key, op in after.plan.outputs.items()}
    targets = {key: t if t.isidentifier() else names.fresh(f"{key}_bar" if key else "loss") for key, t in texts.items()}
    lines = [*before.lines, f"    {sums}", *after.lines]
    lines += [f"    {targets[key]} = {t}" for key, t in texts.items() if targets[key] != t]
    finite = [f"tiles.all_finite({t})" if ranks[key] else f"0.0 * {t}" for key, t in targets.items()]
    used = set(re.findall(r"[^\W\d]\w*", "\n".join(lines)))
    taken = {argument: text for argument, text in passed.items() if argument in used}
    results = ", ".join(targets.values())
    function = [
        "@tiles.loop",
        f"def {name}({', '.join(taken)}):",
        '    """What a call gives, and 0 where all of it is finite."""',
        *lines,
        *(f"    finite += {text}" for text in finite),
        f"    return finite, {results}",
    ]
    called = wrapped_call(f"    finite, {results} = {name}({', '.join(taken.values())})")
    return function, [*called, *TOLD, *_returned(targets, ranks)]


def _returned(targets: Mapping[str, str], ranks: Mapping[str, int]) -> Sequence[str]:
    items = [f'"{key}": {t if ranks[key] else f"np.array({t})"}' for key, t in targets.items() if key]
    value = f"dtype.type({targets['']})"
    if not items:
        return [f"    return {value}"]
    line = f"    return {value}, {{{', '.join(items)}}}"
    return [line] if len(line) <= 96 else [f"    return {value}, {{", *(f"        {item}," for item in items), "    }"]


def passed_as(rest: Mapping[str, int], arrays: Mapping[str, Op], others: Sequence[str]) -> dict[str, str]:
    """How arguments are passed: arrays in rows, one number as such; `rest` has the ranks of what a call is given."""
    texts = {name: name for name in others}
    for name, rank in [*rest.items(), *((name, op.rank) for name, op in arrays.items())]:
        texts.setdefault(name, f"np.ascontiguousarray({name})" if rank else f"float({name})")
    return texts
