"""The derivation as JSON: it fits its schema, its formulas read back, and it is the same each time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

import symgrad as sg
from symgrad.cli import app
from symgrad.explain.document import Document, Plain
from symgrad.explain.formats import render
from symgrad.problem import Problem

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = json.loads((ROOT / "docs" / "derivation.schema.json").read_text(encoding="utf-8"))
FILES = {
    "softmax": ROOT / "examples" / "softmax_regression.py",
    "labels": ROOT / "tests" / "models" / "n01_labels.py",
    "layers": ROOT / "tests" / "models" / "p31_tanh_net.py",
    "sympy": ROOT / "examples" / "sympy_neuron.py",
}


@cache
def problem_of(name: str) -> Problem:
    return sg.load(str(FILES[name]))


@cache
def text_of(name: str, language: str) -> str:
    text = problem_of(name).explain("json", language)
    assert isinstance(text, str)
    return text


def derivation_of(name: str, language: str = "en") -> Any:
    return json.loads(text_of(name, language))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", FILES)
def test_it_fits_the_schema(name, language):
    jsonschema.validate(derivation_of(name, language), SCHEMA, cls=jsonschema.Draft202012Validator)


def test_the_schema_refuses_what_is_not_said_in_it():
    found = derivation_of("softmax")
    del found["backward"][0]["steps"][0]["proof"]
    with pytest.raises(jsonschema.ValidationError, match="'proof' is a required property"):
        jsonschema.validate(found, SCHEMA)


@pytest.mark.parametrize("name", FILES)
def test_every_formula_is_read_back(name):
    problem, found = problem_of(name), derivation_of(name)
    derivation = problem.derive()
    for equations, written in ((derivation.forward, found["forward"]), (derivation.backward, found["backward"])):
        for eq, one in zip(equations, written, strict=True):
            assert one["label"] == eq.label
            assert one["expression"] == str(eq.expression)
            assert str(problem.parse(one["expression"])) == one["expression"]
    ends = {one["label"]: one["steps"][-1]["expression"] for one in found["backward"]}
    assert all(ends[result["equation"]] == result["expression"] for result in found["results"])
    assert {r["parameter"] for r in found["results"]} == set(found["parameters"])


def test_it_says_what_the_page_says_in_its_language():
    english, chinese = derivation_of("softmax"), derivation_of("softmax", "zh")
    step = next(one for one in english["backward"] if one["variable"] == "Z")
    assert [line["reason"]["kind"] for line in step["steps"]] == ["rule", "put in", "cancel", "fact"]
    assert step["steps"][-1]["reason"]["text"] == "each row of $Y$ sums to 1"
    assert step["steps"][-1]["reason"]["facts"] == [{"fact": "one_hot", "of": "Y"}]
    assert step["steps"][-1]["proof"]["verdict"] == "proved"
    assert "proved, entry by entry" in step["proof"]["how"]
    assert english["check"]["largest_error"] < 1e-30
    told = next(one for one in chinese["backward"] if one["variable"] == "Z")
    assert told["steps"][-1]["reason"]["text"] == "$Y$ 的每行之和为 1"
    assert chinese["leaves"][0]["about"] == "每行一个样本"
    # Words apart, the two are the same.
    words = ("language", "title", "text", "about", "because", "how")
    assert without(english, words) == without(chinese, words)


def without(value: Any, keys: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {key: without(x, keys) for key, x in value.items() if key not in keys}
    return [without(x, keys) for x in value] if isinstance(value, list) else value


def test_json_and_notebooks_are_the_same_bytes_each_time():
    code = (
        "import sys, symgrad as sg; problem = sg.load(sys.argv[1]);"
        "sys.stdout.write(problem.explain('json', 'zh') + problem.explain('ipynb', 'zh'))"
    )
    outputs = set()
    for seed in ("1", "2"):
        env = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
        command = [sys.executable, "-c", code, str(FILES["softmax"])]
        outputs.add(subprocess.run(command, env=env, capture_output=True, check=True).stdout)
    (only,) = outputs
    assert only.startswith(text_of("softmax", "zh").encode())


def test_the_command_writes_what_python_does(tmp_path):
    path = tmp_path / "derivation.json"
    result = CliRunner().invoke(app, ["explain", str(FILES["sympy"]), "-o", str(path), "--lang", "zh"])
    assert (result.exit_code, result.stdout) == (0, "")
    assert path.read_text(encoding="utf-8") == text_of("sympy", "zh")


def test_pages_of_another_kind_are_refused_in_one_line():
    problem = problem_of("softmax")
    with pytest.raises(sg.InputError, match="only a derivation of gradients is written as JSON"):
        render(Document(Plain("Stationary points"), (), "en"), "json")
    with pytest.raises(sg.InputError, match="JSON holds the lines of the derivation alone"):
        problem.explain("json", layout="numerator")


def test_the_document_names_every_key():
    text = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    keys = {key for part in (SCHEMA, *SCHEMA["$defs"].values()) for key in part.get("properties", {})}
    assert {key for key in keys if not re.search(rf"`{key}`", text)} == set()
