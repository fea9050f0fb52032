"""Document → Jupyter notebook: a Markdown cell for each section and step, and behind them cells that run."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from importlib import import_module
from typing import Any

from symgrad.errors import MissingTool
from symgrad.explain.document import Document, Figure
from symgrad.formats.svg import svg
from symgrad.formats.template import CELL_END, NOTEBOOK, Write, in_words, render_as
from symgrad.prose import Language
from symgrad.records import dataclass

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: Markdown that is written already, or a program."""

    text: str
    is_code: bool = False


def notebook(document: Document, behind: Sequence[Cell] = ()) -> str:
    """The document as a notebook, byte by byte the same each time: cells are numbered, none has been run."""
    form: Any = _nbformat()
    style = replace(NOTEBOOK, figure=lambda figure, inline, plain: _picture(figure, inline, document.language))
    parts = [part.strip() for part in render_as(document, style).split(CELL_END)]
    cells = [*(Cell(part) for part in parts if part), *behind]
    made = []
    for number, cell in enumerate(cells, start=1):
        new = form.v4.new_code_cell if cell.is_code else form.v4.new_markdown_cell
        made.append(new(cell.text, id=f"cell-{number}"))
    held = form.v4.new_notebook(cells=made, metadata=METADATA)
    return str(form.writes(held)).rstrip("\n") + "\n"


def _picture(figure: Figure, inline: Write, language: Language) -> str:
    """The drawing inside its cell, dark on light in every theme, and its caption.

    As a Mermaid chart most viewers show its source (VS Code, Colab, GitHub, JupyterLab before 4.1, all without a network);
    JupyterLab draws no SVG that is an attachment, and nbconvert takes an SVG for a picture only in an element <img>.
    """
    drawn = svg(figure, language).replace("<svg ", '<svg style="background:#fff;color:#000" ', 1)
    words = escape(" ".join(in_words(figure, language)))
    picture = f'<img alt="{words}" src="data:image/svg+xml;base64,{b64encode(drawn.encode()).decode()}">'
    return f"{picture}\n\n{inline(figure.caption)}"


def _nbformat() -> object:
    try:
        return import_module("nbformat")
    except ImportError:
        raise MissingTool("a notebook needs nbformat; pip install 'symgrad[notebook]'") from None
