"""The blocks of the Hessian, each derived from a gradient and proved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symgrad.derive.derivation import Derivation
from symgrad.derive.pairing import Block, block, gradients_of, pair
from symgrad.errors import CheckFailed, DerivationError
from symgrad.graph.expression import Leaf

Blocks = Mapping[tuple[Leaf, Leaf], Block]


def blocks_of(derivation: Derivation, order: Sequence[str] = ()) -> Blocks:
    """∂²L/∂θ₁∂θ₂ for every pair of parameters; none at all where one of them has no readable form."""
    found: dict[tuple[Leaf, Leaf], Block] = {}
    for k, first in enumerate(derivation.parameters):
        for second in derivation.parameters[k:]:
            made = block_of(derivation, first, second, order)
            if made is None:
                return {}
            found[first, second] = made
    return found


def block_of(derivation: Derivation, rows: Leaf, columns: Leaf, order: Sequence[str] = ()) -> Block | None:
    """One block; None where it is too long to be written or is not proved."""
    try:
        values = gradients_of(derivation, [columns])
        pairing = pair(values.arrays, values.names, [rows], order)
        return block(pairing, rows, pairing.directions[0])
    except (DerivationError, CheckFailed):
        return None
