"""The problem of a model file on the command line, with a note on standard error of what the loss leaves out."""

from __future__ import annotations

import typer

from symgrad.problem import Problem, load
from symgrad.prose import one_line


def loaded(model: str) -> Problem:
    """The problem; of each parameter that it does not use a note, at the parameter's line."""
    problem = load(model)
    for note in problem.unused:
        typer.echo(one_line(note), err=True)
    return problem
