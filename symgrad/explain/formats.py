"""The formats of a page: one table. Each writes a whole document; none knows another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from symgrad.errors import InputError
from symgrad.explain.document import Document
from symgrad.explain.ipynb import notebook
from symgrad.explain.template import LATEX, MARKDOWN, render_as

# What a page is written as: text, or the bytes of a file.
Page = str | bytes


@dataclass(frozen=True, slots=True)
class Format:
    """A format: what `format=` and `-f` call it, and how it writes a document."""

    name: str
    write: Callable[[Document], Page]
    aliases: tuple[str, ...] = ()


def _gradients_only(document: Document) -> Page:
    raise InputError(
        "only a derivation of gradients is written as JSON; write this page as Markdown or in another format"
    )


TABLE = (
    Format("markdown", partial(render_as, style=MARKDOWN), aliases=("md",)),
    Format("latex", partial(render_as, style=LATEX), aliases=("tex",)),
    Format("ipynb", notebook, aliases=("notebook",)),
    Format("json", _gradients_only),  # of the derivation itself: Problem.explain writes it
)
# What a notebook is called: Problem.explain adds cells that run.
NOTEBOOKS = ("ipynb", "notebook")
FORMATS: Mapping[str, Format] = {name: own for own in TABLE for name in (own.name, *own.aliases)}


def render(document: Document, format_name: str) -> Page:
    """The document in a format."""
    if format_name not in FORMATS:
        names = [own.name for own in TABLE]
        raise InputError(f"no format is called {format_name}; write {', '.join(names[:-1])} or {names[-1]}")
    return FORMATS[format_name].write(document)
