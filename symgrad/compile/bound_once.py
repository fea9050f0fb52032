"""What `bind` computes: facts checked, values that do not vary, copies of what is passed, blocks of examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from symgrad.compile.bound_body import Body, Eigen
from symgrad.compile.dissolve import Stated
from symgrad.compile.layout import wrapped_call
from symgrad.compile.operations import Op
from symgrad.compile.rotate import ROTATED
from symgrad.compile.statements import Writer


def once_lines(body: Body) -> list[str]:
    """The lines of `bind` before the functions that it returns, which have been written."""
    checks = [(stated, op) for stated, op in body.plan.checks if op not in body.varying]
    computed = {op: name for op, name in body.once.items() if op.kind != "argument"}
    outputs = {name: op for op, name in computed.items()}
    if body.columns:
        *data, ones = body.columns
        lines = _written(body, {}, checks, computed)
        lines.append("    # Sums over examples of products of columns are those of the rotated rows.")
        lines.append(f"    {', '.join([*data, ones])} = _rotated({', '.join(data)})")
        lines += [f"    rows = len({ones})"] if ROTATED in body.scope.context.used_sizes else []
        lines += _written(body, outputs, [], computed)
    elif body.eigen:
        lines = [*_written(body, {}, checks, computed), *_eigen_lines(body, body.eigen)]
        lines += _written(body, outputs, [], computed)
    else:
        lines = _written(body, outputs, checks, computed)
    others = {op: name for op, name in body.others.items() if op.kind != "argument"}
    lines += _written(body, {name: op for op, name in others.items()}, [], others)
    for op, name in body.once.items():
        if op.kind == "argument" and op not in body.tiles and name not in body.made:
            lines.append(f"    {name} = {name}.copy()")
    lines += [f"    {body.largest(x)} = {body.scope.local[x.name]}.max(initial=0)" for x in body.untold]
    if body.tiles:
        shown = [_tile(body, op, name) for op, name in body.tiles.items()]
        width = body.scope.context.size(body.width)[0]
        how = "" if body.is_turned else ", axis=0"
        if body.is_looped:
            names = list(body.tiles.values())
            may_be_rows = ", ".join(str(name in body.by_rows) for name in names)
            target = f"({names[0]},)" if len(names) == 1 else f"({', '.join(names)})"
            lines += wrapped_call(
                f"    size, by_rows, {target} = tiles.cut([{', '.join(shown)}], [{may_be_rows}], {width})"
            )
            if body.threads > 1:
                examples = body.scope.context.size(body.separation.size)[0]
                lines.append(
                    f"    team = tiles.Team({body.threads}, {examples} * ({width}) + {' + '.join(f'{n}.size' for n in names)})"
                )
            return lines
        lines.append(f"    blocks = _blocks([{', '.join(shown)}], {width}{how})")
    return lines


def _eigen_lines(body: Body, eigen: Eigen) -> list[str]:
    scope = body.scope
    writer = Writer(eigen.plan, scope.context, scope.names, scope.local, scope.switch)
    writer.write()
    matrix = writer.texts[eigen.plan.outputs[""]][0]
    basis = scope.names.fresh("basis")
    return [
        *writer.lines,
        "    # In the basis of its eigenvectors the matrix is diagonal, and what is made of it and of the identity.",
        f"    {eigen.values}, {basis} = _eigen({matrix})",
        *(f"    {name} = {basis}.T @ {name}" for name in eigen.rotated),
    ]


def _written(
    body: Body, outputs: Mapping[str, Op], checks: Sequence[tuple[Stated, Op]], chosen: Mapping[Op, str]
) -> list[str]:
    plan = replace(body.plan, outputs=outputs, checks=tuple(checks))
    writer = Writer(plan, body.scope.context, body.scope.names, body.scope.local, body.scope.switch, chosen)
    writer.write()
    return writer.lines


def _tile(body: Body, op: Op, name: str) -> str:
    """A value with its examples along the last axis."""
    axis = body.separation.axes[op]
    if not body.is_turned or axis == op.rank - 1:
        return name
    return f"{name}.T" if op.rank == 2 else f"np.moveaxis({name}, {axis}, -1)"
