"""Values that one computation gives together: σ(z) and log(1 + e^{±z}), softmax and a sum of its log, A⁻¹ and log det A.

Where numba compiles it, so are M B and Mᵀ A: M is read once.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from types import MappingProxyType

from symgrad.compile.operations import TABLES, Op, Operations, Type
from symgrad.compile.plan import Labels, Plan
from symgrad.graph.walk import postorder, use_counts

SIGMOID, SUM = 0, 1
MATRIX = 2
BEGINNINGS = frozenset({"sigmoid", "softplus", "inv"})
# The item that is as large as the operand.
INVERSE_ITEM = {"inverse_and_logdet": 0}
# Place of an item: σ(z), log(1 + eᶻ), log(1 + e⁻ᶻ).
LOGS = {("sigmoid", False): 0, ("softplus", False): 1, ("softplus", True): 2}


NO_INVERSE: Mapping[Op, tuple[Op, bool]] = MappingProxyType({})


def paired(plan: Plan, bound: Collection[str] = ()) -> Plan:
    """The plan with these values computed together; sums of bound data alone need not be counted."""
    # Each of them has one of these in it.
    if all(op.kind != "pair" and (op.kind not in TABLES or op.data[0] not in BEGINNINGS) for op in plan.ops.made):
        return plan
    order = postorder([*plan.outputs.values(), *(op for _, op in plan.checks)])
    counts = use_counts(order)
    for op in plan.outputs.values():
        counts[op] += 1
    found = _found(plan.ops, order, counts, bound)
    return _together(plan, order, found, _by_inverse(order, found))


def beside(plan: Plan, bound: Collection[str]) -> Plan:
    """The plan with products of one matrix of bound data from both sides computed together."""
    order = postorder([*plan.outputs.values(), *(op for _, op in plan.checks)])
    return _together(plan, order, _products(plan.ops, order, bound))


def _found(
    ops: Operations, order: list[Op], counts: Mapping[Op, int], bound: Collection[str]
) -> dict[Op, tuple[Op, int]]:
    """(pair, item) for each value that is computed together with another."""
    sums = _sums(ops, order, counts)
    inverses = _inverses(ops, order) | _inners(ops, order, counts, bound)
    taken = {*sums, *(op.args[0] for op in sums if op.args)}
    return {**sums, **_logs(ops, [op for op in order if op not in taken]), **inverses}


def _together(
    plan: Plan, order: list[Op], new: Mapping[Op, tuple[Op, int]], solved: Mapping[Op, tuple[Op, bool]] = NO_INVERSE
) -> Plan:
    """The plan with each of these values as an item of its pair, and with these systems solved by an inverse."""
    if not new and not solved:
        return plan
    made: dict[Op, Op] = {}
    for op in order:
        args = [made[x] for x in op.args]
        is_itself = op.kind == "permute" and op.data == (1, 0) and args[0] in plan.ops.symmetric
        again = args[0] if is_itself else plan.ops.rebuilt(op, args)
        if op in new:
            pair, item = new[op]
            source = plan.ops.make(pair.kind, [made.get(x, x) for x in pair.args], pair.data, pair.shape)
            shape = pair.shape if item == INVERSE_ITEM.get(pair.kind) else op.shape
            again = plan.ops.make("item", (source,), item, shape)
            if pair.kind == "inverse_and_logdet" and item == 0:
                plan.ops.symmetric.add(again)
            if op.kind == "solve":
                again = plan.ops.matmul(again, made[op.args[1]])
        elif op in solved:
            inverse, is_turned = solved[op]
            known = plan.ops.rebuilt(inverse, [made[x] for x in inverse.args])
            known = plan.ops.permute(known, (1, 0)) if is_turned else known
            again = plan.ops.matmul(known, args[1])
        made[op] = again
    return replace(
        plan,
        outputs={name: made[op] for name, op in plan.outputs.items()},
        names={made[op]: name for op, name in plan.names.items() if op in made},
        labels=_moved(plan.labels, made),
        checks=tuple((stated, made[op]) for stated, op in plan.checks),
    )


def _products(ops: Operations, order: list[Op], bound: Collection[str]) -> dict[Op, tuple[Op, int]]:
    """(pair, item) for M B and Mᵀ A of bound data M, neither of which is made of the other; of one M alone.

    With them BᵀB and AᵀA, where both are needed.
    """
    sides: dict[Op, dict[int, Op]] = {}
    for op in order:
        if op.kind != "matmul" or op.rank != MATRIX:
            continue
        is_turned = op.args[0].kind == "permute"
        m = op.args[0].args[0] if is_turned else op.args[0]
        if m.kind == "argument" and m.data in bound and m.rank == MATRIX:
            sides.setdefault(m, {}).setdefault(int(is_turned), op)
    for m, by_side in sides.items():
        factors = [op.args[1] for _, op in sorted(by_side.items())]
        if len(by_side) > 1 and not set(by_side.values()) & set(postorder(factors)):
            grams = [op for f in factors for op in order if _is_gram(op, f)]
            kind = "products_and_grams" if len(grams) == len(factors) else "both_products"
            pair = ops.make(kind, (m, *factors), None, m.shape)
            return {op: (pair, side) for side, op in by_side.items()} | {
                op: (pair, len(factors) + k) for k, op in enumerate(grams) if kind == "products_and_grams"
            }
    return {}


def _is_gram(op: Op, b: Op) -> bool:
    """Whether an operation is BᵀB."""
    is_product = op.kind == "matmul" and op.args[1] is b
    return is_product and op.args[0].kind == "permute" and op.args[0].args[0] is b and op.args[0].data == (1, 0)


def _inverses(ops: Operations, order: list[Op]) -> dict[Op, tuple[Op, int]]:
    """(pair, item) for A⁻¹ and log det A of a symmetric A where both are needed, and for solutions of A x = b beside them."""
    wanted: dict[Op, dict[str, list[Op]]] = {}
    for op in order:
        name = op.data[0] if op.kind == "primitive" else op.kind
        if name in ("inv", "logdet", "solve") and op.args[0] in ops.symmetric:
            wanted.setdefault(op.args[0], {}).setdefault(name, []).append(op)
    found: dict[Op, tuple[Op, int]] = {}
    for a, uses in wanted.items():
        if "inv" in uses and "logdet" in uses:
            ops.use_symmetry(a)
            pair = ops.make("inverse_and_logdet", (a,), None, a.shape)
            places = {"inv": 0, "solve": 0, "logdet": 1}
            found |= {op: (pair, places[name]) for name, every in uses.items() for op in every}
    return found


def _by_inverse(order: Iterable[Op], together: Container[Op]) -> dict[Op, tuple[Op, bool]]:
    """(A⁻¹, whether it is transposed) for solutions of A x = b and Aᵀ x = b where A⁻¹ is needed besides.

    To factor A anew takes longer than the inverse itself, and holds no more digits than what is made of that.
    """
    inverses = {op.args[0]: op for op in order if op.kind == "primitive" and op.data[0] == "inv" and op not in together}
    found: dict[Op, tuple[Op, bool]] = {}
    for op in order if inverses else ():
        if op.kind == "solve" and op not in together:
            a = op.args[0]
            is_turned = a not in inverses and a.kind == "permute" and a.rank == MATRIX
            a = a.args[0] if is_turned else a
            if a in inverses:
                found[op] = inverses[a], is_turned
    return found


def _inners(
    ops: Operations, order: list[Op], counts: Mapping[Op, int], bound: Collection[str]
) -> dict[Op, tuple[Op, int]]:
    """(pair, item) for P = softmax(z) beside Σ y log P, y bound data, and for that sum.

    With z less its maximum and s = Σ eᶻ this is Σ y z - Σᵢ (Σ y)ᵢ log sᵢ, both of one sign where y ≥ 0.
    """
    softmax = {op.args[0]: op for op in order if op.kind == "item" and op.args[0].kind == "pair" and op.data == 0}
    found: dict[Op, tuple[Op, int]] = {}
    for op in order:
        for y, log in (op.args, op.args[::-1]) if op.kind == "inner" else ():
            is_log = log.kind == "item" and log.args[0] in softmax and log.data == 1 and counts[log] == 1
            is_data = y.kind == "argument" and y.data in bound and y.type is Type.FLOATING
            axis = dict(log.args[0].data)["axis"] if is_log else None
            if is_log and is_data and isinstance(axis, int) and y.rank == MATRIX:
                z = log.args[0].args[0]
                pair = ops.make("softmax_and_inner", (z, y, ops.sum(y, (axis % MATRIX,))), axis % MATRIX, z.shape)
                found |= {softmax[log.args[0]]: (pair, 0), op: (pair, 1)}
    return found


def _moved(labels: Mapping[Op, Labels], made: Mapping[Op, Op]) -> dict[Op, Labels]:
    return {made[op]: found for op, found in labels.items() if op in made}


def _sums(ops: Operations, order: list[Op], counts: Mapping[Op, int]) -> dict[Op, tuple[Op, int]]:
    """(pair, item) for each σ(u) beside Σ log(1 + eᵘ), and for that sum."""
    sigmoids = {op.args[0]: op for op in order if op.kind == "function" and op.data[0] == "sigmoid"}
    found: dict[Op, tuple[Op, int]] = {}
    for op in order:
        x = op.args[0] if op.kind == "sum" and len(op.data) == op.args[0].rank else None
        if x is None or x.kind != "function" or x.data[0] != "softplus" or counts[x] > 1:
            continue
        (u,) = x.args
        if u in sigmoids and u.type is Type.FLOATING:
            pair = ops.make("sigmoid_and_sum", (u,), None, u.shape)
            found |= {sigmoids[u]: (pair, SIGMOID), op: (pair, SUM)}
    return found


def _logs(ops: Operations, order: list[Op]) -> dict[Op, tuple[Op, int]]:
    """(pair, item) for σ(z), log(1 + eᶻ) and log(1 + e⁻ᶻ) where two of them are needed for one z."""
    groups: dict[Op, dict[int, Op]] = {}
    for op in order:
        if op.kind != "function" or op.data[0] not in ("sigmoid", "softplus") or op.args[0].type is not Type.FLOATING:
            continue
        z = _negated(op.args[0])
        place = LOGS.get((op.data[0], z is not None))
        if place is not None:
            groups.setdefault(z or op.args[0], {})[place] = op
    found: dict[Op, tuple[Op, int]] = {}
    for z, group in groups.items():
        if len(group) > 1:
            pair = ops.make("sigmoid_and_logs", (z,), None, z.shape)
            found |= {op: (pair, place) for place, op in group.items()}
    return found


def _negated(x: Op) -> Op | None:
    """z of -z."""
    is_negative = (x.kind == "product" and x.data == (Fraction(-1), False)) or (
        x.kind == "total" and x.data == (Fraction(-1),)
    )
    return x.args[0] if is_negative else None
