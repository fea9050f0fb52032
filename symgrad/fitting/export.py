"""A fit as a file: JSON for people and other programs, NPZ for NumPy."""

from __future__ import annotations

import io
import json
import math
import os
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from symgrad.errors import InputError
from symgrad.files import write_bytes
from symgrad.fitting.result import FitResult

Array = Any

SUFFIXES = (".json", ".npz")


def check_suffix(path: str) -> None:
    """Refuse a file whose suffix names no format."""
    if path != "-" and os.path.splitext(path)[1].lower() not in SUFFIXES:
        raise InputError(f"{path}: a fit is written as {' or '.join(SUFFIXES)}; choose one of these suffixes")


def save(result: FitResult, path: str) -> None:
    """Write a fit to a .json or .npz file, all of it or none."""
    check_suffix(path)
    is_npz = path.lower().endswith(".npz")
    write_bytes(path, as_npz(result) if is_npz else as_json(result).encode())


def as_json(result: FitResult) -> str:
    """Parameters with their shapes, how the descent went, the scores; what is no finite number is null."""
    content = {
        "parameters": _arrays(result.parameters),
        "original_units": None if result.original_units is None else _arrays(result.original_units),
        "standardizer": {
            name: {"mean": s.mean.tolist(), "scale": s.scale.tolist()} for name, s in result.standardizer.items()
        },
        "classes": {name: list(classes) for name, classes in result.classes.items()},
        "sizes": dict(result.sizes),
        "hyperparameters": dict(result.hyperparameters),
        "loss": _number(result.loss),
        "first_loss": _number(result.history[0].loss),
        "iterations": result.iterations,
        "stop": str(result.stop),
        "train": {"rows": result.train_rows, **{name: _number(v) for name, v in result.train.items()}},
        "test": None
        if result.test is None
        else {"rows": result.test_rows, **{name: _number(v) for name, v in result.test.items()}},
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def as_npz(result: FitResult) -> bytes:
    """The parameters by name; X.mean and X.scale of what was standardised, original.w in original units."""
    arrays: dict[str, Array] = dict(result.parameters)
    for name, standardizer in result.standardizer.items():
        arrays |= {f"{name}.mean": standardizer.mean, f"{name}.scale": standardizer.scale}
    if result.original_units is not None:
        arrays |= {f"original.{name}": array for name, array in result.original_units.items()}
    arrays |= {f"{name}.classes": np.array(classes) for name, classes in result.classes.items()}
    buffer = io.BytesIO()
    # Not `np.savez`, which takes the names as keywords: a parameter of the model may be called `file`.
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asarray(array))
    return buffer.getvalue()


def _arrays(arrays: Mapping[str, Array]) -> dict[str, Any]:
    return {name: {"shape": list(np.shape(a)), "values": np.asarray(a).tolist()} for name, a in arrays.items()}


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
