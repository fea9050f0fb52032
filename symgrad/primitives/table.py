"""The closed table of primitives, by name."""

from __future__ import annotations

from symgrad.primitives.entry import Primitive
from symgrad.primitives.matrices import DET, INV, LOGDET, SOLVE
from symgrad.primitives.normalisers import LOG_SOFTMAX, LOGSUMEXP, NORM, SOFTMAX

PRIMITIVES: dict[str, Primitive] = {
    entry.name: entry for entry in (SOFTMAX, LOG_SOFTMAX, LOGSUMEXP, NORM, INV, SOLVE, DET, LOGDET)
}
