"""Forms that pay where data are bound: labels that are 0 or 1 become signs, sums of products become products of arrays.

Each rule is an identity; `prove_tailored` has the derivation's own engine compare the program before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from fractions import Fraction

from symgrad.compile.dissolve import Program, Stated
from symgrad.compile.stable import is_function, is_one, is_product, negated, provable, rebuilt, unscaled
from symgrad.derive.derivation import Line, Proof
from symgrad.derive.equality import prove_equal
from symgrad.graph.expression import (
    Contraction,
    Expr,
    Leaf,
    Linear,
    add,
    contraction,
    elementwise,
    linear,
    multiply,
)
from symgrad.graph.walk import postorder
from symgrad.rewrite.display import Reason, Why

Rule = Callable[[Expr], tuple[Expr, Leaf | None] | None]


def tailored(program: Program, bound: Collection[str]) -> Program:
    """The program rewritten for bound data, with the facts of these that the rewriting rests on."""
    values: dict[Expr, Expr] = {}
    used: dict[Leaf, None] = {}
    roots = [program.loss, *program.gradients.values()]
    for node in postorder(roots):
        e = rebuilt(node, [values[x] for x in node.children])
        for rule in RULES:
            found = rule(e)
            if found is not None and (found[1] is None or found[1].name in bound):
                e = found[0]
                used |= {found[1]: None} if found[1] is not None else {}
        values[node] = e
    known = {(s.fact, s.name) for s in program.stated}
    stated = [Stated("binary", leaf.name, leaf, "binary") for leaf in used if ("binary", leaf.name) not in known]
    return replace(
        program,
        loss=values[program.loss],
        gradients={name: values[e] for name, e in program.gradients.items()},
        labels={values.get(e, e): found for e, found in program.labels.items()},
        names={**{values.get(e, e): name for e, name in program.names.items()}, **{signs_of(x): "signs" for x in used}},
        symmetric={values.get(e, e): s for e, s in program.symmetric.items()},
        stated=(*program.stated, *stated),
    )


def signed_softplus(e: Expr) -> tuple[Expr, Leaf] | None:
    """t log(1 + e⁻ᶻ) + (1 - t) log(1 + eᶻ) = log(1 + e^{(1 - 2t) z}) for labels t that are 0 or 1."""
    if not isinstance(e, Linear):
        return None
    found = [(k, *f) for k, (c, x) in enumerate(e.terms) for f in _softplus_times(c, x)]
    for k, c, t, u in found:
        if not _is_label(t):
            continue
        assert isinstance(t, Leaf)
        for j, p, rest, v in found:
            if p == c and j != k and _is_rest(rest, t) and u is negated(v):
                kept = [term for i, term in enumerate(e.terms) if i not in (j, k)]
                return linear([*kept, (c, elementwise("softplus", multiply(signs_of(t), v)))]), t
    return None


def _softplus_times(c: Fraction, e: Expr) -> Iterator[tuple[Fraction, Expr, Expr]]:
    """(c, x, u) of c·x ⊙ log(1 + eᵘ)."""
    p, e = unscaled(e)
    if not (isinstance(e, Contraction) and is_product(e) and len(e.operands) == 2 and e.indices[0] == e.indices[1]):
        return
    for x, y in (e.operands, e.operands[::-1]):
        q, y = unscaled(y)
        if is_function(y, "softplus") and x.shape == y.shape == e.shape:
            yield c * p * q, x, y.children[0]


def signed_sigmoid(e: Expr) -> tuple[Expr, Leaf] | None:
    """σ(z) - t = s σ(s z), s = 1 - 2t, for labels t that are 0 or 1: nothing is subtracted from what is nearly equal."""
    if not isinstance(e, Linear):
        return None
    for k, (c, first) in enumerate(e.terms):
        for j, (p, label) in enumerate(e.terms):
            if p == -c and is_function(first, "sigmoid") and _is_label(label) and label.shape == first.shape:
                assert isinstance(label, Leaf)
                s = signs_of(label)
                new = multiply(s, elementwise("sigmoid", multiply(s, first.children[0])))
                return linear([*(t for i, t in enumerate(e.terms) if i not in (j, k)), (c, new)]), label
    return None


def sum_of_products(e: Expr) -> tuple[Expr, None] | None:
    """Σᵢ (aᵢ - bᵢ cᵢ) = Σᵢ aᵢ - b·c: an inner product writes no array."""
    if not isinstance(e, Contraction) or e.rank:
        return None
    arrays = [k for k, x in enumerate(e.operands) if x.rank]
    inner = e.operands[arrays[0]] if len(arrays) == 1 else None
    if not isinstance(inner, Linear) or not any(_is_array_product(t) for _, t in inner.terms):
        return None
    k = arrays[0]
    each = [(c, contraction([*e.operands[:k], t, *e.operands[k + 1 :]], e.indices, ())) for c, t in inner.terms]
    return linear(each), None


RULES: tuple[Rule, ...] = (signed_softplus, signed_sigmoid, sum_of_products)


def prove_tailored(before: Program, after: Program) -> tuple[Proof, ...]:
    """Loss and gradients are what they were; a proof for each that is written otherwise."""
    pairs = [(before.loss, after.loss), *zip(before.gradients.values(), after.gradients.values(), strict=True)]
    proofs: list[Proof] = []
    for old, new in pairs:
        if old is not new:
            first, second = provable(old), provable(new)
            (line,) = prove_equal((first, second), [Line(second, Reason(Why.FACT))], {}, "the bound form")
            proofs.append(line.proof)
    return tuple(proofs)


def _is_label(e: Expr) -> bool:
    return isinstance(e, Leaf) and "binary" in e.facts


def _is_rest(e: Expr, label: Leaf) -> bool:
    """Whether `e` is 1 - t."""
    if not isinstance(e, Linear) or len(e.terms) != 2:
        return False
    one, other = sorted(e.terms, key=lambda term: term[1] is label)
    return one[0] == 1 and is_one(one[1]) and other[0] == -1 and other[1] is label


def signs_of(label: Leaf) -> Expr:
    """1 - 2t."""
    return add(1, linear([(Fraction(2), label)]), -1)


def _is_array_product(e: Expr) -> bool:
    return isinstance(e, Contraction) and is_product(e) and sum(x.rank > 0 for x in e.operands) > 1
