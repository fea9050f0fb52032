"""`symgrad rules`: what the language has, as a list, a page, or one entry of it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from symgrad.derive.catalogue import Sample, laws, samples
from symgrad.errors import InputError
from symgrad.explain.catalogue import (
    Catalogue,
    Definition,
    definition_blocks,
    entry_blocks,
    fact_blocks,
    law_blocks,
    rules_page,
)
from symgrad.explain.catalogue_text import definition_text, entry_text, fact_text, law_text, list_text
from symgrad.explain.document import Block, Document, Plain
from symgrad.explain.formats import Page, render
from symgrad.primitives import language as vocabulary
from symgrad.primitives.entry import Function, Primitive
from symgrad.primitives.facts import FACTS
from symgrad.prose import Language

TEXT = "text"


def rules_text(name: str, form: str, language: Language) -> Page:
    """The catalogue, or the entry of this name, in a format."""
    catalogue = read_catalogue()
    if not name:
        return list_text(catalogue, language) if form == TEXT else render(rules_page(catalogue, language), form)
    # A name may be a primitive's and a fact's.
    shown = list(_texts(catalogue, name, language) if form == TEXT else _blocks(catalogue, name, language))
    if not shown:
        raise _unknown(catalogue, name)
    if form == TEXT:
        return "\n\n".join(map(str, shown))
    blocks = tuple(block for block in shown if not isinstance(block, str))
    return render(Document(Plain(name), blocks, language), form)


def _texts(catalogue: Catalogue, name: str, language: Language) -> Iterator[str]:
    yield from (entry_text(catalogue, s, language) for s in catalogue.samples if name in _names(catalogue, s))
    yield from (law_text(law, language) for law in catalogue.laws if law.name == name)
    yield from (fact_text(fact, language) for fact in catalogue.facts if fact.name == name)
    yield from (definition_text(d) for d in catalogue.definitions if d.name == name)


def _blocks(catalogue: Catalogue, name: str, language: Language) -> Iterator[Block]:
    for sample in catalogue.samples:
        if name in _names(catalogue, sample):
            yield from entry_blocks(catalogue, sample, language)
    for law in catalogue.laws:
        if law.name == name:
            yield from law_blocks(law, language)
    for fact in catalogue.facts:
        if fact.name == name:
            yield from fact_blocks(fact)
    for definition in catalogue.definitions:
        if definition.name == name:
            yield from definition_blocks(definition)


def _names(catalogue: Catalogue, sample: Sample) -> tuple[str, str]:
    """The name in the table, and the word of the language."""
    return sample.entry.name, catalogue.words.get(sample.entry.name, "")


def _unknown(catalogue: Catalogue, name: str) -> InputError:
    """What is wrong with a name that the catalogue does not have."""
    names = [*catalogue.words.values(), *(s.entry.name for s in catalogue.samples), *FACTS]
    names += [*(d.name for d in catalogue.definitions), *(law.name for law in catalogue.laws)]
    near = get_close_matches(name, names, 1)
    meant = f"did you mean {near[0]}? " if near else ""
    return InputError(f"no rule is called {name}; {meant}`symgrad rules` lists all")


def read_catalogue() -> Catalogue:
    """The tables, and the vocabulary of model files."""
    public = {name: getattr(vocabulary, name) for name in vocabulary.__all__}
    words = {value.name: name for name, value in public.items() if isinstance(value, Function | Primitive)}
    definitions = tuple(sorted(_definitions(public), key=lambda d: (d.place, d.name)))
    return Catalogue(laws(), samples(), tuple(FACTS.values()), definitions, words)


def _definitions(public: dict[str, Any]) -> Iterator[Definition]:
    for name, value in public.items():
        place = getattr(value, "__module__", "")
        if not inspect.isfunction(value) or not place.startswith("symgrad.primitives."):
            continue
        about = (inspect.getdoc(value) or "").partition("\n")[0]
        module = (sys.modules[place].__doc__ or "").partition("\n")[0]
        yield Definition(name, f"{name}{_parameters(value)}", about, module)


def _parameters(function: Any) -> str:
    """(a, axis=None): without the types, which say nothing to a reader of formulas."""
    own = inspect.signature(function)
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in own.parameters.values()]
    return str(own.replace(parameters=bare, return_annotation=inspect.Signature.empty))
