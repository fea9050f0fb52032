"""The display normal form: of all ways to write a step, normalised to the end, the one with the fewest printed symbols.

The candidates are {each upstream kept | put in} × {as it stands | reciprocals cancelled | multiplied out} × {facts used} ×
{names refolded}. The lines shown are the path to the chosen one, each with the reason that leads to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from itertools import combinations
from math import inf

from symgrad.graph.expression import Contraction, Expr, Leaf, Linear, contraction, linear
from symgrad.graph.walk import fold, postorder, use_counts
from symgrad.records import dataclass
from symgrad.rewrite.bounds import least_written
from symgrad.rewrite.comparisons import one_of_three, told_by_sign
from symgrad.rewrite.convert import substitute, to_form, transposed
from symgrad.rewrite.cost import cost
from symgrad.rewrite.expand import expand, holds_sum, opened
from symgrad.rewrite.factor import factored
from symgrad.rewrite.facts import Facts, is_one_hot
from symgrad.rewrite.form import Form
from symgrad.rewrite.inverses import cancelled_inverses
from symgrad.rewrite.matrix import to_expression, transpose
from symgrad.rewrite.refold import refolded
from symgrad.rewrite.signs import oriented
from symgrad.rewrite.symmetry import untransposed, upright_inside

# How many more symbols an upstream that is put in may cost than its name: little inside the chain, more in a result.
PUT_IN_STEP = 2
PUT_IN_RESULT = 4
# Every choice of upstreams to put in is tried for up to this many.
MOST_CHOSEN = 3
# The symbols of X⁻¹, Xᵀ.
SIGNED_SYMBOL = 2
# What multiplying out has to save besides.
MULTIPLIED_OUT = 1
# What it costs to transpose the whole of a line: the sign, and parentheses.
TURNED = 3


class Why(Enum):
    """What leads from one line of a step to the next."""

    RULE = "rule"  # the law or primitive itself, upstream kept
    PUT_IN = "put in"  # the upstream's own equation is put in
    UNFOLD = "unfold"  # a name is replaced by its definition
    INVERT = "invert"  # inverses of products are taken apart, and a matrix times its inverse is gone
    CANCEL = "cancel"  # sums of reciprocals distributed, equal factors cancelled
    MULTIPLY_OUT = "multiply out"  # all sums multiplied out, equal terms collected
    FACT = "fact"  # a fact of a leaf, or of a primitive's result, is used
    COMPARE = "compare"  # a comparison is told by the sign of the difference of its sides
    ONE_OF_THREE = "one of three"  # [a > b] + [a = b] + [b > a] = 1
    REFOLD = "refold"  # what a name is defined as is replaced by the name


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a line holds: the kind, the cotangents put in, the (fact, array) pairs used, the names whose definitions are."""

    kind: Why
    put_in: tuple[Leaf, ...] = ()
    facts: tuple[tuple[str, Expr], ...] = ()
    by: tuple[Leaf, ...] = ()


Written = tuple[Expr, Reason]


def display(raw: Expr, upstream: Mapping[Leaf, Expr], facts: Facts, *, is_result: bool) -> list[Written]:
    """The lines of a step: `raw` as the rule gives it, then the path to the shortest way of writing it.

    `upstream` gives the equations of the cotangents in `raw`; a result (a parameter's gradient) may be longer than an
    inner step and still have them put in.
    """
    kept = _path(to_form(raw), Reason(Why.RULE), facts)
    assert kept is not None  # where no end is too long
    held = [leaf for leaf in postorder([raw]) if isinstance(leaf, Leaf) and leaf in upstream]
    allowance = PUT_IN_RESULT if is_result else PUT_IN_STEP
    best, least = kept, (_weight(kept[-1][0], held, allowance), False, 0)
    for put_in in _choices(held):
        replaced = substitute(raw, {leaf: upstream[leaf] for leaf in put_in})
        put = _path(to_form(replaced), Reason(Why.PUT_IN, put_in), facts, least[0] + allowance)
        if put is None or (weight := _weight(put[-1][0], held, allowance)) > least[0]:
            continue
        # A name that hides half of what was doubled does not make it worth writing out.
        ends = [e for k, (e, _) in enumerate(put) if all(r.kind is Why.REFOLD for _, r in put[k + 1 :])]
        # A symbol with one sign to it (an inverse, a transpose) may stand twice.
        long = {_core(upstream[leaf]) for leaf in put_in if cost(upstream[leaf]) > SIGNED_SYMBOL}
        if any(_doubled(e) & long for e in ends):
            continue
        score = weight, _is_mixed(put[-1][0], held), sum(cost(e) for e, _ in put)
        if score <= least or (best is kept and score[:2] <= least[:2]):
            best, least = _without_repeats([kept[0], *put]), score
    return best


def _weight(end: Expr, held: list[Leaf], allowance: int) -> int:
    """The symbols of an end, less what may be spent on one that no longer mentions an upstream."""
    left = set(postorder([end])) if held else ()
    return cost(end) - (allowance if all(e not in left for e in held) else 0)


def _is_mixed(end: Expr, held: list[Leaf]) -> bool:
    """Whether an end keeps the names of some upstreams and not of others."""
    if len(held) < 2:
        return False
    left = set(postorder([end]))
    return len({e in left for e in held}) > 1


def _choices(held: list[Leaf]) -> list[tuple[Leaf, ...]]:
    """The sets of upstreams to put in, larger ones last, so that they win a tie."""
    if len(held) > MOST_CHOSEN:
        return [tuple(held)]
    return [chosen for k in range(1, len(held) + 1) for chosen in combinations(held, k)]


def _doubled(end: Expr) -> set[Expr]:
    """What is more than a name and stands in an end more than once: put in there, its name would read better."""
    return {e for e, count in use_counts(postorder([end])).items() if count > 1 and not isinstance(e, Leaf)}


def _core(upstream: Expr) -> Expr:
    """An expression without coefficients, transposes and broadcasts."""
    while len(upstream.children) == 1 and isinstance(upstream, Linear | Contraction):
        upstream = upstream.children[0]
    return upstream


def simplify(raw: Expr, facts: Facts) -> Expr:
    """The shortest way of writing an expression."""
    way = _path(to_form(raw), Reason(Why.RULE), facts)
    assert way is not None  # where no end is too long
    return way[-1][0]


def _path(form: Form, first: Reason, facts: Facts, most: float = inf) -> list[Written] | None:
    """The form as it stands, then what shortens it; None where every end has far more symbols than `most`."""
    shortest = _Shortest(most)
    _search([_Line(form, first, None)], facts, 0, shortest)
    return _without_repeats([(line.written(), line.reason) for line in shortest.way]) if shortest.way else None


class _Line:
    """A form on a way, with the reason that leads to it; it is written when that is asked for, most never are."""

    __slots__ = ("_symmetric", "_written", "form", "reason")

    def __init__(self, form: Form, reason: Reason, symmetric: Facts | None) -> None:
        self.form, self.reason = form, reason
        # By these a matrix may be its own transpose; None where no symmetry has been used.
        self._symmetric = symmetric
        self._written: Expr | None = None

    def written(self) -> Expr:
        """The shortest expression of the form."""
        if self._written is None:
            straight = _written(self.form)
            self._written = straight if self._symmetric is None else untransposed(straight, self._symmetric)
        return self._written


class _Shortest:
    """The shortest way so far, the first of those that are as short; an end of more symbols than `most` is of no use."""

    def __init__(self, most: float) -> None:
        self.way: list[_Line] = []
        # One that is longer by no more than multiplying out has to save stands in the way of what was multiplied out.
        self._longest, self._length = most + MULTIPLIED_OUT, (inf, 0)

    def offer(self, way: list[_Line]) -> None:
        """Take a way that is shorter."""
        # The first is taken however long it is, unless there is a limit.
        is_first = not self.way and self._longest == inf
        if not is_first and not self._is_shorter(way, least_written(way[-1].form)):
            return
        symbols = cost(way[-1].written())
        if self._is_shorter(way, symbols):
            self.way, self._length = way, _length(way, symbols)

    def _is_shorter(self, way: list[_Line], symbols: int) -> bool:
        """Whether a way that ends in so many symbols would be taken."""
        length = _length(way, symbols)
        return length < self._length and length[0] <= self._longest


def _length(way: list[_Line], symbols: int) -> tuple[int, int]:
    """The symbols of an end; multiplying out has to save more than one."""
    return symbols + MULTIPLIED_OUT * any(line.reason.kind is Why.MULTIPLY_OUT for line in way), len(way)


def _search(way: list[_Line], facts: Facts, at: int, shortest: _Shortest) -> None:
    """Offer a way, and every one that goes on from it by the moves from `at` on, each taken at most once."""
    shortest.offer(way)
    form = way[-1].form
    knows_symmetry = any(fact == "symmetric" for line in way for fact, _ in line.reason.facts)
    for k in range(at, len(MOVES)):
        for changed, reason in MOVES[k](form, facts):
            if changed != form:
                is_symmetric = knows_symmetry or any(fact == "symmetric" for fact, _ in reason.facts)
                line = _Line(changed, reason, facts if is_symmetric else None)
                _search([*way, line], facts, k + 1, shortest)


Move = Callable[[Form, Facts], Iterator[tuple[Form, Reason]]]


def _unfold(form: Form, facts: Facts) -> Iterator[tuple[Form, Reason]]:
    """A name whose definition holds a factor that the form holds too, with a fact that makes its powers collapse."""
    definitions = {name: e for name, e in facts.definitions.items() if isinstance(e, Contraction)}
    collapsing = {name: [e for e in d.children if is_one_hot(e) or _collapses(e)] for name, d in definitions.items()}
    if not any(collapsing.values()):
        return
    held = _leaves(form)
    for name, shared in collapsing.items():
        if name in held and any(e in held for e in shared):
            definition = facts.definitions[name]
            yield to_form(substitute(to_expression(form), {name: definition})), Reason(Why.UNFOLD, by=(name,))


def _invert(form: Form, facts: Facts) -> Iterator[tuple[Form, Reason]]:
    changed, by = cancelled_inverses(form, facts.definitions)
    if changed is not form:
        yield changed, Reason(Why.INVERT, by=by)


def _cancel(form: Form, facts: Facts) -> Iterator[tuple[Form, Reason]]:
    if not holds_sum(form):
        return
    cancelled = expand(form, only_reciprocals=True)
    if cancelled is not None and cancelled is not form:
        yield cancelled, Reason(Why.CANCEL)


def _multiply_out(form: Form, facts: Facts) -> Iterator[tuple[Form, Reason]]:
    # What cancels is shown first, as a line of its own.
    if holds_sum(form) and expand(form, only_reciprocals=True) == form and (out := expand(form)) is not None:
        yield out, Reason(Why.MULTIPLY_OUT)


def _compare(form: Form, facts: Facts) -> Iterator[tuple[Form, Reason]]:
    changed = told_by_sign(form)
    if changed is not form:
        yield changed, Reason(Why.COMPARE)


def _one_of_three(form: Form, facts: Facts) -> Iterator[tuple[Form, Reason]]:
    changed = one_of_three(form)
    if changed is not form:
        yield changed, Reason(Why.ONE_OF_THREE)


def _use_facts(form: Form, facts: Facts) -> Iterator[tuple[Form, Reason]]:
    facts.used.clear()
    facts.by.clear()
    changed = facts.apply(upright_inside(form, facts))
    if facts.used:
        yield changed, Reason(Why.FACT, facts=tuple(facts.used), by=tuple(facts.by))


def _refold(form: Form, facts: Facts) -> Iterator[tuple[Form, Reason]]:
    """All names put back, the latest first; and each alone where that differs."""
    everything, by = form, list[Leaf]()
    for name, definition in reversed(list(facts.definitions.items())):
        changed = refolded(everything, name, definition)
        if changed != everything:
            everything = changed
            by.append(name)
            if len(by) == 1:
                yield everything, Reason(Why.REFOLD, by=tuple(by))
    if len(by) > 1:
        yield everything, Reason(Why.REFOLD, by=tuple(by))


MOVES: tuple[Move, ...] = (_unfold, _invert, _compare, _cancel, _multiply_out, _one_of_three, _use_facts, _refold)
# Facts by which a power of an entry is the entry itself, or 1.
COLLAPSING = frozenset({"binary", "sign"})


def _collapses(e: Expr) -> bool:
    return isinstance(e, Leaf) and bool(e.facts & COLLAPSING)


def _leaves(form: Form) -> set[Expr]:
    """The leaves, and the one-hot rows of labels."""
    return {e for e in postorder([to_expression(form)]) if isinstance(e, Leaf) or is_one_hot(e)}


def written(e: Expr) -> Expr:
    """The expression as the first line of a step writes it: its normal form, what terms share put in front.

    >>> from symgrad.primitives.language import data, dims
    >>> n, d = dims("n d")
    >>> X, y, z = data("X", n, d), data("y", n), data("z", n)
    >>> str(written(X.T @ y / n - X.T @ z / n))
    'X.T @ (y - z) / n'
    """
    return _written(to_form(e))


def _written(form: Form) -> Expr:
    straight = _collected(form)
    # What turning the whole saves is its transposes.
    if len(form.shape) != 2 or cost(straight) < 2 * TURNED or _transposes(straight) < TURNED:
        return straight
    # Bᵀ Xᵀ Aᵀ is (A X B)ᵀ: one transpose for at least three, and the parentheses.
    turned = _collected(transposed(form))
    if cost(turned) + TURNED > cost(straight):
        return straight
    return _turned(turned)


def _transposes(root: Expr) -> int:
    """How many transposes an expression prints."""
    if not any(map(_is_transpose, postorder([root]))):
        return 0

    def count(e: Expr, inner: list[int]) -> int:
        return sum(inner) + _is_transpose(e)

    return fold([root], count)[root]


def _is_transpose(e: Expr) -> bool:
    return isinstance(e, Contraction) and e.indices == ((1, 0),)


def _turned(e: Expr) -> Expr:
    """eᵀ, scalars left in front of it."""
    if isinstance(e, Linear) and len(e.terms) == 1:
        ((c, inside),) = e.terms
        return linear([(c, _turned(inside))])
    whole = [k for k, own in enumerate(e.indices) if own] if isinstance(e, Contraction) else []
    if len(whole) == 1 and len(e.children) > 1 and isinstance(e, Contraction) and e.indices[whole[0]] == (0, 1):
        operands = [_turned(x) if k in whole else x for k, x in enumerate(e.operands)]
        return contraction(operands, e.indices, operands[whole[0]].shape)
    return transpose(e)


def _collected(form: Form) -> Expr:
    return to_expression(oriented(opened(factored(opened(form)))))


def _without_repeats(lines: list[Written]) -> list[Written]:
    """Without a line that says the same as the one before it; a rule that only renames the upstream keeps its reason."""
    kept: list[Written] = []
    for line in lines:
        if not kept or line[0] is not kept[-1][0]:
            kept.append(line)
    return kept
