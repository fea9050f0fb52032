"""`symgrad new`: the gallery's own files, none overwritten unasked."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from symgrad.cli import app
from symgrad.cli.starts import SHORT, starts

ROOT = Path(__file__).resolve().parent.parent
WANTED = "linear logistic softmax poisson mlp recurrent attention matrix_factorisation gaussian_process sympy"


def run(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", WANTED.split())
def test_what_it_writes_is_the_example_of_the_gallery(name, folder):
    assert run("new", "model.py", "--like", name) == (0, "", "")
    assert (folder / "model.py").read_bytes() == (ROOT / "examples" / f"{SHORT[name]}.py").read_bytes()


def test_every_example_can_be_begun_from(folder):
    assert {path.stem for path in starts().values()} == {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert run("new", "-", "--like", "lstm_cell")[1] == (ROOT / "examples" / "lstm_cell.py").read_text(encoding="utf-8")


def test_what_it_writes_explains_checks_and_compiles(folder):
    run("new", "model.py", "--like", "poisson")
    status, page, _ = run("explain", "model.py", "--lang", "zh")
    assert status == 0
    assert page.startswith("# 泊松回归")
    assert run("check", "model.py")[0] == 0
    assert run("compile", "model.py", "-o", "grads.py")[0] == 0
    assert "def value_and_gradients(" in (folder / "grads.py").read_text(encoding="utf-8")


def test_a_file_is_replaced_only_where_that_is_asked_for(folder):
    (folder / "model.py").write_text("mine", encoding="utf-8")
    status, _, error = run("new", "model.py", "--like", "softmax")
    assert (status, error) == (2, "model.py: is there already; name another file, or replace it with --force\n")
    assert (folder / "model.py").read_text(encoding="utf-8") == "mine"
    assert run("new", "model.py", "--like", "softmax", "--force")[0] == 0
    assert "softmax" in (folder / "model.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["model.py", "--like", "logstic"], "there is no model 'logstic'; try --like logistic, or symgrad new --list"),
        (["model.txt"], "model.txt: a model file ends in .py; write for example model.py"),
        ([], "the file to write is missing"),
        (["no/folder/model.py"], "no/folder/model.py: no such file or directory"),
    ],
)
def test_what_cannot_be_written_is_said_in_one_line(words, error, folder):
    status, _, said = run("new", *words)
    assert status == 2
    assert said.startswith(error)
    assert said.count("\n") == 1
    assert list(folder.iterdir()) == []


def test_the_list_names_every_model_in_both_languages(folder):
    english, chinese = (run("new", "--list", "--lang", language)[1].splitlines() for language in ("en", "zh"))
    assert [line.split()[0] for line in english] == [line.split()[0] for line in chinese] == list(starts())
    assert english[: len(SHORT)] == [line for line in english if line.split()[0] in SHORT]
    assert english[1].endswith("How likely is it that an example belongs to the second of two classes?")
    assert chinese[1].endswith("逻辑回归：一个样本属于两类中的第二类的概率有多大？")
