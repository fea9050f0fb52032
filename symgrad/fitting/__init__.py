"""From data and a compiled loss to fitted parameters: the pipeline behind `Problem.fit` and `symgrad fit`."""

from symgrad.fitting.binding import from_source, table_of
from symgrad.fitting.pipeline import Descent, LineSearch, OnIteration, Options, Task, fit
from symgrad.fitting.result import FitResult
from symgrad.fitting.sample import sample_of
from symgrad.fitting.start import sizes_of

__all__ = [
    "Descent",
    "FitResult",
    "LineSearch",
    "OnIteration",
    "Options",
    "Task",
    "fit",
    "from_source",
    "sample_of",
    "sizes_of",
    "table_of",
]
