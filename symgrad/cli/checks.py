"""What `symgrad check` prints: every step with its proof, and the end-to-end check."""

from __future__ import annotations

from collections.abc import Iterator

from symgrad.cli.tables import print_table
from symgrad.derive.derivation import Derivation, Line, Proof, Verdict
from symgrad.rewrite.display import Why

HEADER = ("step", "what", "rule", "verdict", "at the sizes")


def print_checks(derivation: Derivation) -> bool:
    """Print the table; whether everything was proved, or at least verified."""
    print_table(HEADER, list(rows(derivation)))
    end = derivation.end_to_end
    if end is not None:
        error = f"{float(end.largest_error):.1e}"
        print(f"end to end: at {end.points} points, 50-digit differences agree to a relative error of {error}")
    return end is not None and all(p.verdict is not Verdict.UNCHECKED for p in _proofs(derivation))


def rows(derivation: Derivation) -> Iterator[tuple[str, ...]]:
    """One row for each step, and one for each way in which it is rewritten."""
    for equation in derivation.backward:
        what = f"∂{derivation.loss.name}/∂{equation.name}"
        rules = ", ".join(dict.fromkeys(c.rule for c in equation.contributions)) or "the seed"
        first = equation.lines[0].proof if equation.lines else equation.proof
        yield (f"({equation.label})", what, rules, *_proof(first))
        for line in equation.lines[1:]:
            yield ("", "", f"= {_reason(line, derivation.loss.name)}", *_proof(line.proof))


def _proofs(derivation: Derivation) -> Iterator[Proof]:
    for equation in derivation.backward:
        yield from (line.proof for line in equation.lines)
        if equation.contributions:
            yield equation.proof


def _reason(line: Line, loss: str) -> str:
    reason = line.reason
    if reason.kind is Why.PUT_IN:
        return f"put in {', '.join(f'∂{loss}/∂{leaf.name}' for leaf in reason.put_in)}"
    if reason.kind is Why.FACT:
        return ", ".join(f"{e} is {fact}" for fact, e in reason.facts)
    if reason.by:
        return f"{reason.kind.value} {', '.join(leaf.name for leaf in reason.by)}"
    return str(reason.kind.value)


def _proof(proof: Proof) -> tuple[str, str]:
    sizes = [", ".join(f"{name}={value}" for name, value in choice.items()) for choice in proof.sizes]
    return proof.verdict.value, "; ".join(text for text in sizes if text)
