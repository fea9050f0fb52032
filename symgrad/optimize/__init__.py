"""Solvers over plain callables: they know arrays and numbers, no symbols."""

from symgrad.optimize.curvature import Curvature, largest_curvature
from symgrad.optimize.descent import gradient_descent
from symgrad.optimize.diagnosis import Cause, Diagnosis, Remedy
from symgrad.optimize.result import Iteration, RateOrigin, Result, Stop

__all__ = [
    "Cause",
    "Curvature",
    "Diagnosis",
    "Iteration",
    "RateOrigin",
    "Remedy",
    "Result",
    "Stop",
    "gradient_descent",
    "largest_curvature",
]
