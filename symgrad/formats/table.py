"""The formats of a page: one table. Each writes a whole document; none knows another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from symgrad.errors import InputError
from symgrad.explain.document import Document
from symgrad.formats.html import html_page
from symgrad.formats.ipynb import notebook
from symgrad.formats.latexmk import latex_pdf
from symgrad.formats.pdf import pdf
from symgrad.formats.template import COMMON, GITHUB, LATEX, render_as
from symgrad.formats.terminal import terminal_page, text_page
from symgrad.records import dataclass

# What a page is written as: text, or the bytes of a file.
Page = str | bytes


@dataclass(frozen=True, slots=True)
class Format:
    """A format: what `format=` and `-f` call it, and how it writes a document, in so many columns where it has them."""

    name: str
    write: Callable[[Document], Page]
    aliases: tuple[str, ...] = ()
    write_in: Callable[[Document, int], Page] | None = None


def _gradients_only(document: Document) -> Page:
    raise InputError(
        "only a derivation of gradients is written as JSON; write this page as Markdown or in another format"
    )


TABLE = (
    Format("github", partial(render_as, style=GITHUB), aliases=("markdown", "md")),
    Format("common", partial(render_as, style=COMMON)),
    Format("latex", partial(render_as, style=LATEX), aliases=("tex",)),
    Format("html", html_page),
    Format("pdf", pdf),
    Format("pdf-latex", latex_pdf),
    Format("text", text_page, aliases=("txt",), write_in=text_page),
    Format("terminal", terminal_page, write_in=terminal_page),
    Format("ipynb", notebook, aliases=("notebook",)),
    Format("json", _gradients_only),  # of the derivation itself: Problem.explain writes it
)
# What a notebook is called: Problem.explain adds cells that run.
NOTEBOOKS = ("ipynb", "notebook")
FORMATS: Mapping[str, Format] = {name: own for own in TABLE for name in (own.name, *own.aliases)}


def render(document: Document, format_name: str) -> Page:
    """The document in a format; "text:100" is text in 100 columns."""
    format_name, _, width = format_name.partition(":")
    if width.isdecimal() and format_name in FORMATS:
        write_in = FORMATS[format_name].write_in
        if write_in is not None:
            return write_in(document, int(width))
    if format_name not in FORMATS or width:
        names = [own.name for own in TABLE]
        raise InputError(f"no format is called {format_name}; write {', '.join(names[:-1])} or {names[-1]}")
    return FORMATS[format_name].write(document)
