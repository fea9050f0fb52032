"""`symgrad rules`: the catalogue says what the tables hold, all of it, and what it prints is true."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import numpy as np
import pytest
import sympy
import torch
from floats import run as run_in_numpy
from test_pages import compiled_log, flaws
from typer.testing import CliRunner

import symgrad as sg
from symgrad.cli import app
from symgrad.cli.rules import read_catalogue, rules_text
from symgrad.derive.catalogue import laws, samples
from symgrad.derive.derivation import Verdict
from symgrad.explain import catalogue_sentences
from symgrad.explain.sources import SOURCES, keys_in
from symgrad.primitives.entry import Function, Primitive
from symgrad.primitives.facts import FACTS
from symgrad.primitives.functions import FUNCTIONS
from symgrad.primitives.table import PRIMITIVES
from symgrad.prose import LANGUAGES, Text

ROOT = Path(__file__).resolve().parent.parent
PAGES = {"en": ROOT / "docs" / "rules.md", "zh": ROOT / "docs" / "rules.zh-CN.md"}
SAMPLES = samples()
# A family whose members users give whole: there is no one body to print.
WITHOUT_A_BODY = {"scalar"}


def run(*args):
    return CliRunner().invoke(app, ["rules", *map(str, args)])


def complaint(*args):
    result = run(*args)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    return line


# ---- all of it


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_in_the_repository_is_current(language):
    path = PAGES[language]
    wanted = rules_text("", "markdown", language)
    changes = list(
        difflib.unified_diff(path.read_text(encoding="utf-8").splitlines(), wanted.splitlines(), lineterm="")
    )
    command = f"symgrad rules -o {path.relative_to(ROOT)} --lang {language}"
    assert changes == [], f"the tables have changed: write the page again by `{command}`\n" + "\n".join(changes[:40])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_entry_of_every_table_is_listed(language):
    page, text = rules_text("", "markdown", language), rules_text("", "text", language)
    known = {s.entry.name for s in SAMPLES}
    assert known == (set(FUNCTIONS) - WITHOUT_A_BODY) | set(PRIMITIVES)
    for sample in SAMPLES:
        assert sample.entry.about.to(language) in text
    for fact in FACTS.values():
        assert fact.sentence.to(language) in text
        assert f"**`{fact.name}`" in page
    for name, value in ((name, getattr(sg, name)) for name in sg.__all__):
        is_word = isinstance(value, Function | Primitive) or getattr(value, "__module__", "").startswith(
            "symgrad.primitives"
        )
        if is_word:
            assert re.search(rf"^  {re.escape(name)}\(", text, re.M), name
            assert f"`{name}(" in page, name


def test_every_word_has_a_first_line():
    assert all(len(d.about) > 3 and d.place for d in read_catalogue().definitions)


def test_every_citation_is_in_the_literature():
    cited = {key for entry in PRIMITIVES.values() for key in keys_in(entry.citation)}
    cited |= {key for d in read_catalogue().definitions for key in keys_in(d.about)}
    assert cited <= set(SOURCES)
    assert all(list(keys_in(entry.citation)) for entry in PRIMITIVES.values() if entry.citation)
    page = rules_text("", "markdown", "en")
    assert all(f"`{key}`" in page for key in cited)


# ---- true


@pytest.mark.parametrize("sample", [s for s in SAMPLES if isinstance(s.entry, Function)], ids=lambda s: s.entry.name)
def test_a_printed_body_and_derivative_are_those_of_the_function(sample):
    random = np.random.default_rng(5)
    low, high = sample.entry.sample
    for turn in range(4):
        values = dict(zip(sample.operands, random.uniform(max(low, 0.3), high, len(sample.operands)), strict=True))
        # A condition is 0 or 1.
        values |= {e: float(turn % 2) for e in sample.operands if e.name == "c"}
        # Bounds are in order.
        bounds = [e for e in sample.operands if e.name in ("low", "high")]
        values |= dict(zip(bounds, sorted(values[e] for e in bounds), strict=True))
        here = run_in_numpy(sample.node, values, {})
        for x, slope in zip(sample.operands, sample.slopes, strict=True):
            h = 1e-6
            up, down = (run_in_numpy(sample.node, {**values, x: values[x] + k * h}, {}) for k in (1, -1))
            ours = 0.0 if slope is None else run_in_numpy(slope, values, {})
            assert abs((up - down) / (2 * h) - ours) < 1e-6, x.name
        names = {e.name: float(v) for e, v in values.items()}
        body = next(e for e, condition in sample.cases if holds(condition, names))
        assert abs(run_in_numpy(body, values, {}) - here) < 1e-12


def holds(condition, names):
    """Whether SymPy's condition holds at numbers by name."""
    known = {symbol: names[symbol.name] for symbol in getattr(condition, "free_symbols", ())}
    return bool(sympy.S(condition).subs(known))


TORCH = {
    "softmax": lambda x: torch.softmax(x, dim=-1),
    "log_softmax": lambda x: torch.log_softmax(x, dim=-1),
    "logsumexp": lambda x: torch.logsumexp(x, dim=0),
    "norm": torch.linalg.norm,
    "inv": torch.linalg.inv,
    "solve": torch.linalg.solve,
    "det": torch.linalg.det,
    "logdet": torch.logdet,
    "max": torch.max,
    "prod": torch.prod,
    "cumsum": lambda x: torch.cumsum(x, dim=-1),
    "tril": torch.tril,
    "cholesky": torch.linalg.cholesky,
    "kron": torch.kron,
    "flip": lambda x: torch.flip(x, dims=[-1]),
}


@pytest.mark.parametrize("name", TORCH)
def test_a_printed_pullback_is_torchs(name):
    """Read back from the text of the terminal, by the parser of the language."""
    (sample,) = [s for s in SAMPLES if s.entry.name == name]
    lines = dict(re.findall(r"^  pullback +(\w+) = (.*)$", rules_text(name, "text", "en"), re.M))
    shown = [*sample.slopes, *(e for _, e in sample.shared)]
    seed = next(e for s in shown for e in leaves_of(s) if e.name == f"{sample.value.name}_bar")
    known = {e.name: e for e in (*sample.operands, sample.value, seed, *(e for e, _ in sample.shared))}
    known |= {"n": sg.dims("n"), "d": sg.dims("d")}
    sizes = {"n": 4, "d": 3}
    random = np.random.default_rng(0)
    arrays = {e: random.normal(size=[s.at(sizes) for s in e.shape]) for e in sample.operands}
    arrays = {e: a @ a.T + np.eye(4) + 0.3 * a if a.shape == (4, 4) else a for e, a in arrays.items()}
    tensors = [torch.tensor(a, requires_grad=True) for a in arrays.values()]
    value = TORCH[name](*tensors)
    ybar = np.asarray(random.normal(size=value.shape))
    theirs = torch.autograd.grad(value, tensors, torch.tensor(ybar))
    values = {**arrays, sample.value: value.detach().numpy(), seed: ybar}
    for e, _ in sample.shared:
        values[e] = run_in_numpy(sg.parse(lines[e.name], known), values, sizes)
    for x, expected in zip(sample.operands, theirs, strict=True):
        ours = run_in_numpy(sg.parse(lines[f"{x.name}_bar"], known), values, sizes)
        if name == "cholesky":
            # Ours reads the lower triangle only, where each entry stands for both; PyTorch's spreads it over both.
            ours = (ours + ours.T) / 2
        np.testing.assert_allclose(ours, expected, rtol=1e-8, atol=1e-10)


def leaves_of(e):
    from symgrad.graph.walk import postorder

    return [] if e is None else [x for x in postorder([e]) if x.kind == "leaf"]


def test_the_laws_are_proved():
    found = laws()
    assert [law.name for law in found] == ["linearity", "contraction", "elementwise"]
    for number, law in enumerate(found, 1):
        assert law.derivation.forward[0].label == number
        assert all(eq.proof.verdict is Verdict.PROVED for eq in law.derivation.backward)
        (step,) = [eq for eq in law.derivation.backward if eq.name == "X"]
        assert {rule for c in step.contributions for rule, _ in c.ways} == {law.name}


# ---- the command


def test_the_list_is_for_a_terminal():
    result = run()
    assert result.exit_code == 0
    assert result.stdout == rules_text("", "text", "en") + "\n"
    assert "$" not in result.stdout.replace("$`", "")


def test_one_entry():
    text = run("softmax").stdout
    assert text.startswith("softmax(X, axis=-1): softmax\n")
    assert "X_bar = Y * (Y_bar - sum(Y_bar * Y, axis=1)[:, None])" in text
    assert "def softmax(z, axis):" in text
    assert "Bishop 2006, eq. 4.106" in text
    assert "dy/dx = 1 - tanh(x)**2" in run("tanh").stdout
    assert "独热" in run("one_hot", "--lang", "zh").stdout
    assert run("mean").stdout.startswith("mean(a, axis=None, keepdims=False): ")
    assert "Z = X @ W" in run("contraction").stdout
    assert "Jacobi" in run("det", "-f", "md").stdout
    # By the word of the language, and by the name in the table.
    assert run("abs").stdout == run("absolute").stdout


def test_what_there_is_not():
    assert complaint("softmx") == "no rule is called softmx; did you mean softmax? `symgrad rules` lists all"
    assert complaint("qqqqq", "-f", "md") == "no rule is called qqqqq; `symgrad rules` lists all"
    assert run("mean", "-f", "latex").exit_code == 0
    assert ".docx cannot be written" in complaint("-o", "rules.docx")


def test_a_page_is_written_by_its_suffix(tmp_path):
    path = tmp_path / "rules.md"
    assert run("-o", path, "--lang", "zh").exit_code == 0
    assert path.read_text(encoding="utf-8") == PAGES["zh"].read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_compiles(language, tmp_path):
    assert flaws(compiled_log(rules_text("", "latex", language), tmp_path)) == []


def test_every_sentence_has_both_languages_and_the_same_placeholders():
    for name, text in vars(catalogue_sentences).items():
        if isinstance(text, Text):
            assert set(re.findall(r"\{(\w+)\}", text.en)) == set(re.findall(r"\{(\w+)\}", text.zh)), name
