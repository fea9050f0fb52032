"""The benchmark at toy sizes: symgrad, plain and bound, has the gradients of the hand-written NumPy that it is measured by.

Compiled loops are compared with the hand in compile/test_loops.py: each takes seconds to compile.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(folder, *options):
    command = [sys.executable, str(folder / "gradients.py"), "--toy", "--no-peers", "--no-loops", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=300)


def test_all_gradients_are_the_hands():
    result = run(ROOT / "benchmarks")
    assert result.returncode == 0, result.stderr
    table = [line for line in result.stdout.splitlines() if line.startswith("| ") and "error" not in line]
    assert len(table) == 1 + 10, result.stdout
    # A machine without AVX-512 says so: the table is read beside it.
    assert re.search(r"kernel \w+", result.stdout)


def test_what_emitting_costs_is_measured():
    command = [sys.executable, str(ROOT / "benchmarks" / "emission.py"), "linear regression"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=300)
    found = json.loads(result.stdout)
    assert set(found) == {"derive", "compile", "least", "bind", "call", "bound_call"}
    assert min(found["derive"], found["compile"], found["bind"]) > 1e-4


@pytest.mark.parametrize("changed", ["p -= y\n", "value = (np.log1p(e).sum()"])
def test_a_wrong_hand_is_seen(tmp_path, changed):
    for file in (ROOT / "benchmarks").glob("*.py"):
        text = file.read_text(encoding="utf-8")
        if file.name == "by_hand.py":
            assert changed in text
            wrong = {"p -= y\n": "p -= 0.5 * y\n", "value = (np.log1p(e).sum()": "value = (np.log1p(e).sum() + 1e-3"}
            text = text.replace(changed, wrong[changed])
        (tmp_path / file.name).write_text(text, encoding="utf-8")
    result = run(tmp_path, "--only", "logistic")
    assert result.returncode == 1
    assert "not the hand's gradients: logistic" in result.stderr
