"""Products with their factors laid open, and the rules by which these meet: eᶻ/Σeᶻ is softmax z, x·x⁻¹ is gone.

In a gradient as the rules give it, p·(y/p) stands where p has underflowed to 0: (a/p + b/q)·p is a + b·p/q.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

from symgrad.compile.stable import (
    WHOLE,
    is_function,
    is_multiple,
    is_reciprocal,
    negated,
    power_of,
    summed_exponentials,
    unscaled,
)
from symgrad.graph.expression import (
    Contraction,
    Elementwise,
    Expr,
    Leaf,
    Linear,
    Role,
    Shape,
    contraction,
    elementwise,
    linear,
    number,
    power,
    scale,
)
from symgrad.graph.sizes import ONE, Size
from symgrad.primitives.table import PRIMITIVES

Factor = tuple[Expr, tuple[int, ...]]
Sizes = Mapping[int, Size]
# What a rule makes of the factors, and which of them it is about: where there is none of these it has nothing to say.
ProductRule = Callable[[list[Factor], Sizes, Shape], Expr | None]
Concern = Callable[[Expr], bool]
ProductRules = tuple[tuple[Concern, ProductRule], ...]
MOST_FACTORS = 16
MOST_TERMS = 16
MOST_LOOKED_AT = 2 * MOST_FACTORS


def factors(e: Contraction) -> tuple[list[Factor], dict[int, Size]]:
    """(factors with their indices, the size of each index), nested products and sums of products opened.

    >>> from symgrad.graph.expression import Role, leaf
    >>> a, b = (leaf(name, (), Role.DATA) for name in "ab")
    >>> [str(x) for x, _ in factors((a * b) * a)[0]]
    ['a', 'b', 'a']
    """
    found: list[Factor] = []
    sizes = dict(enumerate(e.shape))
    stack = _operands(e, tuple(range(e.rank)), sizes)
    while stack:
        node, own = stack.pop()
        if isinstance(node, Contraction) and len(stack) + len(found) < MOST_FACTORS:
            stack += _operands(node, own, sizes)
        elif isinstance(node, Linear) and len(node.terms) == 1:
            stack += [(node.terms[0][1], own), (number(node.terms[0][0]), ())]
        else:
            found.append((node, own))
    return found, sizes


def _operands(node: Contraction, own: tuple[int, ...], sizes: dict[int, Size]) -> list[Factor]:
    """The operands of a product whose axes are the indices `own`, last first, summed indices numbered anew."""
    place = dict(enumerate(own))
    for x, inner in zip(node.operands, node.indices, strict=True):
        for axis, i in enumerate(inner):
            if i not in place:
                place[i] = len(sizes)
                sizes[len(sizes)] = x.shape[axis]
    pairs = zip(node.operands, node.indices, strict=True)
    return [(x, tuple(place[i] for i in inner)) for x, inner in pairs][::-1]


def product_of(found: list[Factor], sizes: Sizes, shape: Shape) -> Expr:
    """The product of factors; an index that none of them has any more, and that is summed, is counted."""
    covered = {i for _, own in found for i in own}
    lost = [i for i, s in sizes.items() if i >= len(shape) and i not in covered and s != ONE]
    ones = [(contraction([number(1)], [()], (sizes[i],)), (i,)) for i in lost]
    coefficient = Fraction(1)
    for x, _ in found:
        coefficient *= _number(x) or 1
    every = [f for f in found if _number(f[0]) is None] + ones or [(number(1), ())]
    product = contraction([x for x, _ in every], [own for _, own in every], shape)
    return product if coefficient == 1 else scale(coefficient, product)


def _number(e: Expr) -> Fraction | None:
    """The value of a number other than 0."""
    is_it = isinstance(e, Leaf) and e.role is Role.NUMBER and isinstance(e.value, Fraction) and e.value != 0
    return e.value if is_it else None  # type: ignore[attr-defined]  # it is a NUMBER leaf


def quotient_of_exponentials(found: list[Factor], sizes: Sizes, shape: Shape) -> Expr | None:
    """eᶻ/Σeᶻ = softmax z, and eᶻ σ(-z) = σ(z): two factors become one that cannot overflow."""
    places = [a for a, (x, _) in enumerate(found) if is_exponential(x)]
    for a in places:
        for b, y in enumerate(found):
            merged = quotient(found[a], y)
            if merged is not None:
                kept = [f for k, f in enumerate(found) if k not in (a, b)]
                kept[min(a, b) : min(a, b)] = merged
                return product_of(kept, sizes, shape)
    return None


def quotient(x: Factor, y: Factor) -> list[Factor] | None:
    """The factors that eᶻ and a power of σ(-z) or of 1/Σeᶻ become."""
    (e, own), (f, other) = x, y
    if not is_exponential(e):
        return None
    u, (base, exponent) = e.children[0], power_of(f)
    if is_function(base, "sigmoid") and base.children[0] is negated(u) and own == other and exponent >= 1:
        rest = [(power(base, number(exponent - 1)), own)] if exponent > 1 else []
        return [(elementwise("sigmoid", u), own), *rest]
    summed = summed_exponentials(base) if exponent <= -1 else None
    if summed is None or summed[0] is not u or other != tuple(i for k, i in enumerate(own) if k not in summed[1]):
        return None
    rest = [(power(base, number(exponent + 1)), other)] if exponent < -1 else []
    return [(PRIMITIVES["softmax"](u, axis=summed[1]), own), *rest]


def cancelled(found: list[Factor], sizes: Sizes, shape: Shape) -> Expr | None:
    """xᵃ·x⁻ᵇ = xᵃ⁻ᵇ."""
    kept = merged(found)
    return None if len(kept) == len(found) else product_of(kept, sizes, shape)


def merged(found: list[Factor]) -> list[Factor]:
    """The factors with powers of one base added up where some of them are negative and some are not."""
    if not any(is_reciprocal(x) for x, _ in found):
        return found
    powers: dict[Factor, list[Fraction]] = {}
    for x, own in found:
        base, exponent = power_of(x)
        powers.setdefault((base, own), []).append(exponent)
    mixed = {key for key, every in powers.items() if len(every) > 1 and min(every) < 0 < max(every)}
    if not mixed:
        return found
    result: list[Factor] = []
    for x, own in found:
        base, _ = power_of(x)
        if (base, own) not in mixed:
            result.append((x, own))
        elif every := powers.pop((base, own), None):
            exponent = sum(every, Fraction(0))
            if exponent:
                result.append((power(base, number(exponent)), own))
    return result


def distributed(found: list[Factor], sizes: Sizes, shape: Shape) -> Expr | None:
    """(a/p + b)·p = a + b·p: a sum is multiplied out where a factor cancels against one of its terms."""
    for k, (x, own) in enumerate(found):
        if not isinstance(x, Linear) or not is_sum_of_quotients(x):
            continue
        rest = found[:k] + found[k + 1 :]
        divided = {(base, i) for f, i in rest for base, exponent in [power_of(f)] if exponent.numerator > 0}
        opened = [_opened(c, t, own, sizes) for c, t in x.terms]
        if any(_meets(f, rest, divided) for _, term, _ in opened for f in term):
            products = [_multiplied([*rest, *term], every, shape) for _, term, every in opened]
            return linear((c * p, x) for (c, _, _), (p, x) in zip(opened, products, strict=True))
    return None


def _multiplied(found: list[Factor], sizes: Sizes, shape: Shape) -> tuple[Fraction, Expr]:
    """(coefficient, product) of the factors of one term; what meets in it may cancel in a further sum."""
    c, product = unscaled(product_of(merged(found), sizes, shape))
    # Each time a reciprocal is gone, so this ends.
    while (better := better_product(product)) is not None:
        p, product = unscaled(better)
        c *= p
    return c, product


def _meets(f: Factor, rest: list[Factor], divided: set[Factor]) -> bool:
    """Whether a factor of a term cancels against one of those that the sum is multiplied with."""
    base, exponent = power_of(f[0])
    if exponent.numerator >= 0:
        return False
    return (base, f[1]) in divided or any(quotient(x, f) is not None for x in rest)


def _opened(
    c: Fraction, term: Expr, own: tuple[int, ...], sizes: Sizes
) -> tuple[Fraction, list[Factor], dict[int, Size]]:
    """(coefficient, factors, sizes of all indices) of a term whose axes are the indices `own`."""
    p, term = unscaled(term)
    if p is not WHOLE:
        c *= p
    every = dict(sizes)
    if not isinstance(term, Contraction):
        return c, [(term, own)], every
    found, inner_sizes = factors(term)
    place = dict(enumerate(own))
    for i in range(term.rank, len(inner_sizes)):
        place[i] = len(every)
        every[len(every)] = inner_sizes[i]
    return c, [(x, tuple(place[i] for i in indices)) for x, indices in found], every


def is_exponential(e: Expr) -> bool:
    """Whether `e` is eᶻ."""
    return is_function(e, "exp")


def is_sum_of_quotients(e: Expr) -> bool:
    """Whether `e` is a sum with a reciprocal among the factors of a term: nothing else cancels."""
    is_sum = isinstance(e, Linear) and 1 < len(e.terms) <= MOST_TERMS
    bare = _functions_and_sums(e.children) if is_sum else []
    return bare is None or any(map(is_reciprocal, bare))


def _functions_and_sums(nodes: Iterable[Expr]) -> list[Expr] | None:
    """The functions and sums among the factors of these, which rules are about; None where there are many factors."""
    pending, found = list(nodes), list[Expr]()
    for e in pending:
        if isinstance(e, Contraction) or is_multiple(e):
            pending += e.children
            if len(pending) > MOST_LOOKED_AT:
                return None
        elif isinstance(e, (Elementwise, Linear)):
            found.append(e)
    return found


PRODUCT_RULES: ProductRules = (
    (is_exponential, quotient_of_exponentials),
    (is_reciprocal, cancelled),
    (is_sum_of_quotients, distributed),
)


def better_product(e: Expr, rules: ProductRules = PRODUCT_RULES) -> Expr | None:
    """A product rewritten by the first of the rules that has anything to say."""
    if not isinstance(e, Contraction) or len(e.operands) < 2:
        return None
    # Most products are the concern of none; which index is which is asked after that.
    bare = _functions_and_sums(e.operands)
    asked = [rule for is_concern, rule in rules if bare is None or any(map(is_concern, bare))]
    if not asked:
        return None
    found, sizes = factors(e)
    return next((better for rule in asked if (better := rule(found, sizes, e.shape)) is not None), None)
