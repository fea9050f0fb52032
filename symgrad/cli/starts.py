"""Models to start from: the gallery's own files, by short names or their own."""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

from symgrad.errors import InputError, MissingTool
from symgrad.files import write_text
from symgrad.modelfile import title_and_text
from symgrad.prose import Language

# Short names of the models that most begin with; every other goes by the name of its file.
SHORT: Mapping[str, str] = {
    "linear": "linear_regression",
    "logistic": "logistic_regression",
    "softmax": "softmax_regression",
    "poisson": "poisson_regression",
    "mlp": "two_layer_net",
    "recurrent": "recurrent_net",
    "attention": "attention",
    "matrix_factorisation": "matrix_factorisation",
    "gaussian_process": "gaussian_process",
    "sympy": "sympy_neuron",
}


def starts() -> dict[str, Path]:
    """The model files by name, the short names first."""
    every = {path.stem: path for path in sorted(_folder().glob("*.py"))}
    short = {name: every[stem] for name, stem in SHORT.items()}
    return {**short, **{stem: path for stem, path in every.items() if stem not in SHORT.values()}}


def listed(language: Language) -> str:
    """A line for each model: its name, its title, what it is about."""
    found = starts()
    width = max(map(len, found))
    return "".join(f"{name:<{width}}  {_told(path, language)}\n" for name, path in found.items())


def start_from(name: str, output: str, *, is_forced: bool) -> None:
    """Write the model of this name; an existing file is replaced only where that is asked for."""
    found = starts() | {path.stem: path for path in starts().values()}
    if name not in found:
        near = get_close_matches(name, found, n=1, cutoff=0.4) or [next(iter(found))]
        raise InputError(f"there is no model {name!r}; try --like {near[0]}, or symgrad new --list for all")
    if output != "-" and not output.endswith(".py"):
        raise InputError(f"{output}: a model file ends in .py; write for example {Path(output).stem or 'model'}.py")
    text = found[name].read_text(encoding="utf-8")
    if output == "-":
        print(text, end="")
        return
    if os.path.lexists(output) and not is_forced:
        raise InputError(f"{output}: is there already; name another file, or replace it with --force")
    write_text(output, text)


def _told(path: Path, language: Language) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    title, text = (part.to(language) for part in title_and_text(docstring, path.name))
    first = " ".join(text.split("\n\n")[0].split())
    return f"{title}: {first}" if language == "en" else f"{title}：{first}"


def _folder() -> Path:
    """The examples of the wheel, or those beside the package in a checkout."""
    inside = Path(str(files("symgrad"))) / "examples"
    for folder in (inside, inside.parent.parent / "examples"):
        if folder.is_dir():
            return folder
    raise MissingTool("the models of symgrad are not installed; pip install --force-reinstall symgrad")
