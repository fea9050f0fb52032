"""Derivation → plan → NumPy source that stands alone → function."""

from __future__ import annotations

from symgrad.compile.arguments import Argument
from symgrad.compile.function import Compiled, compile_derivation

__all__ = ["Argument", "Compiled", "compile_derivation"]
