"""Pages of several models in one command: a file for each, in a folder. One that fails does not stop the others."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import typer

from symgrad.errors import InputError, SymgradError
from symgrad.files import write_bytes


def is_folder(output: str) -> bool:
    """Whether this names a folder: one that is there, or by the slash at its end one that is to be."""
    return output.endswith(("/", os.sep)) or os.path.isdir(output)


def write_pages(models: Sequence[str], folder: str, suffix: str, page_of: Callable[[str], str | bytes]) -> int:
    """The page of each model, as folder/name + suffix; the exit code of the first that failed, or 0.

    Each file is written whole or not at all.
    """
    names = names_in(models, folder, suffix)
    os.makedirs(folder, exist_ok=True)
    code = 0
    for model, name in zip(models, names, strict=True):
        try:
            page = page_of(model)
            write_bytes(name, page.encode() if isinstance(page, str) else page)
        except SymgradError as e:
            line = " ".join(str(e).split("\n"))
            typer.echo(line if model in line else f"{model}: {line}", err=True)
            code = code or e.exit_code
    return code


def names_in(models: Sequence[str], folder: str, suffix: str) -> list[str]:
    """Where each model's page goes; no two to the same file.

    >>> names_in(["a/ridge.py", "mlp.py"], "pages/", ".pdf")
    ['pages/ridge.pdf', 'pages/mlp.pdf']
    """
    names: list[str] = []
    for model in models:
        stem = "model" if model == "-" else os.path.splitext(os.path.basename(model))[0]
        name = os.path.join(folder, stem + suffix)
        if name in names:
            raise InputError(
                f"{model}: its page would be {name}, as that of another model; write it to a folder of its own"
            )
        names.append(name)
    return names
