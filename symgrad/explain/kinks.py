"""The conventions at kinks: which of them a page has to name."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from symgrad.derive.derivation import Equation
from symgrad.explain.document import Sentence
from symgrad.explain.sentences import KINKS_MEET
from symgrad.graph.expression import Apply, Elementwise, Expr, Leaf
from symgrad.graph.walk import postorder
from symgrad.primitives.functions import FUNCTIONS
from symgrad.primitives.table import PRIMITIVES
from symgrad.prose import Text


def kinks(forward: Sequence[Equation], variables: Collection[Leaf], silent: Collection[str] = ()) -> list[Sentence]:
    """The conventions at kinks of what is differentiated, but for the entries in `silent`, each once.

    Each lies between the slopes of its own function. A sum of them need not lie between the slopes of the sum:
    relu(x) - relu(-x) is x, and its conventions add up to 0 at 0. So where there are several, the page says that too.
    """
    found = [kink for node in moving(forward, variables) if (kink := _kink_of(node, silent)) is not None]
    meet = [KINKS_MEET] if len(found) > 1 else []
    return [Sentence(kink) for kink in dict.fromkeys([*found, *meet])]


def moving(forward: Sequence[Equation], variables: Collection[Leaf]) -> list[Expr]:
    """The functions and primitives, sums and products, that a variable passes through."""
    found: dict[Expr, None] = dict.fromkeys(variables)
    for eq in forward:
        for node in postorder([eq.expression]):
            if any(child in found for child in node.children):
                found[node] = None
        if eq.expression in found:
            found[eq.target] = None
    return [node for node in found if not isinstance(node, Leaf)]


def _kink_of(node: Expr, silent: Collection[str]) -> Text | None:
    if isinstance(node, Elementwise) and node.function not in silent:
        return FUNCTIONS[node.function].kink
    return PRIMITIVES[node.primitive].kink if isinstance(node, Apply) and node.primitive not in silent else None
