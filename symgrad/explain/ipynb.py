"""Document → Jupyter notebook: a Markdown cell for each section and step, and behind them cells that run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from symgrad.errors import MissingTool
from symgrad.explain.document import Document
from symgrad.explain.template import CELL_END, NOTEBOOK, render_as

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
    parts = [part.strip() for part in render_as(document, NOTEBOOK).split(CELL_END)]
    cells = [*(Cell(part) for part in parts if part), *behind]
    made = []
    for number, cell in enumerate(cells, start=1):
        new = form.v4.new_code_cell if cell.is_code else form.v4.new_markdown_cell
        made.append(new(cell.text, id=f"cell-{number}"))
    held = form.v4.new_notebook(cells=made, metadata=METADATA)
    return str(form.writes(held)).rstrip("\n") + "\n"


def _nbformat() -> object:
    try:
        return import_module("nbformat")
    except ImportError:
        raise MissingTool("a notebook needs nbformat; pip install 'symgrad[notebook]'") from None
