"""Which examples the ordinary run takes (what `tests/models` holds too is not tried twice), and their problems."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from symgrad.problem import Problem, load

FOLDER = Path(__file__).resolve().parent.parent / "examples"
FEW = ("linear_regression", "logistic_regression", "ridge_regression", "softmax_regression", "two_layer_net")
# SYMGRAD_ALL=1 takes the whole gallery, in every test that walks the examples.
EVERY = sorted(FOLDER.glob("*.py"))
EXAMPLES = EVERY if os.environ.get("SYMGRAD_ALL") else [FOLDER / f"{stem}.py" for stem in FEW]


@cache
def problem_at(path: Path) -> Problem:
    """The problem of a model file, one for all tests of a process: it is derived once, and proved once."""
    return load(str(path))


def pages_of(paths: Sequence[Path]) -> list[tuple[Path, str]]:
    """What TeX is tried on: the few in both languages, every other model in one, in turn; with SYMGRAD_ALL=1 all in both."""
    pairs = [(path, language) for path in paths for language in ("en", "zh")]
    if os.environ.get("SYMGRAD_ALL"):
        return pairs
    return [(path, language) for k, (path, language) in enumerate(pairs) if path.stem in FEW or k % 4 in (0, 3)]
