"""The gallery: its pages are those of today's derivations, in both languages whole, and each model is in one chapter."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from symgrad.problem import Problem

ROOT = Path(__file__).resolve().parent.parent
GALLERY = ROOT / "docs" / "gallery"
LANGUAGES = ("en", "zh")
# Pages that are compared whole, with their proofs; SYMGRAD_ALL=1 compares all of them.
WHOLE = ("linear_regression", "elastic_net")
# Words that Chinese textbooks leave as they are.
KEPT = {"softmax", "log", "exp", "sum", "relu", "max", "min", "clip", "det", "sign", "tanh", "sympy", "numpy"}
KEPT |= {"lstm", "huber", "cox", "weibull", "word2vec"}


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gallery", ROOT / "scripts" / "gallery.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


gallery = script()
STEMS = gallery.examples()


@cache
def problem_of(stem: str) -> Problem:
    return gallery.problem_of(stem)


def test_every_example_stands_in_one_chapter():
    assert sorted(STEMS) == sorted(path.stem for path in (ROOT / "examples").glob("*.py"))
    assert len(STEMS) >= 20
    assert f"holds {len(STEMS)} models" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{len(STEMS)} 个模型" in (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("stem", STEMS)
def test_the_pages_are_those_of_the_derivations(stem):
    known = json.loads((GALLERY / gallery.DIGESTS).read_text(encoding="utf-8"))
    what = (
        f"the derivation of {stem} is another one; run scripts/gallery.py {stem} and read the difference of its pages"
    )
    assert gallery.digest(problem_of(stem)) == known[stem], what


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("stem", STEMS if os.environ.get("SYMGRAD_ALL") else WHOLE)
def test_pages_are_what_explain_writes(stem, language):
    stored = (GALLERY / language / f"{stem}.md").read_text(encoding="utf-8")
    assert gallery.page(problem_of(stem), language) == stored


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_index_links_to_every_page_and_file(language):
    text = (GALLERY / gallery.INDEXES[language]).read_text(encoding="utf-8")
    assert text == gallery.index(language)
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert {f"{language}/{stem}.md" for stem in STEMS} <= set(links)
    assert all((GALLERY / link).exists() for link in links)


@pytest.mark.parametrize("stem", STEMS)
def test_chinese_pages_are_chinese_throughout(stem):
    page = (GALLERY / "zh" / f"{stem}.md").read_text(encoding="utf-8")
    prose = re.sub(r"```.*?```|\$`.*?`\$|`.*?`", "", page, flags=re.S)
    words = set(re.findall(r"[A-Za-z][A-Za-z0-9]{2,}", prose))
    assert {word for word in words if word.lower() not in KEPT} == set()


@pytest.mark.parametrize("stem", STEMS)
def test_everything_that_is_declared_is_told_in_both_languages(stem):
    problem = problem_of(stem)
    assert problem.title.en != problem.title.zh
    for language in LANGUAGES:
        assert problem.text.to(language)
    if stem != "sympy_neuron":  # SymPy's symbols cannot say what they are
        assert all(e.about.en and re.search(r"[\u4e00-\u9fff]", e.about.zh) for e in problem.leaves)


def test_a_changed_model_changes_its_digest(tmp_path):
    text = (ROOT / "examples" / "linear_regression.py").read_text(encoding="utf-8")
    (tmp_path / "changed.py").write_text(text.replace("/ (2 * n)", "/ n"), encoding="utf-8")
    changed = Problem.from_file(str(tmp_path / "changed.py"))
    assert gallery.digest(changed) != gallery.digest(problem_of("linear_regression"))
