"""Selectors [u = t + s] in letters: a summed u is written t + s wherever it stands, a summed t is u - s."""

from __future__ import annotations

from collections.abc import Collection, Sequence

Indices = tuple[int, ...]


def spelled(
    selectors: Sequence[Indices], bound: Collection[int]
) -> tuple[dict[int, tuple[int, str, int]], list[Indices]]:
    """What each index that letters can say stands for, and the selectors that are left.

    >>> spelled([(3, 1, 4)], [3, 4]), spelled([(0, 3, 4)], [3, 4]), spelled([(0, 1, 2)], [])
    (({3: (1, '+', 4)}, []), ({3: (0, '-', 4)}, []), ({}, [(0, 1, 2)]))
    """
    said: dict[int, tuple[int, str, int]] = {}
    left: list[Indices] = []
    for u, t, s in selectors:
        i, meaning = (u, (t, "+", s)) if u in bound else (t, (u, "-", s))
        held = {meaning[0], meaning[2], *(k for a, _, b in said.values() for k in (a, b))}
        if i in bound and i not in said and i not in held and not said.keys() & held:
            said[i] = meaning
        else:
            left.append((u, t, s))
    return said, left
