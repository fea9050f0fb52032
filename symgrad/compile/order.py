"""The order in which a product of many arrays is multiplied out: (A B) v is A (B v), and tr(A B) never A B.

Sizes that are names count as equally large: what decides is how many of them a step multiplies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from symgrad.graph.sizes import Size
from symgrad.records import dataclass

Indices = tuple[int, ...]
Pair = tuple[int, int]
TYPICAL_SIZE = 256.0
MOST_EXHAUSTIVE = 6
# A sum that no matrix product expresses costs more than its multiplications.
WITHOUT_MATMUL = 2.0


@dataclass(frozen=True, slots=True)
class Task:
    """Arrays by their indices, which are inverses not computed yet, and which pairs are known."""

    arrays: Sequence[Indices]
    result: Indices
    sizes: Mapping[int, Size]
    is_inverse: Sequence[bool]
    is_known: Callable[[int, int], bool]

    def extent(self, i: int) -> float:
        """The size of an index, or a typical one where it is a name."""
        value = self.sizes[i].value
        return TYPICAL_SIZE if value is None else float(max(value, 1))


def pairs(task: Task) -> list[Pair]:
    """Which two places to multiply, again and again; the k-th product gets the place len(arrays) + k.

    >>> from symgrad.graph.sizes import Size
    >>> n = Size.symbol("n")
    >>> pairs(Task([(0, 1), (1, 2), (2,)], (0,), {0: n, 1: n, 2: n}, [False] * 3, lambda a, b: False))
    [(1, 2), (0, 3)]
    """
    count = len(task.arrays)
    if count <= 1:
        return []
    if count == 2:
        return [(0, 1)]
    return _exhaustive(task) if count <= MOST_EXHAUSTIVE else _greedy(task)


def _exhaustive(task: Task) -> list[Pair]:
    """The best of all orders, from smaller sets of arrays to larger ones."""
    count = len(task.arrays)
    full = (1 << count) - 1
    kept = _kept(task)
    best: dict[int, tuple[float, int]] = {1 << k: (0.0, 0) for k in range(count)}
    for mask in range(1, full + 1):
        if mask in best:
            continue
        options = []
        for left in _halves(mask):
            right = mask ^ left
            step = _cost(task, (left, right), (kept[left], kept[right]), kept[mask])
            is_leftward = right == 1 << (mask.bit_length() - 1)
            options.append((best[left][0] + best[right][0] + step, not is_leftward, left))
        cost, _, left = min(options)
        best[mask] = cost, left
    return _numbered(best, count)


def _numbered(best: Mapping[int, tuple[float, int]], count: int) -> list[Pair]:
    place = {1 << k: k for k in range(count)}
    found: list[Pair] = []
    stack = [((1 << count) - 1, False)]
    while stack:
        mask, is_ready = stack.pop()
        if mask in place:
            continue
        left = best[mask][1]
        if not is_ready:
            stack += [(mask, True), (mask ^ left, False), (left, False)]
            continue
        found.append((place[left], place[mask ^ left]))
        place[mask] = count + len(found) - 1
    return found


def _halves(mask: int) -> Iterator[int]:
    """The ways to split a set in two, by the half that holds the first member."""
    first = mask & -mask
    left = (mask - 1) & mask
    while left:
        if left & first:
            yield left
        left = (left - 1) & mask


def _kept(task: Task) -> dict[int, frozenset[int]]:
    """For each set of arrays the indices that the rest of the product still needs."""
    own = [frozenset(indices) for indices in task.arrays]
    count = len(own)
    joined = [frozenset[int]()] * (1 << count)
    for mask in range(1, 1 << count):
        last = mask.bit_length() - 1
        joined[mask] = joined[mask ^ (1 << last)] | own[last]
    needed = frozenset(task.result)
    full = (1 << count) - 1
    return {mask: joined[mask] & (needed | joined[full ^ mask]) for mask in range(1, full + 1)}


def _cost(task: Task, masks: Pair, own: tuple[frozenset[int], frozenset[int]], result: frozenset[int]) -> float:
    """Multiplications of one step, and the entries that it writes."""
    a, b = own
    places = [mask.bit_length() - 1 if mask & (mask - 1) == 0 else -1 for mask in masks]
    if min(places) >= 0 and task.is_known(places[0], places[1]):
        return 0.0
    work = written = 1.0
    for i in a | b:
        work *= task.extent(i)
        written *= task.extent(i) if i in result else 1.0
    shared = a & b
    summed = shared - result
    is_awkward = bool(summed) and (bool(shared & result) or (len(summed) > 1 and bool((a | b) - shared)))
    inverses = [k for k in places if k >= 0 and task.is_inverse[k]]
    is_solved = len(summed) == 1 and shared == summed and max(len(a), len(b)) <= 2
    bare = len(inverses) - is_solved
    penalty = sum(task.extent(task.arrays[k][0]) ** 3 for k in inverses[:1]) * max(bare, 0)
    return work * (WITHOUT_MATMUL if is_awkward else 1.0) + written + penalty


def _greedy(task: Task) -> list[Pair]:
    """The cheapest pair that shares an index, again and again."""
    arrays = dict(enumerate(frozenset(own) for own in task.arrays))
    found: list[Pair] = []
    while len(arrays) > 1:
        holders: dict[int, list[int]] = {}
        for place, own in arrays.items():
            for i in own:
                holders.setdefault(i, []).append(place)
        options = {(p, q) for held in holders.values() for p in held for q in held if p < q}
        places = list(arrays)
        a, b = min(options or {(places[0], places[1])}, key=lambda pair: (_step(task, arrays, pair, holders), pair))
        found.append((a, b))
        merged = _remaining(task, arrays, (a, b), holders)
        del arrays[a], arrays[b]
        arrays[len(task.arrays) + len(found) - 1] = merged
    return found


def _remaining(
    task: Task, arrays: Mapping[int, frozenset[int]], pair: Pair, holders: Mapping[int, list[int]]
) -> frozenset[int]:
    joined = arrays[pair[0]] | arrays[pair[1]]
    return frozenset(i for i in joined if i in task.result or set(holders[i]) - set(pair))


def _step(task: Task, arrays: Mapping[int, frozenset[int]], pair: Pair, holders: Mapping[int, list[int]]) -> float:
    a, b = pair
    masks = tuple(1 << k if k < len(task.arrays) else 3 for k in pair)
    return _cost(task, (masks[0], masks[1]), (arrays[a], arrays[b]), _remaining(task, arrays, pair, holders))
