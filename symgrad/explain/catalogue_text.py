"""The tables for a terminal: a line for each entry, or all that is known of one; formulas as a model file writes them."""

from __future__ import annotations

from collections.abc import Iterator

from symgrad.derive.catalogue import Law, Sample
from symgrad.explain import catalogue_sentences as say
from symgrad.explain import sentences
from symgrad.explain.catalogue import Catalogue, Definition
from symgrad.primitives.entry import Function, Primitive
from symgrad.primitives.facts import Fact
from symgrad.prose import Language, Text

# The signatures stand in a column of this width; a longer one has its line for itself.
COLUMN = 34


def list_text(catalogue: Catalogue, language: Language) -> str:
    """Every entry on a line or two."""

    def title(text: Text) -> str:
        return f"\n{text.to(language)}\n"

    lines = [title(say.LAWS).lstrip()]
    for law in catalogue.laws:
        lines.append(law_text(law, language))
    for text, kind in ((say.FUNCTIONS, Function), (say.PRIMITIVES, Primitive)):
        lines.append(title(text))
        for sample in catalogue.samples:
            if isinstance(sample.entry, kind):
                lines.append(_row(catalogue.signature(sample), sample.entry.about.to(language)))
                lines += [_row("", line) for line in derivatives(sample)]
    lines.append(title(say.FACTS))
    lines += [_row(fact.name, fact.sentence.to(language)) for fact in catalogue.facts]
    lines.append(title(say.DEFINITIONS))
    lines += [_row(d.signature, d.about) for d in catalogue.definitions]
    return "\n".join([*lines, "", say.MORE.to(language)])


def law_text(law: Law, language: Language) -> str:
    """A value that is made by the law alone, and its derivative."""
    forward, backward = law.derivation.forward[0], law.derivation.backward[-1].lines[0]
    made = _row(sentences.LAWS[law.name].to(language), f"{forward.name} = {forward.expression}")
    return f"{made}\n{_row('', f'X_bar = {backward.expression}')}"


def _row(left: str, right: str) -> str:
    if len(left) > COLUMN:
        return f"  {left}\n  {'':{COLUMN}}  {right}"
    return f"  {left:{COLUMN}}  {right}".rstrip()


def derivatives(sample: Sample) -> Iterator[str]:
    """dy/dx = … of a function, x_bar = … of a primitive; what is 0 everywhere is left out of a
    function's. What a long formula holds more than once comes first.
    """
    y = sample.value.name
    yield from (f"{name.name} = {e}" for name, e in sample.shared)
    for x, slope in zip(sample.operands, sample.slopes, strict=True):
        if isinstance(sample.entry, Primitive):
            yield f"{x.name}_bar = {0 if slope is None else slope}"
        elif slope is not None:
            yield f"d{y}/d{x.name} = {slope}"


def entry_text(catalogue: Catalogue, sample: Sample, language: Language) -> str:
    """All that an entry says."""
    entry, fields = sample.entry, list[tuple[Text, str]]()
    is_primitive = isinstance(entry, Primitive)
    if sample.definition is not None:
        fields.append((say.DEFINITION, f"{sample.value.name} = {sample.definition}"))
    fields += [(say.PULLBACK if is_primitive else say.DERIVATIVE, line) for line in derivatives(sample)]
    if not is_primitive and all(slope is None for slope in sample.slopes):
        fields.append((say.DERIVATIVE, say.NOTHING.to(language)))
    if isinstance(entry, Primitive):
        x, y = sample.operands[0].name, sample.value.name
        names = {"x": x, "y": y, "y_t": f"{y}ᵀ", "b": "".join(e.name for e in sample.operands[1:2])}
        names |= {f"d{key}": f"d{name}" for key, name in names.items()}
        reason = entry.reason.to(language).replace("$", "").replace(r"\,", " ")
        fields.append((say.WHY, reason.format(**names)))
    fields += [(say.DOMAIN, entry.domain.to(language))] if entry.domain is not None else []
    fields += [(say.KINK, entry.kink.to(language))] if entry.kink is not None else []
    fields += [(Text(en="NumPy", zh="NumPy"), sample.numpy)] if sample.numpy else []
    fields += [(say.CITED, entry.citation)] if isinstance(entry, Primitive) and entry.citation else []
    lines = [f"{catalogue.signature(sample)}: {entry.about.to(language)}", ""]
    lines += [f"  {name.to(language):12}{value}" for name, value in fields]
    if entry.kernel.strip():
        lines += ["", f"  {say.HELPER.to(language)}", *(f"    {line}" for line in entry.kernel.strip().splitlines())]
    return "\n".join(lines)


def fact_text(fact: Fact, language: Language) -> str:
    """A fact, and how data are checked for it."""
    return f"{fact.name}: {fact.sentence.to(language)}\n\n  {say.CHECK.to(language)} {fact.check.format('X')}"


def definition_text(definition: Definition) -> str:
    """A definition's own words."""
    return f"{definition.signature}: {definition.about}"
