"""The laws by which a program is rewritten before it is compiled with data bound: each is proved, or not applied.

    rotate → columns          where examples enter only through sums of products of columns
    spectrum                  else, where a symmetric matrix of data is diagonal in the basis of its eigenvectors
    tailor → columns → lowrank   else

`bind` and the handout both read what is found here: neither has a law that the other does not have.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from symgrad.compile.columns import side_by_side
from symgrad.compile.dissolve import Program
from symgrad.compile.lowrank import LowRank, low_rank
from symgrad.compile.rotate import Rotation, prove_rotation, rotation
from symgrad.compile.spectrum import Spectrum, prove_spectrum, spectrum
from symgrad.compile.tailor import prove_tailored, tailored
from symgrad.errors import CheckFailed
from symgrad.records import dataclass

EIGENVALUES = "eigenvalues"


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The program at the start and at the end, and what led there; a gate may have `multiplied_out` in its place."""

    start: Program
    program: Program
    rotated: Rotation | None = None
    spectral: Spectrum | None = None
    multiplied_out: LowRank | None = None


def rewritten(program: Program, bound: Collection[str], ones: str, *, is_proved: bool = True) -> Rewritten:
    """The laws applied; what is not proved is not done. `ones` names a column of ones that is rotated."""

    def holds(prove: Callable[[Program, Any], Any], before: Program, after: Any) -> bool:
        if not is_proved:
            return True
        try:
            prove(before, after)
        except CheckFailed:
            return False
        return True

    rotated = rotation(program, bound, ones)
    if rotated is not None and holds(prove_rotation, program, rotated):
        joined = side_by_side(rotated.program, [*(x.name for x in rotated.leaves.values()), ones])
        is_joined = holds(prove_tailored, rotated.program, joined)
        return Rewritten(program, joined if is_joined else rotated.program, rotated)
    spectral = spectrum(program, bound, EIGENVALUES)
    if spectral is not None and holds(prove_spectrum, program, spectral):
        return Rewritten(program, spectral.program, spectral=spectral)
    better = tailored(program, bound)
    # Both steps in one proof; where it fails each by itself, or none.
    steps = (side_by_side(better, bound), better)
    new = next((e for e in steps if holds(prove_tailored, program, e)), program)
    out = low_rank(new, bound)
    if out is not None and not holds(prove_tailored, new, out.program):
        out = None
    return Rewritten(program, new, multiplied_out=out)
