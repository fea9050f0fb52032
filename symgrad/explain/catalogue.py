"""The tables as a page: laws with their proof by entries, functions, primitives, facts, definitions, literature."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sympy

from symgrad.derive.catalogue import Law, Sample
from symgrad.derive.derivation import Derivation
from symgrad.derive.entries import spelled
from symgrad.derive.fold import unfolded
from symgrad.explain import catalogue_sentences as say
from symgrad.explain import sentences
from symgrad.explain.document import (
    Block,
    Code,
    CodeSpan,
    Display,
    Document,
    Heading,
    Inline,
    Listing,
    Math,
    Paragraph,
    Plain,
    Row,
    Sentence,
    Table,
)
from symgrad.explain.indexproof import index_proof
from symgrad.explain.notes import SIGNS, note, operand_and_result, told
from symgrad.explain.sources import SOURCES, keys_in
from symgrad.explain.writing import Writing, equation_rows, writing_of
from symgrad.graph.expression import Expr
from symgrad.notation.latex import latex, symbols_used
from symgrad.notation.names import typeset
from symgrad.primitives.entry import Function, Primitive
from symgrad.primitives.facts import Fact
from symgrad.prose import Language, Text
from symgrad.records import dataclass

COMMAND = CodeSpan("symgrad rules")


@dataclass(frozen=True, slots=True)
class Definition:
    """A name of the language that is no entry of a table: how it is called, the first line of what it says, where from."""

    name: str
    signature: str
    about: str
    place: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that the page lists; `words` are the public names of the tables' entries."""

    laws: Sequence[Law]
    samples: Sequence[Sample]
    facts: Sequence[Fact]
    definitions: Sequence[Definition]
    words: Mapping[str, str]

    def signature(self, sample: Sample) -> str:
        """How a model file writes it, its options with their defaults."""
        entry = sample.entry
        word = self.words.get(entry.name)
        if word is None:
            return str(sample.node)
        options = entry.options if isinstance(entry, Primitive) else {}
        arguments = [e.name for e in sample.operands] + [f"{key}={value}" for key, value in options.items()]
        return f"{word}({', '.join(arguments)})"


def rules_page(catalogue: Catalogue, language: Language) -> Document:
    """The whole catalogue."""
    blocks: list[Block] = [Paragraph((Sentence(say.OPENING, {"command": COMMAND}),))]
    signs = _notation(catalogue.samples, language)
    blocks += [Paragraph((signs,))] if signs is not None else []
    blocks += [Heading(1, Sentence(say.LAWS)), Paragraph((Sentence(say.LAWS_TEXT),))]
    for law in catalogue.laws:
        blocks += law_blocks(law, language)
    y, big = Math("y"), Math("Y")
    for title, text, kind in (
        (say.FUNCTIONS, Sentence(say.FUNCTIONS_TEXT, {"y": y}), Function),
        (say.PRIMITIVES, Sentence(say.PRIMITIVES_TEXT, {"y": y, "Y": big}), Primitive),
    ):
        blocks += [Heading(1, Sentence(title)), Paragraph((text,))]
        for sample in catalogue.samples:
            if isinstance(sample.entry, kind):
                blocks += entry_blocks(catalogue, sample, language)
    blocks += [Heading(1, Sentence(say.FACTS)), Paragraph((Sentence(say.FACTS_TEXT),))]
    for fact in catalogue.facts:
        blocks += fact_blocks(fact)
    blocks += [Heading(1, Sentence(say.DEFINITIONS)), Paragraph((Sentence(say.DEFINITIONS_TEXT),))]
    blocks += _definitions(catalogue.definitions)
    blocks += _literature(catalogue)
    return Document(Sentence(say.TITLE), tuple(blocks), language)


# ---- laws


def law_blocks(law: Law, language: Language) -> Iterator[Block]:
    """The law's proof entry by entry, and what it says in matrices."""
    writing = writing_of(unfolded(law.derivation), language)
    eq = next(eq for eq in law.derivation.backward if eq.name == "X")
    yield Heading(2, Sentence(say.LAW, {"law": Sentence(say.NAMES[law.name])}))
    made = law.derivation.forward[0]
    (row,) = equation_rows(writing, made.target, [made.expression])
    yield Display((replace(row, label=made.label),))
    own = replace(eq, lines=eq.lines[:1])
    yield from index_proof(writing, own)
    yield Paragraph((Sentence(sentences.IN_MATRICES),))
    yield Display(tuple(equation_rows(writing, eq.target, [eq.lines[0].expression])))


# ---- entries


def entry_blocks(catalogue: Catalogue, sample: Sample, language: Language) -> Iterator[Block]:
    """An entry: how it is called, what it is, its derivative, and what has to be known of it."""
    entry = sample.entry
    signature = CodeSpan(catalogue.signature(sample))
    yield Heading(2, Sentence(say.ENTRY, {"signature": signature, "about": Sentence(entry.about)}))
    remarks = list(_remarks(sample))
    if remarks:
        yield Paragraph(tuple(remarks))
    write = _function_rows if isinstance(entry, Function) else _primitive_rows
    yield Display(tuple(write(sample, language)))
    code = sample.numpy
    last: list[Inline] = [Sentence(say.NUMPY, {"code": CodeSpan(code)})] if code else []
    if isinstance(entry, Primitive) and entry.citation:
        last.append(Sentence(say.SOURCE, {"citation": Plain(entry.citation)}))
    if last:
        yield Paragraph(tuple(last))


def _remarks(sample: Sample) -> Iterator[Inline]:
    entry = sample.entry
    if isinstance(entry, Primitive):
        x, *others = (typeset(e.name) for e in sample.operands)
        values = operand_and_result(x, typeset(sample.value.name), *others[:1])
        yield told(entry.reason, values)
    if entry.domain is not None:
        yield Sentence(entry.domain)
    if entry.kink is not None:
        yield Sentence(entry.kink)
    if all(slope is None for slope in sample.slopes) and isinstance(entry, Function):
        yield Sentence(say.NOTHING)
    if entry.sign is not None:
        yield Sentence(sentences.NOTATION, {"items": note(*entry.sign)})


def _function_rows(sample: Sample, language: Language) -> Iterator[Row]:
    y, text = typeset(sample.value.name), _tex(sample.node, language)
    yield Row(y, text)
    body = _cases(sample, language)
    if _letters(body) not in ("", _letters(text)):
        yield Row("", body)
    for x, slope in zip(sample.operands, sample.slopes, strict=True):
        sign = r"\partial" if len(sample.operands) > 1 else r"\mathrm{d}"
        if slope is not None:
            yield Row(rf"\frac{{{sign} {y}}}{{{sign} {typeset(x.name)}}}", _tex(slope, language))


def _letters(text: str) -> str:
    """A formula without its parentheses and spaces: log x and log(x) are the same."""
    return re.sub(r"\\left|\\right|[() ]", "", text)


def _cases(sample: Sample, language: Language) -> str:
    """The body, with a line for each case where there are several."""
    if len(sample.cases) == 1:
        return _tex(sample.cases[0][0], language)
    names = {symbol: typeset(symbol.name) for _, c in sample.cases for symbol in getattr(c, "free_symbols", ())}
    lines = [rf"{_tex(e, language)} & {_condition(c, names, language)}" for e, c in sample.cases]
    body = r" \\ ".join(lines)
    return rf"\begin{{cases}} {body} \end{{cases}}" if lines else ""


def _condition(condition: Any, names: Mapping[Any, str], language: Language) -> str:
    if condition == True:  # noqa: E712  # SymPy's true is no bool
        return rf"\text{{{say.OTHERWISE.to(language)}}}"
    return str(sympy.latex(condition, symbol_names=names))


def _primitive_rows(sample: Sample, language: Language) -> Iterator[Row]:
    value = sample.value
    yield Row(typeset(value.name), _tex(sample.node, language))
    if sample.definition is not None:
        writing = _writing(sample, language)
        own = writing.indices(value.shape)
        yield writing.entry_row(writing.entry(value, own) if own else "", spelled(sample.definition), own)
    for name, e in sample.shared:
        yield Row(typeset(name.name), _tex(e, language))
    for x, slope in zip(sample.operands, sample.slopes, strict=True):
        yield Row(typeset(f"{x.name}_bar"), "0" if slope is None else _tex(slope, language))


def _writing(sample: Sample, language: Language) -> Writing:
    """Index letters for the arrays of an entry."""
    shown = Derivation(sample.value, (), (), (), sample.operands)
    writing = writing_of(unfolded(shown), language)
    sizes = [s for e in (*sample.operands, sample.value) for s in e.shape]
    return replace(
        writing, letters=replace(writing.letters, by_size=dict(zip(dict.fromkeys(sizes), "ijpq", strict=False)))
    )


def _tex(e: Expr, language: Language) -> str:
    return latex(e, otherwise=say.OTHERWISE.to(language))


def _shown(sample: Sample) -> list[Expr]:
    return [sample.node, *(e for _, e in sample.shared), *(slope for slope in sample.slopes if slope is not None)]


def _notation(samples: Sequence[Sample], language: Language) -> Inline | None:
    used = frozenset[str]().union(*(symbols_used(e) for s in samples for e in _shown(s)))
    items = [note(sign, text) for key, (sign, text) in SIGNS.items() if key in used]
    return Sentence(sentences.NOTATION, {"items": Listing(tuple(items), "semicolon")}) if items else None


# ---- facts, definitions, literature


def fact_blocks(fact: Fact) -> Iterator[Block]:
    """A fact, with the condition that data are checked by."""
    yield Heading(2, Sentence(say.FACT, {"name": CodeSpan(fact.name)}))
    yield Paragraph((Sentence(say.STATED, {"sentence": Sentence(fact.sentence)}), Sentence(say.CHECK)))
    yield Code("python", fact.check.format("X"))


def _definitions(definitions: Sequence[Definition]) -> Iterator[Block]:
    """A table for each module, under what the module says of itself."""
    places = dict.fromkeys(d.place for d in definitions)
    for place in places:
        yield Heading(2, Plain(place))
        for d in definitions:
            if d.place == place:
                yield from definition_blocks(d)


def definition_blocks(definition: Definition) -> Iterator[Block]:
    """How it is called, and what it says of itself."""
    values = {"name": CodeSpan(definition.signature), "about": _quoted(definition.about)}
    yield Paragraph((Sentence(say.DEFINED, values),))


def _quoted(about: str) -> Inline:
    """A docstring's line, with what stands between backquotes as code."""
    pieces = about.split("`")
    names = {f"part{k}": CodeSpan(piece) if k % 2 else Plain(piece) for k, piece in enumerate(pieces)}
    text = "".join(f"{{{name}}}" for name in names)
    return Sentence(Text(en=text, zh=text), names)


def _literature(catalogue: Catalogue) -> Iterator[Block]:
    texts = [s.entry.citation for s in catalogue.samples if isinstance(s.entry, Primitive)]
    texts += [d.about for d in catalogue.definitions]
    keys = sorted({key for text in texts for key in keys_in(text)})
    if keys:
        yield Heading(1, Sentence(say.SOURCES))
        rows = tuple((CodeSpan(key), Plain(SOURCES[key])) for key in keys)
        yield Table((Sentence(say.KEY), Sentence(say.REFERENCE)), rows, wide=1)
