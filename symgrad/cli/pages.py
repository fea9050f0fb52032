"""Pages of several models in one command: a file for each, in a folder. One that fails does not stop the others."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import typer

from symgrad.errors import InputError, SymgradError
from symgrad.files import check_folder, check_model, write_bytes
from symgrad.records import dataclass


@dataclass(frozen=True, slots=True)
class Asked:
    """What `symgrad explain` was asked for: `only` are the pages of their own, `more` belongs to that of the gradients."""

    only: Mapping[str, Any]
    wrt: list[str] | None
    how: Mapping[str, Any]
    more: Mapping[str, Any]

    def __post_init__(self) -> None:
        if sum(map(bool, self.only.values())) > 1:
            raise InputError("--hessian, --hvp, --vjp and --jacobian are pages of their own; ask for one at a time")
        if any(self.only.values()):
            more = self.more
            given = {"--proof differential": more["proof"] == "differential", "--numbers": bool(more["numbers"])}
            given |= {"--values": bool(more["values"]), "--layout numerator": more["layout"] == "numerator"}
            given |= {"--bound": bool(more["bound"])}
            _only_of_gradients(given)

    def page_of(self, model: str) -> str | bytes:
        """The page of a model file."""
        check_model(model)  # before SymPy is imported, which takes longer than to see that there is no such file
        if not any(self.only.values()):
            from symgrad.cli.loading import loaded

            return loaded(model).explain(wrt=self.wrt, **self.how, **self.more)
        from symgrad.cli.products import product

        hessian, hvp, is_jacobian = (self.only[name] for name in ("--hessian", "--hvp", "--jacobian"))
        found = product(model, hessian, hvp, self.wrt, is_jacobian=is_jacobian).explain(**self.how)
        assert isinstance(found, str | bytes)
        return found


def _only_of_gradients(given: Mapping[str, bool]) -> None:
    """Refuse the options that the page of a gradient alone has."""
    for option, is_given in given.items():
        if is_given:
            raise InputError(
                f"{option} belongs to the page of the gradient; leave it out, or leave out --hessian, --hvp, --vjp, --jacobian"
            )


def with_names(args: Sequence[str]) -> list[str]:
    """The arguments with "all" behind a `--bound` that no names follow.

    >>> with_names(["model.py", "--bound", "-o", "page.md"]), with_names(["--bound", "X,y", "model.py"])
    (['model.py', '--bound', 'all', '-o', 'page.md'], ['--bound', 'X,y', 'model.py'])
    """
    found: list[str] = []
    for k, arg in enumerate(args):
        found.append(arg)
        behind = args[k + 1] if k + 1 < len(args) else "-"
        if arg == "--bound" and (behind.startswith("-") or behind.endswith(".py")):
            found.append("all")
    return found


def names_of(bound: str) -> Sequence[str]:
    """The names behind `--bound`, or "all"."""
    if bound in {"", "all"}:
        return bound
    names = [name.strip() for name in bound.split(",")]
    if not all(names):
        raise InputError(f"--bound {bound}: a name is missing; write --bound X, or several with commas between them")
    return names


def folder_of(models: Sequence[str], output: str) -> str | None:
    """The folder that the pages go to, one that is there or by the slash at its end one that is to be; or none.

    InputError where a single page is to go to a folder that is not there.
    """
    if output.endswith(("/", os.sep)) or os.path.isdir(output):
        return output
    if len(models) > 1:
        raise InputError(f"the pages of {len(models)} models need a folder; write -o pages/, with a slash at its end")
    check_folder(output)
    return None


def set_by(engine: str, form: str) -> str:
    """The format by this engine: a PDF may be set by TeX."""
    if engine == "typst":
        return form
    if form != "pdf":
        raise InputError(f"--engine {engine} sets a PDF, and this page is {form}; write -f pdf, or -o page.pdf")
    return f"{form}-{engine}"


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
