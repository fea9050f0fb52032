"""Selectors [u = t + s] in letters. Indices on a page count from 1: a summed u is written t+s-1, a summed t is u-s+1."""

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


def from_one(a: str, sign: str, b: str) -> str:
    """t + s or u - s where all three count from 1.

    >>> from_one("t", "+", "s"), from_one("u", "-", "s")
    ('t+s-1', 'u-s+1')
    """
    return f"{a}{sign}{b}{'-1' if sign == '+' else '+1'}"
