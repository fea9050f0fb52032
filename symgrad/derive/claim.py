"""Is a claimed gradient equal to the derived one? By the normal form with all facts, or by 50-digit evaluation.

The points are fixed by a hash of the claim, at several assignments of distinct sizes ≥ 3, so that 12 is not n·d and a
matrix is not its transpose. What differs gets a hint: the shapes, the transpose, a constant factor, a term too many or too few.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import Enum
from fractions import Fraction
from hashlib import blake2b
from itertools import islice
from random import Random
from typing import Any

import numpy as np

from symgrad.derive.derivation import Derivation, Equation
from symgrad.derive.difference import Bases, Point, constant_factor, terms_of
from symgrad.derive.endtoend import values_at
from symgrad.derive.samples import SCALES, Draw, assignments, entries_of, positive_leaves, sizes_in
from symgrad.errors import InputError
from symgrad.evaluate import Assignment, evaluate
from symgrad.fields import Reals
from symgrad.graph.expression import CONSTANT_ROLES, Apply, Contraction, Elementwise, Expr, Leaf, Linear, Role, size
from symgrad.graph.show import show_shape
from symgrad.graph.sizes import Size
from symgrad.graph.walk import postorder
from symgrad.prose import Language, Text
from symgrad.records import dataclass
from symgrad.rewrite.convert import substitute, to_form
from symgrad.rewrite.expand import expand
from symgrad.rewrite.facts import Facts
from symgrad.rewrite.form import Form
from symgrad.text.parse import parse
from symgrad.text.words import nearest

DIGITS = 50
POINTS = 20
FEWEST = 5
HINTED = 8  # what a wrong claim's hint is found at: two points for each assignment of sizes
MOST_DRAWN = 120
SIZES = 4
LARGEST_EXPONENT = 10**6
# The most times that a claim may hold one sum: beyond, its bound indices could be numbered in too many ways.
MOST_EQUAL_SUMS = 5


class Answer(Enum):
    """What is found of a claim."""

    EQUAL = "equal"
    NOT_EQUAL = "not equal"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Claim:
    """`∂L/∂target = expression`, read from text over the names of a derivation."""

    text: str
    equation: Equation
    expression: Expr


@dataclass(frozen=True, slots=True)
class Judgement:
    """A claim's answer, why (in both languages), and at how many points both sides were compared (0 for a proof by form)."""

    claim: Claim
    answer: Answer
    reason: Text
    points: int = 0

    def to(self, language: Language) -> str:
        """The claim, the answer and the reason in one line."""
        text = DIFFERS if self.answer is Answer.NOT_EQUAL else HOLDS
        return text.filled(claim=self.claim.text, answer=ANSWERS[self.answer], reason=self.reason).to(language)

    def __str__(self) -> str:
        return self.to("en")


def names_known(derivation: Derivation) -> dict[str, Expr]:
    """What a formula may use: sizes, cotangents (`Z_bar`), intermediates and leaves by name."""
    equations = (*derivation.forward, *derivation.backward)
    sizes = sizes_in([*derivation.leaves, *(eq.expression for eq in equations)])
    known: dict[str, Expr] = {name: size(Size.symbol(name)) for s in sizes for name in s.names}
    known |= {f"{eq.name}_bar": eq.target for eq in derivation.backward}
    return known | {e.name: e for e in (*(eq.target for eq in derivation.forward), *derivation.leaves)}


def read_claim(derivation: Derivation, text: str) -> Claim:
    """The claim in `W = …`, `W_bar = …`, `dL/dW = …` or `∂L/∂W = …`; InputError where it cannot be read."""
    left, sign, right = text.partition("=")
    if not sign:
        raise InputError(f"claim:1:{len(text) + 1}: no `=`; write a parameter's name, =, and its gradient: W = …")
    equation = _target(derivation, left.strip(), 1 + len(left) - len(left.lstrip()))
    if right.startswith("="):
        raise InputError(f"claim:1:{len(left) + 1}: == is not understood; write =")
    expression = parse(right, names_known(derivation), "claim", len(left) + 1)
    return Claim(" ".join(text.split()), equation, expression)


def _target(derivation: Derivation, left: str, column: int) -> Equation:
    """The backward equation that the left side names."""
    wanted = {eq.name: eq for eq in derivation.backward}
    quotient = re.fullmatch(r"[d∂](\w+)\s*/\s*[d∂](\w+)", left)
    if quotient and quotient[1] in {derivation.loss.name, "L", "loss"} and left not in wanted:
        name = quotient[2]
    else:
        name = left if left in wanted else left.removesuffix("_bar")
    if name not in wanted:
        what = f"claim:1:{column}: no gradient is called {left[:40] or 'nothing'}"
        raise InputError(f"{what}; {nearest(name, list(wanted))}")
    return wanted[name]


def judge(derivation: Derivation, claim: Claim) -> Judgement:
    """Whether the claimed expression equals the derived gradient, and what differs where it does not."""
    right, claimed = claim.equation.expression, claim.expression
    if claimed.shape != right.shape:
        return Judgement(claim, Answer.NOT_EQUAL, _shapes(derivation, claim))
    points: list[Point] = []
    drawn = _points(derivation, claim, claimed)
    for point in drawn:
        points.append(point)
        if not point.is_equal:
            seen = [*points, *islice(drawn, max(0, HINTED - len(points)))]
            return Judgement(claim, Answer.NOT_EQUAL, _difference(derivation, claim, seen, point), len(points))
        if len(points) == FEWEST and _have_one_form(derivation, right, claimed):
            return Judgement(claim, Answer.EQUAL, BY_FORM)
    if len(points) < FEWEST:
        return Judgement(claim, Answer.UNDECIDED, NO_POINT, len(points))
    return Judgement(claim, Answer.EQUAL, _filled(BY_NUMBERS, points=str(len(points))), len(points))


def _have_one_form(derivation: Derivation, right: Expr, claimed: Expr) -> bool:
    """Whether both have one normal form: as they stand, with the cotangents put in, or in the leaves alone."""
    for equations in ((), derivation.backward, (*derivation.forward, *derivation.backward)):
        a, b = (_form(derivation, _dissolved(e, equations)) for e in (right, claimed))
        if a is not None and b is not None and a == b:
            return True
    return False


def _dissolved(e: Expr, equations: Sequence[Equation]) -> Expr:
    for eq in reversed(equations):
        e = substitute(e, {eq.target: eq.expression})
    return e


def _form(derivation: Derivation, e: Expr) -> Form | None:
    softmaxes: dict[Leaf, Expr] = {
        eq.target: eq.expression
        for eq in derivation.forward
        if isinstance(eq.expression, Apply) and eq.expression.primitive == "softmax"
    }
    form = expand(to_form(e)) if _is_tame(e) else None
    return None if form is None else Facts(softmaxes).apply(form)


def _is_tame(e: Expr) -> bool:
    """Whether no sum over an axis stands in one product so often that comparing its bound indices would take long."""
    order = postorder([e])
    times = dict.fromkeys(order, 0) | {e: 1}
    for node in reversed(order):
        for child in node.children:
            if isinstance(node, Linear | Contraction):
                times[child] += times[node]
            elif isinstance(node, Elementwise) and isinstance(node.parameter, Fraction):
                times[child] += times[node] * max(1, abs(int(node.parameter)))
            else:
                times[child] += 1  # within a function a product of its own begins
    sums = [n for n in order if isinstance(n, Contraction) and any(i >= n.rank for own in n.indices for i in own)]
    return all(times[node] <= MOST_EQUAL_SUMS for node in sums)


class _Bounded(Reals):
    """Reals that are not numbers where their value would fill the memory: e^(e^(e^100))."""

    def exp(self, x: Any) -> Any:
        """e^x."""
        return super().exp(x) if x < LARGEST_EXPONENT else self.context.nan

    def sin(self, x: Any) -> Any:
        """The sine."""
        return super().sin(x) if abs(x) < 10**DIGITS else self.context.nan

    def cos(self, x: Any) -> Any:
        """The cosine."""
        return super().cos(x) if abs(x) < 10**DIGITS else self.context.nan


def _points(derivation: Derivation, claim: Claim, claimed: Expr) -> Iterator[Point]:
    """The values of gradient and claim at up to POINTS points at which loss, gradient and claim have values."""
    right = claim.equation.expression
    equations = _needed((*derivation.forward, *derivation.backward), [derivation.loss, right, claimed])
    roots = [*(eq.expression for eq in equations), right, claimed]
    s = _Bounded(DIGITS + 2 * max(_digits(e) for e in (right, claimed)))
    random = Random(blake2b(claim.text.encode(), digest_size=8).digest())
    chosen = _several_sizes(sizes_in(roots), random)
    leaves = [e for e in derivation.leaves if e.role not in CONSTANT_ROLES]
    positive, found = positive_leaves(roots), 0
    constants = _constants(roots)
    for k in range(MOST_DRAWN):
        sizes, draw = chosen[k % len(chosen)], Draw(random.getrandbits(64), s, _scale(k, constants))
        is_positive = (k // len(chosen)) % 2 == 1
        values = {e: draw.array(e, sizes, is_positive=is_positive or e in positive) for e in leaves}
        try:
            known = values_at(equations, values, sizes, s)
            sides = [list(entries_of(a)) for a in evaluate([right, claimed], known, sizes, s)]
        except (ZeroDivisionError, OverflowError):
            continue
        if all(s.context.isfinite(x) for x in (*sides[0], *sides[1], *entries_of(known[derivation.loss]))):
            yield Point(s, sizes, known, sides[0], sides[1])
            found += 1
        if found == POINTS:
            return


def _needed(equations: Sequence[Equation], roots: Sequence[Expr]) -> list[Equation]:
    """The equations whose values the roots are made of, in their order."""
    used, found = set(postorder(roots)), []
    for eq in reversed(equations):
        if eq.target in used:
            found.append(eq)
            used.update(postorder([eq.expression]))
    return found[::-1]


def _constants(roots: Sequence[Expr]) -> list[Fraction]:
    """The sizes of the numbers in formulas: conditions on them are met on both sides by numbers of their size."""
    leaves = [x for x in postorder(roots) if isinstance(x, Leaf) and isinstance(x.value, Fraction)]
    return sorted({abs(x.value) for x in leaves if isinstance(x.value, Fraction) and x.value})


def _scale(k: int, constants: Sequence[Fraction]) -> Fraction:
    """How far from 0 the point k is drawn."""
    choices = [*SCALES, *(c * 2 for c in constants), *(c / 2 for c in constants)]
    return choices[k % len(choices)]


def _digits(e: Expr) -> int:
    """How long the longest number in an expression is, where it is long enough to be lost in the rounding."""
    numbers = [c for node in postorder([e]) if isinstance(node, Linear) for c, _ in node.terms]
    numbers += [x.value for x in postorder([e]) if isinstance(x, Leaf) and isinstance(x.value, Fraction)]
    longest = max((len(str(max(abs(c.numerator), c.denominator))) for c in numbers), default=0)
    return longest if longest > 8 else 0


def _several_sizes(sizes: Sequence[Size], random: Random) -> list[Assignment]:
    """Assignments of distinct numbers from 3 on, no one a permutation of another's where that can be."""
    first, *_ = assignments(sizes, 1)
    names = list(first.names)
    if not names:
        return [first]
    found, sums = [first], {sum(first.names.values())}
    for _ in range(200):
        numbers = random.sample(range(3, 7 + len(names)), len(names))
        a = Assignment(dict(zip(names, numbers, strict=True)), first.literals)
        if sum(numbers) not in sums and all(a.at(s) >= 1 for s in sizes):
            found.append(a)
            sums.add(sum(numbers))
        if len(found) == SIZES:
            break
    return found


def _shapes(derivation: Derivation, claim: Claim) -> Text:
    """What to say where the shapes differ."""
    right, claimed = claim.equation.expression, claim.expression
    shapes = {"claimed": show_shape(claimed.shape), "right": show_shape(right.shape)}
    if claimed.rank == 2 and claimed.shape[::-1] == right.shape:
        is_equal = _agree(derivation, claim, claimed.T)
        return _filled(TRANSPOSE_IS_EQUAL if is_equal else TRANSPOSE_FITS, **shapes)
    return _filled(SHAPES_DIFFER, **shapes)


def _agree(derivation: Derivation, claim: Claim, e: Expr) -> bool:
    found = 0
    for point in _points(derivation, claim, e):
        if not point.is_equal:
            return False
        found += 1
    return found >= FEWEST


def _difference(derivation: Derivation, claim: Claim, points: Sequence[Point], wrong: Point) -> Text:
    """The most useful hint: transpose, constant factor, a term too many or too few, else the entry that differs."""
    right, claimed = claim.equation.expression, claim.expression
    if claimed.rank == 2 and claimed.shape[::-1] == right.shape and _agree(derivation, claim, claimed.T):
        return TRANSPOSED
    bases = _bases(derivation, claim)
    factor = constant_factor(points, [p.claimed for p in points], [p.right for p in points], bases)
    if factor is not None:
        return SIGN if factor == "-1" else ZERO if factor == "0" else _filled(FACTOR, factor=factor)
    differences = [p.difference for p in points]
    for sentences, e in ((MISSING, right), (ADDITIONAL, claimed)):
        for term in terms_of(e) if _is_tame(e) else ():
            values = [p.at(term) for p in points]
            share = constant_factor(points, differences, values, bases)
            if share in sentences:
                return _filled(sentences[share], term=str(term).split("\n")[-1])
    place, value, wanted = wrong.worst
    numbers = {"value": wrong.written(value), "wanted": wrong.written(wanted)}
    shape = wrong.sizes.shape(right.shape)
    index = ", ".join(str(int(k) + 1) for k in np.unravel_index(place, shape)) if shape else ""
    template = ENTRY if shape else VALUE
    return _filled(template, entry=index, sizes=wrong.sizes_written, **numbers)


def _bases(derivation: Derivation, claim: Claim) -> Bases:
    """What a constant factor may be made of: the sizes, and the hyperparameters."""
    names = list(dict.fromkeys(name for s in sizes_in([claim.expression, *derivation.leaves]) for name in s.names))
    return Bases(tuple(names), tuple(e for e in derivation.leaves if e.role is Role.HYPERPARAMETER))


def _filled(text: Text, **words: str) -> Text:
    return Text(en=text.en.format(**words), zh=text.zh.format(**words))


ANSWERS = {
    Answer.EQUAL: Text(en=Answer.EQUAL.value, zh="相等"),
    Answer.NOT_EQUAL: Text(en=Answer.NOT_EQUAL.value, zh="不相等"),
    Answer.UNDECIDED: Text(en=Answer.UNDECIDED.value, zh="无法判定"),
}
HOLDS = Text(en="{claim}: {answer}, {reason}", zh="{claim}：{answer}，{reason}")
DIFFERS = Text(en="{claim}: {answer}; {reason}", zh="{claim}：{answer}；{reason}")
BY_FORM = Text(en="both sides have one normal form", zh="两边化为同一标准形")
BY_NUMBERS = Text(
    en="both sides agree to 30 digits at {points} random points (verified numerically)",
    zh="两边在 {points} 个随机点处有 30 位数字一致（数值验证）",
)
NO_POINT = Text(
    en="too few points were found at which both sides have values; state facts such as positive=True for the data",
    zh="找不到足够多的点使两边都有值；请为数据声明 positive=True 等性质",
)
SHAPES_DIFFER = Text(
    en="its shape is {claimed}, the gradient's is {right}", zh="它的形状是 {claimed}，而梯度的形状是 {right}"
)
TRANSPOSE_FITS = Text(
    en="its shape is {claimed}, the gradient's is {right}; the transpose has the right shape, but is not equal either",
    zh="它的形状是 {claimed}，而梯度的形状是 {right}；其转置形状相符，但也不相等",
)
TRANSPOSE_IS_EQUAL = Text(
    en="its shape is {claimed}, the gradient's is {right}; the transpose is equal",
    zh="它的形状是 {claimed}，而梯度的形状是 {right}；其转置与梯度相等",
)
TRANSPOSED = Text(en="your answer is the transpose of the gradient", zh="你的答案是梯度的转置")
SIGN = Text(en="your answer is -1 times the gradient", zh="你的答案是梯度的 −1 倍")
ZERO = Text(en="your answer is 0 everywhere, the gradient is not", zh="你的答案恒为 0，而梯度不是")
FACTOR = Text(en="your answer is {factor} times the gradient", zh="你的答案是梯度的 {factor} 倍")
MISSING = {
    "-1": Text(en="the term {term} is missing", zh="缺少一项 {term}"),
    "-2": Text(en="the term {term} has the wrong sign", zh="{term} 一项的符号相反"),
    "1": Text(en="the term {term} stands twice", zh="{term} 一项重复了"),
    "-1 / 2": Text(en="the term {term} is only half there", zh="{term} 一项只有一半"),
}
ADDITIONAL = {"1": Text(en="the term {term} is too many", zh="多了一项 {term}")}
ENTRY = Text(
    en="at random numbers with {sizes}, entry ({entry}) is {value}, the gradient's is {wanted}",
    zh="取 {sizes} 的一组随机数，第 ({entry}) 个元素是 {value}，而梯度的是 {wanted}",
)
VALUE = Text(
    en="at random numbers it is {value}, the gradient is {wanted}",
    zh="取一组随机数，它是 {value}，而梯度是 {wanted}",
)
