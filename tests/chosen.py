"""Which examples the ordinary run takes: what `tests/models` holds too is not tried twice."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "examples"
FEW = ("linear_regression", "logistic_regression", "ridge_regression", "softmax_regression", "two_layer_net")
# SYMGRAD_ALL=1 takes the whole gallery, in every test that walks the examples.
EVERY = sorted(FOLDER.glob("*.py"))
EXAMPLES = EVERY if os.environ.get("SYMGRAD_ALL") else [FOLDER / f"{stem}.py" for stem in FEW]
