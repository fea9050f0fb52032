"""What `symgrad check` prints: every step with its proof, and the end-to-end check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import typer

from symgrad.cli import check_sentences as say
from symgrad.cli.tables import print_table
from symgrad.derive.claim import Answer, judge, read_claim
from symgrad.derive.derivation import Derivation, Line, Proof, Verdict
from symgrad.explain.sentences import BY_DEFINITION, INVERT_BY, LAWS, PUT_IN
from symgrad.explain.why import fact_text
from symgrad.prose import Language, Text
from symgrad.rewrite.display import Why


def print_checks(derivation: Derivation, language: Language) -> bool:
    """Print the table; whether everything was proved, or at least verified."""
    print_table(_in(language, say.HEADER), [_in(language, row) for row in rows(derivation)])
    end = derivation.end_to_end
    if end is not None:
        error = f"{float(end.largest_error):.1e}"
        typer.echo(say.END_TO_END.filled(points=end.points, error=error).to(language))
    return end is not None and all(p.verdict is not Verdict.UNCHECKED for p in _proofs(derivation))


def print_claims(derivation: Derivation, claims: Sequence[str], language: Language) -> bool:
    """Print one line for each claimed gradient; whether all are equal. All are read before the first is judged."""
    judgements = [judge(derivation, claim) for claim in [read_claim(derivation, text) for text in claims]]
    for judgement in judgements:
        typer.echo(judgement.to(language))
    return all(judgement.answer is Answer.EQUAL for judgement in judgements)


def rows(derivation: Derivation) -> Iterator[tuple[str | Text, ...]]:
    """One row for each step, and one for each way in which it is rewritten."""
    for equation in derivation.backward:
        what = f"∂{derivation.loss.name}/∂{equation.name}"
        ways = dict.fromkeys(rule for c in equation.contributions for rule, _ in c.ways)
        rules = [LAWS.get(rule, rule) for rule in ways]
        first = equation.lines[0].proof if equation.lines else equation.proof
        yield (f"({equation.label})", what, _listed(rules) if rules else say.SEED, *_proof(first))
        for line in equation.lines[1:]:
            reason = _reason(derivation, line)
            yield ("", "", say.SAME.filled(reason=reason), *_proof(line.proof))


def _in(language: Language, row: Sequence[str | Text]) -> list[str]:
    return [cell.to(language) if isinstance(cell, Text) else cell for cell in row]


def _proofs(derivation: Derivation) -> Iterator[Proof]:
    for equation in derivation.backward:
        yield from (line.proof for line in equation.lines)
        if equation.contributions:
            yield equation.proof


def _reason(derivation: Derivation, line: Line) -> Text:
    """What a page says beside the line, with names of the file where it has numbers of equations."""
    reason, loss = line.reason, derivation.loss.name
    if reason.kind is Why.PUT_IN:
        return PUT_IN.filled(equations=_listed([f"∂{loss}/∂{leaf.name}" for leaf in reason.put_in]))
    definition = say.DEFINITION.filled(names=_listed([leaf.name for leaf in reason.by]))
    if reason.kind is Why.FACT:
        defined = {eq.target for eq in derivation.forward}
        facts = [(fact_text(fact, e, is_computed=e in defined), e) for fact, e in reason.facts]
        return _listed([text.filled(array=e, equation=_definition(e), equations=definition) for text, e in facts])
    if reason.kind in (Why.UNFOLD, Why.REFOLD):
        return BY_DEFINITION.filled(equations=definition)
    if reason.kind is Why.INVERT and reason.by:
        return INVERT_BY.filled(equations=definition)
    return say.REASONS[reason.kind]


def _definition(e: object) -> Text:
    return say.DEFINITION.filled(names=e)


def _listed(parts: Sequence[str | Text], between: Text = say.COMMA) -> Text:
    en, zh = (between.to(language).join(_in(language, parts)) for language in ("en", "zh"))
    return Text(en=en, zh=zh)


def _proof(proof: Proof) -> tuple[Text, Text]:
    sizes = [", ".join(f"{name}={value}" for name, value in choice.items()) for choice in proof.sizes]
    return say.VERDICTS[proof.verdict], _listed([text for text in sizes if text], say.SEMICOLON)
