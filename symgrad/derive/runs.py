"""Repetitions in a sequence: the longest stretches in which blocks of items recur, their numbers in arithmetic progression."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symgrad.derive.alike import Form
from symgrad.records import dataclass

# Two of a kind are read faster than a rule about them.
FEWEST = 3
# The longest block that is looked for: the steps of one layer, or of one time step.
LONGEST_BLOCK = 60


@dataclass(frozen=True, slots=True)
class Run:
    """`count` blocks of `period` items from `start` on, and `tail` items more (less than a block) that go on like them."""

    start: int
    period: int
    count: int
    tail: int

    @property
    def end(self) -> int:
        """The place behind the run."""
        return self.start + self.period * self.count + self.tail

    def instances(self, member: int) -> range:
        """The places of the member of all blocks."""
        return range(self.start + member, self.end, self.period)


def runs(forms: Sequence[Form]) -> Iterator[Run]:
    """The runs of a sequence from the left, the ones that cover most first come.

    >>> from symgrad.derive.alike import form_of
    >>> from symgrad.primitives.language import data, dims
    >>> n = dims("n")
    >>> list(runs([form_of([data(name, n)]) for name in ("x", "a1", "b1", "a2", "b2", "a3", "b3", "y")]))
    [Run(start=1, period=2, count=3, tail=0)]
    """
    same = _alike(forms)
    at = 0
    while at < len(forms):
        found = _best_at(forms, same, at)
        if found is None:
            at += 1
            continue
        yield found
        at = found.end


def _alike(forms: Sequence[Form]) -> list[int]:
    """A number for each form, the same for equal ones."""
    known: dict[tuple[object, ...], int] = {}
    return [known.setdefault(form.key, len(known)) for form in forms]


def _best_at(forms: Sequence[Form], same: Sequence[int], at: int) -> Run | None:
    """The longest stretch from here on, of the shortest period, cut into blocks as it reads best."""
    best = (0, 0)
    for period in range(1, min(LONGEST_BLOCK, (len(forms) - at) // FEWEST) + 1):
        if same[at] == same[at + period]:
            length = _length(forms, same, at, period)
            if length >= FEWEST * period and length > best[0]:
                best = (length, period)
    return _cut(forms, at, *best) if best[0] else None


def _length(forms: Sequence[Form], same: Sequence[int], at: int, period: int) -> int:
    """How many items from here on recur after `period`, their numbers going on by the same steps."""
    end, steps = at + period, list[tuple[int, ...]]()
    while end < len(forms) and same[end] == same[end - period]:
        step = _step(forms[end - period], forms[end])
        if (len(steps) >= period and steps[-period] != step) or (len(steps) < period and not any(step)):
            break
        steps.append(step)
        end += 1
    return end - at


def _step(a: Form, b: Form) -> tuple[int, ...]:
    return tuple(y - x for x, y in zip(a.numbers, b.numbers, strict=True))


def _cut(forms: Sequence[Form], at: int, length: int, period: int) -> Run:
    """Where the blocks begin: few items are left outside, and the numbers in a block lie close together."""

    def burden(run: Run) -> tuple[int, int]:
        outside = run.start - at
        first = [forms[run.start + k].numbers[0] for k in range(period) if forms[run.start + k].numbers]
        return outside + (max(first) - min(first) if first else 0) + (run.tail > 0), outside

    candidates = []
    for start in range(at, at + period):
        count, tail = divmod(at + length - start, period)
        if count >= FEWEST:
            candidates.append(Run(start, period, count, tail))
    return min(candidates, key=burden)
