"""Small numbers in the place of large ones that serve as sizes: 784 = 28·28 becomes 9 = 3·3.

Contractions hold for any sizes, but a reshape, a join or a slice ties sizes to each other; a stand-in keeps those ties.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod
from random import Random

from symgrad.evaluate import LARGEST_KEPT, Assignment
from symgrad.graph.expression import Apply, Expr
from symgrad.graph.sizes import ONE, Size
from symgrad.records import dataclass

FEWEST, MOST = 3, 7
# A size that others determine is looked for up to here.
LARGEST = 64
MOST_TRIED = 100


@dataclass(frozen=True, slots=True)
class Tie:
    """What a rearrangement asks of sizes: `kind` says how the numbers in `sizes` go together."""

    kind: str
    sizes: tuple[Size, ...]
    count: int = 0

    def holds(self, at: Sequence[int]) -> bool:
        """Whether these numbers fit."""
        if self.kind == "reshape":
            return prod(at[: self.count]) == prod(at[self.count :])
        if self.kind == "concatenate":
            return at[0] == sum(at[1:])
        if self.kind == "slice":
            part, whole, start, stop, behind = at
            used = (part - 1) * self.count + 1
            return start < stop <= whole and part == -(-(stop - start) // self.count) and start + used + behind == whole
        part, whole, before, after = at
        return whole == before + (part - 1) * self.count + 1 + after

    @property
    def rest(self) -> tuple[Size, ...]:
        """What is not negative: the room before and behind a slice, the zeros of a padding."""
        if self.kind == "slice":
            _, whole, start, stop, _ = self.sizes
            return start, whole - stop
        return self.sizes[2:] if self.kind == "pad" else ()

    @property
    def literals(self) -> set[int]:
        """The large numbers in it."""
        return {v for s in self.sizes if (v := s.value) is not None and v > LARGEST_KEPT}


def ties_in(nodes: Iterable[Expr]) -> Iterator[Tie]:
    """The ties of every rearrangement among nodes."""
    for node in nodes:
        if not isinstance(node, Apply):
            continue
        options = dict(node.options)
        axis = options.get("axis")
        if node.primitive in {"reshape", "kron"}:
            inside = [s for e in node.operands for s in e.shape]
            yield Tie("reshape", (*node.shape, *inside), len(node.shape))
        elif node.primitive == "concatenate" and isinstance(axis, int):
            yield Tie("concatenate", (node.shape[axis], *(e.shape[axis] for e in node.operands)))
        elif node.primitive == "slice" and isinstance(axis, int):
            yield _slice(node.shape[axis], node.operands[0].shape[axis], options)
        elif node.primitive == "pad" and isinstance(axis, int):
            own = (node.operands[0].shape[axis], node.shape[axis], options["before"], options["after"])
            yield _tie("pad", own, options["step"])


def _slice(part: Size, whole: Size, options: Mapping[str, object]) -> Tie:
    """A slice leaves over as much as it did: what pads its derivative back fits then, too."""
    start, stop, step = options["start"], options["stop"], options["step"]
    assert isinstance(start, Size)
    assert isinstance(stop, Size)
    assert isinstance(step, int)
    return Tie("slice", (part, whole, start, stop, whole - start - (part - ONE) * step - ONE), step)


def _tie(kind: str, sizes: Sequence[object], step: object) -> Tie:
    assert isinstance(step, int)
    return Tie(kind, tuple(s for s in sizes if isinstance(s, Size)), step)


def stand_ins(ties: Sequence[Tie], names: Mapping[str, int], turn: int) -> dict[int, int]:
    """Numbers for the large literals by which every tie holds at these named sizes; themselves where none are found.

    >>> n = Size.constant
    >>> stand_ins([Tie("reshape", (n(784), n(28), n(28)), 1)], {}, 0)[784] in (9, 16, 25, 36, 49)
    True
    """
    tied = sorted({v for tie in ties for v in tie.literals})
    random = Random(f"{turn} {tied}")
    for _ in range(MOST_TRIED):
        found = _attempt(ties, names, tied, random)
        if found is not None:
            return found
    return {}


def _attempt(
    ties: Sequence[Tie], names: Mapping[str, int], tied: Sequence[int], random: Random
) -> dict[int, int] | None:
    """One choice: small literals first, each tie with one unknown solved before another is drawn."""
    found: dict[int, int] = {}
    pending = list(tied)
    turn = random.randrange(2)
    while pending:
        if not _solve(ties, names, found, turn):
            return None
        pending = [v for v in pending if v not in found]
        if pending:
            found[pending[0]] = random.randint(FEWEST, MOST)
    return found if _solve(ties, names, found, turn) else None


def _solve(ties: Sequence[Tie], names: Mapping[str, int], found: dict[int, int], turn: int) -> bool:
    """Determine what ties determine; False where one cannot hold."""
    is_changed = True
    while is_changed:
        is_changed = False
        for tie in ties:
            unknown = tie.literals - found.keys()
            if len(unknown) > 1:
                continue
            candidates = [{}] if not unknown else [{v: k} for v in unknown for k in range(1, LARGEST)]
            fitting = [c for c in candidates if tie.holds([Assignment(names, {**found, **c}).at(s) for s in tie.sizes])]
            if not fitting:
                return False
            if unknown:
                # A slice by steps fits more than one length.
                found |= fitting[turn % len(fitting)]
                is_changed = True
    return True
