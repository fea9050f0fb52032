"""Derivation → JSON: every equation with its formula, its lines, their reasons and their proofs, for other programs.

docs/json.md says what each key means, docs/derivation.schema.json what a reader may rely on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from symgrad.derive.derivation import Derivation, Equation, Line, Proof
from symgrad.derive.fold import unfolded
from symgrad.explain.checks import how
from symgrad.explain.document import Inline
from symgrad.explain.steps import because
from symgrad.explain.template import PLAIN, written
from symgrad.explain.why import line_reason
from symgrad.explain.writing import Writing, writing_of
from symgrad.graph.expression import Expr, Leaf, Role, Shape
from symgrad.prose import Language, Text

NAME = "symgrad.derivation"
# The first number changes when a reader would have to; a new key alone changes nothing.
VERSION = 1

Object = dict[str, Any]


def as_json(derivation: Derivation, title: Text, text: Text, language: Language) -> str:
    """The derivation as JSON text, keys in a fixed order."""
    return json.dumps(machine_readable(derivation, title, text, language), ensure_ascii=False, indent=2) + "\n"


def machine_readable(derivation: Derivation, title: Text, text: Text, language: Language) -> Object:
    """The derivation as dicts, lists, strings and numbers."""
    writing = writing_of(unfolded(derivation), language)
    model = derivation.model
    return {
        "format": NAME,
        "version": VERSION,
        "language": language,
        "title": title.to(language),
        "text": text.to(language),
        "loss": derivation.loss.name,
        "parameters": [p.name for p in derivation.parameters],
        "leaves": [_leaf(writing, e) for e in derivation.leaves],
        "forward": [_forward(writing, eq) for eq in derivation.forward],
        "model": None if model is None else _formula(writing, model),
        "backward": [_backward(writing, eq) for eq in derivation.backward],
        "results": [_result(writing, eq) for eq in derivation.backward if eq.variable in set(derivation.parameters)],
        "check": _check(derivation),
    }


def _shape(shape: Shape) -> list[str]:
    return [str(size) for size in shape]


def _formula(writing: Writing, e: Expr) -> Object:
    return {"expression": str(e), "latex": writing.tex(e)}


def _leaf(writing: Writing, e: Leaf) -> Object:
    found: Object = {
        "name": e.name,
        "role": e.role.value,
        "shape": _shape(e.shape),
        "facts": sorted(e.facts),
        "about": e.about.to(writing.language),
        "latex": writing.name(e),
    }
    if isinstance(e.value, Fraction):
        found["default"] = str(e.value)
    if e.role is Role.LABELS:
        found["classes"] = str(e.value)
    return found


def _forward(writing: Writing, eq: Equation) -> Object:
    return {"label": eq.label, "name": eq.name, "shape": _shape(eq.shape), **_formula(writing, eq.expression)}


def _backward(writing: Writing, eq: Equation) -> Object:
    assert eq.variable is not None
    return {
        "label": eq.label,
        "variable": eq.variable.name,
        "name": str(eq.target),
        "shape": _shape(eq.shape),
        "derivative": writing.derivative(eq.variable),
        **_formula(writing, eq.expression),
        "contributions": [
            {"equation": c.label, "rules": [rule for rule, _ in c.ways], **_formula(writing, c.expression)}
            for c in eq.contributions
        ],
        "because": [_said(writing, sentence) for sentence in because(writing, eq)],
        "steps": [_step(writing, line) for line in eq.lines],
        "proof": _proof(writing, eq.proof, [eq]),
    }


def _step(writing: Writing, line: Line) -> Object:
    sentence = line_reason(writing, line.reason)
    return {
        **_formula(writing, line.expression),
        "reason": {
            "kind": line.reason.kind.value,
            "text": None if sentence is None else _said(writing, sentence),
            "put_in": [str(e) for e in line.reason.put_in],
            "facts": [{"fact": fact, "of": str(e)} for fact, e in line.reason.facts],
        },
        "proof": _proof(writing, line.proof, [line]),
    }


def _proof(writing: Writing, proof: Proof, members: Sequence[Equation | Line]) -> Object:
    return {
        "verdict": proof.verdict.value,
        "how": _said(writing, how(proof, members)),
        "sizes": [_sizes(sizes) for sizes in proof.sizes],
    }


def _sizes(sizes: Mapping[str, int]) -> Object:
    return {str(name): int(value) for name, value in sizes.items()}


def _result(writing: Writing, eq: Equation) -> Object:
    return {"parameter": eq.name, "equation": eq.label, "shape": _shape(eq.shape), **_formula(writing, eq.expression)}


def _check(derivation: Derivation) -> Object | None:
    """The whole gradient against differences."""
    found = derivation.end_to_end
    if found is None:
        return None
    return {"points": found.points, "largest_error": float(f"{float(found.largest_error):.3g}")}


def _said(writing: Writing, sentence: Inline) -> str:
    return written(sentence, PLAIN, writing.language)
