"""The worked example of CONTRIBUTING.md, taken at its word: put into a copy of the package, it derives, proves, explains,
compiles and lists a new primitive, and all tests that walk the table find it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
(ENTRY,) = re.findall(r"```python\n# (symgrad/\S+)\n(.*?)```", TEXT, re.S)
# Where an entry is found by itself, no other line is needed, and the text has no such block.
EDITS = re.findall(r"^--- (\S+)\n((?:[-+].*\n)+?)(?=---|```)", TEXT, re.M)
NAME = re.search(r'^    name="(\w+)"', ENTRY[1], re.M)[1]

USE = f"""
import numpy as np
import torch
import symgrad as sg
from symgrad.derive.derivation import Verdict

n, d = sg.dims("n d")
X, w, y = sg.data("X", n, d), sg.parameter("w", d), sg.data("y", n)
Z = X * w
m = sg.{NAME}(Z)
problem = sg.Problem(sg.sum((m - y) ** 2) / (2 * n), names=dict(X=X, w=w, y=y, Z=Z, m=m), docstring="A new primitive")
derivation = problem.derive()
assert all(line.proof.verdict is Verdict.PROVED for eq in derivation.backward for line in eq.lines)
assert any(c.rule == "{NAME}" for eq in derivation.backward for c in eq.contributions)
assert derivation.end_to_end.largest_error < 1e-15

# Explained, either way, in both languages.
for language in ("en", "zh"):
    assert "smax" in problem.explain("latex", language, "full")
    assert "smax" in problem.explain("markdown", language, proof="differential")

# Compiled: the code is compared with PyTorch, and does not overflow.
rng = np.random.default_rng(0)
values = dict(X=rng.normal(size=(5, 3)), w=rng.normal(size=3), y=rng.normal(size=5))
value, gradients = problem.compile()(**values)
theirs = {{name: torch.tensor(a) for name, a in values.items()}}
def loss(w):
    z = theirs["X"] * w
    return (((z * torch.softmax(z, dim=-1)).sum(-1) - theirs["y"]) ** 2).sum() / 10
np.testing.assert_allclose(value, loss(theirs["w"]), rtol=1e-12)
np.testing.assert_allclose(gradients["w"], torch.func.grad(loss)(theirs["w"]), rtol=1e-10)
assert np.isfinite(problem.compile()(**(values | dict(w=np.full(3, 1e3))))[0])

# Twice, and forward; read back from a string.
hvp = problem.hvp("w").compile()(**values, v=np.arange(3.0))[1]["w"]
np.testing.assert_allclose(hvp, torch.func.hessian(loss)(theirs["w"]).numpy() @ np.arange(3.0), rtol=1e-8)
x = sg.parameter("x", d)
sg.jvp(sg.{NAME}(x), x)
assert str(sg.parse("{NAME}(x)", {{"x": x}})) == "{NAME}(x)"
"""


def copy_with_the_entry(folder, entry):
    """The package and its tests in a folder of their own, with what CONTRIBUTING says put in."""
    for part in ("symgrad", "templates", "tests", "docs"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("pyproject.toml", "CONTRIBUTING.md"):
        shutil.copy(ROOT / part, folder / part)
    path = folder / ENTRY[0]
    path.write_text(path.read_text(encoding="utf-8").rstrip() + "\n\n\n" + entry.lstrip("\n"), encoding="utf-8")
    for name, lines in EDITS:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        for old, new in re.findall(r"((?:^-.*\n)+)((?:^\+.*\n)+)", lines, re.M):
            before, after = (re.sub(r"^[-+]", "", part, flags=re.M).rstrip("\n") for part in (old, new))
            assert text.count(before) == 1, f"CONTRIBUTING.md names a line that {name} does not have: {before}"
            text = text.replace(before, after)
        path.write_text(text, encoding="utf-8")


def python(folder, *args):
    return subprocess.run(
        [sys.executable, *args],
        cwd=folder,
        env={"PYTHONPATH": f"{folder}:{folder / 'tests'}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("example")
    copy_with_the_entry(found, ENTRY[1])
    return found


def test_the_entry_derives_proves_explains_and_compiles(folder):
    result = python(folder, "-c", USE)
    assert result.returncode == 0, result.stderr[-3000:]


def test_the_catalogue_lists_it(folder):
    main = "import sys; from symgrad.cli import main; sys.argv[0] = 'symgrad'; main()"
    assert f"  {NAME}(X)" in python(folder, "-c", main, "rules").stdout
    text = python(folder, "-c", main, "rules", NAME, "--lang", "zh").stdout
    assert "光滑最大值" in text
    assert "X_bar = " in text
    assert "Asadi & Littman 2017" in text


def test_the_tests_that_walk_the_table_find_it(folder):
    result = python(
        folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_laws.py", "tests/test_rules.py", "-k",
        f"{NAME} or every_entry or every_citation or every_primitive",
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-3000:]
    assert int(re.search(r"(\d+) passed", result.stdout)[1]) >= 6


def test_the_entry_keeps_the_style_of_the_house(folder):
    for command in (["ruff", "check", ENTRY[0]], ["ruff", "format", "--check", ENTRY[0]]):
        result = python(folder, "-m", *command)
        assert result.returncode == 0, result.stdout + result.stderr


def test_a_wrong_pullback_is_refused(tmp_path):
    wrong = ENTRY[1].replace("(1 + x - y[behind])", "(1 - x + y[behind])")
    assert wrong != ENTRY[1]
    copy_with_the_entry(tmp_path, wrong)
    result = python(tmp_path, "-c", USE)
    assert result.returncode != 0
    assert re.search(r"CheckFailed: the step \(\d+\) for Z is not proved", result.stderr), result.stderr[-2000:]
