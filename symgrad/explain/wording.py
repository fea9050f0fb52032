"""Words of the user's on a page: where they name an array or a size, its formula."""

from __future__ import annotations

import re
from collections.abc import Iterator

from symgrad.derive.derivation import Derivation
from symgrad.explain.document import Inline, Math, Plain, Sentence
from symgrad.notation.names import typeset
from symgrad.prose import Text

# A letter that stands alone, with its number; no part of a word, of a path, of X-ray, don't or f(x).
NAME = re.compile(r"(?<![A-Za-z0-9_.'’`\\/-])[A-Za-z][0-9]*(?![A-Za-z0-9_'’`(/-]|\.[A-Za-z0-9])")
# In English these are words.
WORDS = ("a", "A", "I")


def worded(text: str, derivation: Derivation) -> Inline:
    """The user's text, in which the letters of declared arrays and sizes are set as in formulas."""
    leaves = derivation.leaves
    names = {e.name for e in leaves} | {name for e in leaves for size in e.shape for name in size.names}
    parts = list(_parts(text, names - set(WORDS)))
    if len(parts) == 1:
        return parts[0]
    keys = [f"part{k}" for k in range(len(parts))]
    pattern = "".join(f"{{{key}}}" for key in keys)
    return Sentence(Text(en=pattern, zh=pattern), dict(zip(keys, parts, strict=True)))


def _parts(text: str, names: set[str]) -> Iterator[Inline]:
    at = 0
    for found in NAME.finditer(text):
        if found[0] in names:
            yield from [Plain(text[at : found.start()])] if found.start() > at else []
            yield Math(typeset(found[0]))
            at = found.end()
    if at < len(text) or not text:
        yield Plain(text[at:])
