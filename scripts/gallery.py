#!/usr/bin/env python3
"""Write docs/gallery: a page of each example in both languages, their indexes, and a digest of each derivation.

    python scripts/gallery.py              every page
    python scripts/gallery.py softmax_regression attention

`tests/test_gallery.py` derives every example again and compares the digests: where one differs, run this and read the
difference of the pages.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

from symgrad.explain.machine import machine_readable
from symgrad.files import write_text
from symgrad.problem import Problem, load
from symgrad.prose import LANGUAGES, Language, Text

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
GALLERY = ROOT / "docs" / "gallery"
DIGESTS = "digests.json"
INDEXES: Mapping[Language, str] = {"en": "README.md", "zh": "README.zh-CN.md"}

# The chapters of the index, with their examples in the order in which a course would take them.
CHAPTERS: tuple[tuple[Text, tuple[str, ...]], ...] = (
    (
        Text(en="Regression", zh="回归"),
        (
            "linear_regression",
            "ridge_regression",
            "elastic_net",
            "huber_regression",
            "quantile_regression",
            "poisson_regression",
            "gaussian_process",
        ),
    ),
    (
        Text(en="Classification", zh="分类"),
        ("logistic_regression", "logistic_signs", "support_vector_machine", "softmax_regression"),
    ),
    (
        Text(en="Networks", zh="神经网络"),
        (
            "two_layer_net",
            "deep_net",
            "convolutional_net",
            "batch_normalisation",
            "layer_normalisation",
            "recurrent_net",
            "lstm_cell",
            "attention",
        ),
    ),
    (
        Text(en="Hidden structure", zh="隐变量与表示学习"),
        (
            "matrix_factorisation",
            "gaussian_mixture",
            "variational_autoencoder",
            "word2vec",
            "contrastive_learning",
        ),
    ),
    (Text(en="Survival", zh="生存分析"), ("cox_regression", "weibull_survival")),
    (Text(en="In SymPy", zh="用 SymPy 书写"), ("sympy_neuron",)),
)
TITLE = Text(en="Gallery", zh="示例集")
OTHER = Text(en="[中文](README.zh-CN.md)", zh="[English](README.md)")
OPENING = Text(
    en="Each page is what `symgrad explain` writes of a [model file](../../examples), every line proved. To start from one of"
    " them: `symgrad new model.py --like softmax_regression`.",
    zh="每一页都由 `symgrad explain` 根据相应的[模型文件](../../examples)写出，其中每一行都经过证明。以其中一个为起点："
    "`symgrad new model.py --like softmax_regression`。",
)
HEADER = Text(en="| model | what it is about | file |", zh="| 模型 | 内容 | 文件 |")
MADE = "<!-- Written by scripts/gallery.py. -->"


def examples() -> list[str]:
    """The examples of all chapters, by name."""
    return [stem for _, stems in CHAPTERS for stem in stems]


def problem_of(stem: str) -> Problem:
    """The problem of an example."""
    return load(str(EXAMPLES / f"{stem}.py"))


def digest(problem: Problem) -> str:
    """A digest of what its pages say in both languages: equations, reasons, results; without proofs, which take long."""
    derivation = problem.derive(prove=False)
    content = [
        _without_proofs(machine_readable(derivation, problem.title, problem.text, language)) for language in LANGUAGES
    ]
    return blake2b(json.dumps(content, ensure_ascii=False).encode(), digest_size=12).hexdigest()


def _without_proofs(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_proofs(x) for key, x in value.items() if key not in ("proof", "check")}
    return [_without_proofs(x) for x in value] if isinstance(value, list) else value


def page(problem: Problem, language: Language) -> str:
    """The page of a problem as GitHub shows it."""
    text = problem.explain("markdown", language)
    assert isinstance(text, str)
    return text


def index(language: Language) -> str:
    """The page that lists all others."""
    return "\n".join(_index(language)) + "\n"


def _index(language: Language) -> Iterator[str]:
    yield from (f"# {TITLE.to(language)}", "", OTHER.to(language), "", OPENING.to(language))
    for chapter, stems in CHAPTERS:
        yield from ("", f"## {chapter.to(language)}", "", HEADER.to(language), "|:--|:--|:--|")
        for stem in stems:
            problem = problem_of(stem)
            first = problem.text.to(language).split("\n\n")[0].replace("\n", " ")
            link = f"[{problem.title.to(language)}]({language}/{stem}.md)"
            yield f"| {link} | {first} | [{stem}.py](../../examples/{stem}.py) |"
    yield from ("", MADE)


def main(wanted: list[str]) -> None:
    """Write the pages that are named, or all."""
    unknown = set(wanted) - set(examples())
    if unknown:
        sys.exit(f"no example is called {min(unknown)}; choose of {', '.join(examples())}")
    known = json.loads((GALLERY / DIGESTS).read_text(encoding="utf-8")) if (GALLERY / DIGESTS).exists() else {}
    for stem in wanted or examples():
        problem = problem_of(stem)
        for language in LANGUAGES:
            (GALLERY / language).mkdir(parents=True, exist_ok=True)
            write_text(GALLERY / language / f"{stem}.md", page(problem, language))
        known[stem] = digest(problem)
        print(stem, known[stem], flush=True)
    kept = {stem: known[stem] for stem in sorted(known) if stem in examples()}
    write_text(GALLERY / DIGESTS, json.dumps(kept, indent=2) + "\n")
    for language in LANGUAGES:
        write_text(GALLERY / INDEXES[language], index(language))


if __name__ == "__main__":
    main(sys.argv[1:])
