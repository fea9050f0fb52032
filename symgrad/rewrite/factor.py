"""Collecting: a sum of products written as the shortest product of sums that the terms share."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate

from symgrad.graph.expression import Apply, Leaf, Role
from symgrad.graph.sizes import Size
from symgrad.records import dataclass
from symgrad.rewrite.bounds import least_cost, least_in_indices
from symgrad.rewrite.cost import cost
from symgrad.rewrite.expand import Exactly, holds_sum, map_groups
from symgrad.rewrite.form import (
    ONLY,
    WHOLE,
    Factor,
    Form,
    Term,
    bound_indices,
    collect,
    extents,
    make_term,
    relabel,
)
from symgrad.rewrite.matrix import to_expression

# Parentheses around a sum cost about as much as one symbol.
PARENTHESES = 1
# A sum of more terms than this (one for each of many steps in time) is not searched for what its terms share.
MOST_COLLECTED = 24
# A product is easier to read than a sum of the same length: (A + Aᵀ)x rather than Ax + Aᵀx.
SLACK = 1


@dataclass(frozen=True, slots=True)
class Shared:
    """Factors of one term that others have too: for each other term, its renamed remainder."""

    common: tuple[Factor, ...]
    coefficient: Fraction
    remainders: tuple[tuple[int, Fraction, tuple[Factor, ...]], ...]
    gain: int


def weight(f: Factor) -> int:
    """How many symbols a factor prints: itself, its power, a transpose or a sum for a matrix."""
    if isinstance(f.atom, Form):
        inside = sum(1 + sum(weight(g) for g in t.factors) for t in f.atom.terms)
        return PARENTHESES + inside
    cotangent = isinstance(f.atom, Leaf) and f.atom.role is Role.COTANGENT
    own = 3 if cotangent else cost(f.atom) if isinstance(f.atom, Apply) else 1
    return own + (f.power is not WHOLE and f.power != 1) + min(len(f.indices), 2)


def factored(form: Form) -> Form:
    """The form with what its terms share written once, innermost sums first.

    >>> from symgrad.primitives.language import data, dims
    >>> from symgrad.rewrite.convert import to_form
    >>> n = dims("n")
    >>> x, y, z = data("x", n), data("y", n), data("z", n)
    >>> len(factored(to_form(x * y - x * z)).terms)
    1
    """
    if len(form.terms) < 2 and not holds_sum(form):
        return form
    return _factored(Exactly(form))


@lru_cache(maxsize=2048)
def _factored(exactly: Exactly) -> Form:
    current = map_groups(exactly.form, factored)
    while 1 < len(current.terms) <= MOST_COLLECTED:
        promising = sorted((s for s in _candidates(current) if s.gain > 0), key=lambda s: -s.gain)
        shorter = next((f for f in (_written(current, s) for s in promising) if _is_no_longer(f, current)), None)
        if shorter is None:
            break
        current = shorter
    return current


def _is_no_longer(form: Form, than: Form) -> bool:
    """Whether a product is to be preferred to the sum that it is."""
    in_indices = least_in_indices(form)
    if in_indices and in_indices > cost(to_expression(than)) + SLACK:
        return False
    own = cost(to_expression(form))
    # Most are found to be so without writing the sum, which is the longer of the two.
    return own <= least_cost(than) + SLACK or own <= cost(to_expression(than)) + SLACK


def _candidates(form: Form) -> Iterator[Shared]:
    """What two terms share, or a part of it, each once, with all the terms that hold it."""
    seen: set[tuple[object, ...]] = set()
    for common in _parts(form):
        exact = tuple([f.exact for f in common])
        if exact not in seen:
            seen.add(exact)
            yield _shared(form, common)


def _parts(form: Form) -> Iterator[tuple[Factor, ...]]:
    rank, terms = len(form.shape), form.terms
    for a in range(len(terms)):
        for b in range(a + 1, len(terms)):
            common, _ = _heaviest(terms[a].factors, terms[b].factors, rank)
            if common or abs(terms[a].coefficient) == abs(terms[b].coefficient) != 1:
                yield common
            # What stands in front of the matrices: d A X + d Aᵀ X is d (A X + Aᵀ X), though they share X too.
            scalars = tuple([f for f in common if not f.indices and not _is_size(f)])
            if 0 < len(scalars) < len(common):
                yield scalars
            # A sum alone: τ diag(p) - τ p pᵀ is τ (diag(p) - p pᵀ), not τ diag(p)(I - 1pᵀ).
            sums = tuple([f for f in common if f.indices and min(f.indices) >= rank])
            if 0 < len(sums) < len(common) and _is_apart(sums, terms[a], terms[b], rank):
                yield sums


def _is_size(f: Factor) -> bool:
    return isinstance(f.atom, Leaf) and f.atom.role is Role.SIZE


def _is_apart(sums: tuple[Factor, ...], a: Term, b: Term, rank: int) -> bool:
    """Whether no factor with an axis of the result holds an index of the sums."""
    held = {i for t in (a, b) for f in t.factors if f.indices and min(f.indices) < rank for i in f.indices}
    return held.isdisjoint(i for f in sums for i in f.indices)


def _shared(form: Form, common: tuple[Factor, ...]) -> Shared:
    """All terms that hold `common`, with what remains of each."""
    rank, whole = len(form.shape), sum(map(weight, common))
    wanted = {f.digest for f in common}
    members: list[tuple[int, Fraction, tuple[Factor, ...]]] = []
    for k, term in enumerate(form.terms):
        if not wanted.issubset([f.digest for f in term.factors]):
            continue
        shared, names = _match(common, term.factors, rank)
        if sum(map(weight, shared)) == whole:
            rest = relabel(_divided(relabel(term.factors, names), common), {})
            members.append((k, term.coefficient, tuple(rest)))
    sizes = {abs(c) for _, c, _ in members}
    coefficient = sizes.pop() if len(sizes) == 1 else WHOLE
    if all(c < 0 for _, c, _ in members):
        coefficient = -coefficient
    if not common and coefficient in (1, -1):
        members = members[:1]
    digits = (abs(coefficient).numerator != 1) + 2 * (coefficient.denominator != 1)
    gain = (len(members) - 1) * (whole + digits) - PARENTHESES
    below = [c for c in common if c.power is not WHOLE and c.power < 0]
    if any(_is_left(c, rest) for c in below for _, _, rest in members):
        gain = 0
    if any(not rest for _, _, rest in members) and not _is_worth_a_one(members):
        gain -= 1
    if coefficient != 1:
        members = [(k, c / coefficient, rest) for k, c, rest in members]
    return Shared(common, coefficient, tuple(members), gain)


def _is_left(c: Factor, rest: tuple[Factor, ...]) -> bool:
    """Whether a quotient would stand inside a quotient: a/D + b/D² is not written (a + b/D)/D."""
    return any(f.digest == c.digest and f.power < 0 for f in rest)


def _is_worth_a_one(members: list[tuple[int, Fraction, tuple[Factor, ...]]]) -> bool:
    """x - x·y is written x(1 - y) where the remainder is short, not where a 1 would stand beside matrices."""
    return all(len(rest) <= 1 for _, _, rest in members)


def _divided(factors: list[Factor], common: tuple[Factor, ...]) -> list[Factor]:
    rest = list(factors)
    for c in common:
        place = next(k for k, f in enumerate(rest) if f.indices == c.indices and f.digest == c.digest)
        power = rest[place].power
        is_gone = power is c.power or power == c.power
        rest[place : place + 1] = [] if is_gone else [Factor(c.atom, c.indices, power - c.power)]
    return rest


def _match(a: tuple[Factor, ...], b: tuple[Factor, ...], rank: int) -> tuple[tuple[Factor, ...], dict[int, int]]:
    """The heaviest part of the product `a` that `b` holds too, with the names that b's bound indices take there."""
    taken, names = _heaviest(a, b, rank)
    # Bound indices of b that have no partner must not take a name that a's already have.
    used = {i for f in a for i in f.indices} | set(names.values())
    fresh = max([rank, *used, *(i for f in b for i in f.indices)]) + 1
    alone = [i for i in bound_indices(b, rank) if i not in names]
    return taken, {**names, **{i: fresh + k for k, i in enumerate(alone)}}


def _heaviest(a: tuple[Factor, ...], b: tuple[Factor, ...], rank: int) -> tuple[tuple[Factor, ...], dict[int, int]]:
    best: tuple[int, tuple[Factor, ...], dict[int, int]] = (0, (), {})
    there = {f.digest for f in b}
    weighed = [(f, weight(f)) for f in a if f.digest in there]
    if not weighed:
        return (), {}
    weighed.sort(key=lambda pair: (-len(pair[0].indices), -pair[1]))
    order = [f for f, _ in weighed]
    # What the factors from each place on weigh: no part of the product is heavier.
    left = [*accumulate([w for _, w in reversed(weighed)], initial=0)][::-1]

    def extend(at: int, held: int, taken: tuple[Factor, ...], names: dict[int, int], free: list[Factor]) -> None:
        nonlocal best
        reach = held + left[at]
        if reach <= best[0]:
            return
        if at == len(order):
            best = reach, taken, names
            return
        for k, f in enumerate(free):
            part = _common_power(order[at], f)
            joined = _join(order[at].indices, f.indices, names, rank) if part is not None else None
            if part is not None and joined is not None:
                extend(at + 1, held + weight(part), (*taken, part), joined, free[:k] + free[k + 1 :])
        extend(at + 1, held, taken, names, free)

    extend(0, 0, (), {}, list(b))
    return best[1], best[2]


def _common_power(a: Factor, b: Factor) -> Factor | None:
    """The part that a^p and a^q share: the smaller power, of equal sign."""
    if a.atom is not b.atom and a.digest != b.digest:
        return None
    if a.power is b.power or a.power == b.power:
        return a
    if (a.power > 0) != (b.power > 0):
        return None
    return Factor(a.atom, a.indices, min(a.power, b.power, key=abs))


def _join(a: tuple[int, ...], b: tuple[int, ...], names: dict[int, int], rank: int) -> dict[int, int] | None:
    joined = dict(names)
    for i, j in zip(a, b, strict=True):
        if (i < rank or j < rank) and i != j:
            return None
        if j >= rank and joined.setdefault(j, i) != i:
            return None
    return joined if len(set(joined.values())) == len(joined) else None


def _written(form: Form, shared: Shared) -> Form:
    """The form with the shared factors in front of one sum in parentheses, in its shorter orientation."""
    rank = len(form.shape)
    left = [f for _, _, rest in shared.remainders for f in rest]
    held = {i for f in shared.common for i in f.indices}
    inside = sorted({i for f in left for i in f.indices if i != ONLY and (i < rank or i in held)})
    straight = _grouped(form, shared, inside)
    if len(inside) != 2 or all(f.indices != tuple(inside[::-1]) for f in left):
        return straight
    turned = _grouped(form, shared, inside[::-1])
    return min((straight, turned), key=lambda f: cost(to_expression(f)))


def _grouped(form: Form, shared: Shared, inside: list[int]) -> Form:
    """The shared factors times a sum over the axes `inside`."""
    rank = len(form.shape)
    sizes = extents([*shared.common, *(f for _, _, rest in shared.remainders for f in rest)])
    members = _inner_terms(shared, inside)
    shape, indices = tuple(sizes[i] for i in inside), tuple(inside)
    hoisted = _hoist(members, len(inside))
    if hoisted is not None:
        members, extra, place = hoisted
        fresh = max([rank - 1, *sizes]) + 1
        shape = (*shape[:place], extra, *shape[place:])
        indices = (*indices[:place], fresh, *indices[place:])
    group = factored(collect(shape, members))
    factors = [*shared.common, Factor(group, indices, WHOLE)]
    term = make_term(shared.coefficient, factors, rank)
    places = {k for k, _, _ in shared.remainders}
    first = min(places)
    kept = [term if k == first else t for k, t in enumerate(form.terms) if k == first or k not in places]
    return collect(form.shape, kept)


def _inner_terms(shared: Shared, inside: list[int]) -> list[Term]:
    names = {i: k for k, i in enumerate(inside)}
    members = []
    for _, c, rest in shared.remainders:
        own = dict(names) | {i: 1000 + i for f in rest for i in f.indices if i not in names}
        factors = relabel(rest, own)
        members.append(make_term(c, factors, len(inside)))
    return members


def _hoist(members: list[Term], rank: int) -> tuple[list[Term], Size, int] | None:
    """Σᵢ a + Σᵢ b inside the parentheses becomes Σᵢ (a + b), where each term is a sum of one array over one axis."""
    spots = [_plain_sum(t, rank) for t in members]
    known = [s for s in spots if s is not None]
    if len(known) < len(spots) or len({s[1:] for s in known}) != 1:
        return None
    _, place, extra = known[0]
    names = {i: i + (i >= place) for i in range(rank)}
    moved = []
    for t, (bound, _, _) in zip(members, known, strict=True):
        factors = relabel(t.factors, {**names, bound: place})
        moved.append(make_term(t.coefficient, factors, rank + 1))
    return moved, extra, place


def _plain_sum(term: Term, rank: int) -> tuple[int, int, Size] | None:
    """The bound index of a term that is summed over one axis only, its place among the axes, and its size."""
    bound = bound_indices(term.factors, rank)
    holders = [f for f in term.factors if any(i >= rank for i in f.indices)]
    if len(bound) != 1 or len({f.indices for f in holders}) != 1:
        return None
    f = holders[0]
    place = f.indices.index(bound[0])
    return bound[0], place, f.atom.shape[place]
