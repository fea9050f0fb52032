"""The closed table of primitives, by name: every entry of the modules that hold them."""

from __future__ import annotations

from symgrad.primitives import accumulations, matrices, normalisers, rearrangements, selections, triangles
from symgrad.primitives.entry import Primitive

MODULES = (normalisers, matrices, selections, accumulations, rearrangements, triangles)
PRIMITIVES: dict[str, Primitive] = {
    entry.name: entry for module in MODULES for entry in vars(module).values() if isinstance(entry, Primitive)
}
