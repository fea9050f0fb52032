"""`symgrad rules`: what the language has, as a list, a page, or one entry of it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from symgrad.derive.catalogue import laws, samples
from symgrad.errors import InputError
from symgrad.explain.catalogue import Catalogue, Definition, entry_blocks, law_blocks, rules_page
from symgrad.explain.catalogue_text import definition_text, entry_text, fact_text, law_text, list_text
from symgrad.explain.document import Document, Plain
from symgrad.explain.formats import render
from symgrad.primitives import language as vocabulary
from symgrad.primitives.entry import Function, Primitive
from symgrad.primitives.facts import FACTS
from symgrad.prose import Language

TEXT = "text"


def rules_text(name: str, form: str, language: Language) -> str:
    """The catalogue, or the entry of this name, in a format."""
    catalogue = read_catalogue()
    if not name:
        return list_text(catalogue, language) if form == TEXT else render(rules_page(catalogue, language), form)
    for sample in catalogue.samples:
        if name in (sample.entry.name, catalogue.words.get(sample.entry.name)):
            if form == TEXT:
                return entry_text(catalogue, sample, language)
            blocks = tuple(entry_blocks(catalogue, sample, language))
            return render(Document(Plain(name), blocks, language), form)
    for law in catalogue.laws:
        if name == law.name:
            blocks = tuple(law_blocks(law, language))
            return law_text(law, language) if form == TEXT else render(Document(Plain(name), blocks, language), form)
    if form != TEXT:
        _known(catalogue, name)
        raise InputError(f"{name} has no page of its own; leave out -f and -o, or write the whole catalogue")
    if name in FACTS:
        return fact_text(FACTS[name], language)
    found = [d for d in catalogue.definitions if d.name == name]
    return definition_text(found) if found else _known(catalogue, name)


def _known(catalogue: Catalogue, name: str) -> str:
    """Refuse a name that the catalogue does not have."""
    names = [*catalogue.words.values(), *(s.entry.name for s in catalogue.samples), *FACTS]
    names += [*(d.name for d in catalogue.definitions), *(law.name for law in catalogue.laws)]
    if name in names:
        return ""
    near = get_close_matches(name, names, 1)
    meant = f"did you mean {near[0]}? " if near else ""
    raise InputError(f"no rule is called {name}; {meant}`symgrad rules` lists all")


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
