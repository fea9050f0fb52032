"""Documents of all kinds of pages, and the formulas in them: shared by the tests of what prints pages and formulas.

The ordinary run takes a few models, and proves nothing: the formulas are those of the proved pages, and a page costs a
second. `SYMGRAD_WIDE=1` takes all models, with every kind of page, proved.
"""

from __future__ import annotations

import os
from dataclasses import fields, is_dataclass, replace
from functools import cache
from pathlib import Path

import symgrad as sg
from symgrad.cli.products import product
from symgrad.cli.rules import read_catalogue, rules_page
from symgrad.explain.document import Document, Math, Row
from symgrad.explain.formats import FORMATS, Format
from symgrad.explain.template import LATEX, Writer

ROOT = Path(__file__).resolve().parent.parent
IS_WIDE = bool(os.environ.get("SYMGRAD_WIDE"))
ALL = {p.stem: p for folder in (ROOT / "examples", ROOT / "tests" / "models") for p in sorted(folder.glob("*.py"))}
FEW = ("softmax_regression", "two_layer_net", "p38_attention", "n03_lstm_cell", "n04_cnn")
MODELS = tuple(ALL) if IS_WIDE else FEW
OUTPUTS = tuple(sorted((ROOT / "examples" / "outputs").glob("*.py")))

# What a page is asked for; the ordinary run of a test takes those that differ most.
PLAIN = ({"language": "en"}, {"language": "zh", "detail": "full"})
KINDS = (
    *PLAIN,
    {"language": "zh"},
    {"language": "en", "detail": "full", "fold": False},
    {"language": "zh", "detail": "full", "layout": "numerator"},
    {"language": "en", "detail": "full", "proof": "differential"},
    {"language": "zh", "numbers": True},
)


def document_of(explain, **how) -> Document:
    """The document that an `explain` would have rendered."""
    name = "document"
    FORMATS[name] = Format(name, lambda document: document)
    try:
        return explain(format=name, **how)
    finally:
        del FORMATS[name]


@cache
def problem(name):
    found = sg.load(str(ALL[name]))
    if not IS_WIDE:
        found.derive = lambda wrt=None, prove=False: sg.Problem.derive(found, wrt, prove=False)
    return found


@cache
def page(name, language="en", detail="normal") -> Document:
    """The page of a model."""
    return document_of(problem(name).explain, language=language, detail=detail)


def pages_of(name):
    """The pages of a model, of every kind that it has."""
    for how in KINDS if IS_WIDE else PLAIN:
        # Numerator layout is refused for three axes.
        try:
            yield document_of(problem(name).explain, **how)
        except sg.errors.InputError:
            assert "layout" in how


def other_pages():
    """Pages of other things than gradients."""
    yield document_of(problem("softmax_regression").explain, language="en", proof="differential", numbers=True)
    yield document_of(problem("logistic_regression").hessian("w").explain, language="zh")
    yield rules_page(read_catalogue(), "zh")
    if IS_WIDE:
        yield document_of(problem("logistic_regression").hvp("w").explain, language="en")
        yield document_of(problem("ridge_regression").extrema().explain, language="zh")
        for path in OUTPUTS:
            yield document_of(product(str(path), "", "", None, is_jacobian=True).explain, language="en")


def formulas_of(document):
    """Every formula of a document, as text: in sentences, on lines, beside them."""
    stack = [document.title, *document.blocks]
    while stack:
        part = stack.pop()
        if isinstance(part, Math):
            yield part.tex
        elif isinstance(part, Row):
            yield from (part.left, part.relation, part.right, part.shape, *part.terms)
            stack.append(part.reason)
        elif is_dataclass(part):
            stack += [getattr(part, f.name) for f in fields(part)]
        elif isinstance(part, tuple):
            stack += part
        elif hasattr(part, "items"):
            stack += list(part.values())
    writer = Writer(replace(LATEX, limit=40), document.language)
    for block in document.blocks:
        if block.kind in ("display", "box"):
            for line in writer.lines(block):
                yield from (line.left, line.right, line.aside, line.tag)
