"""The pages of `symgrad explain` that are not of a gradient: Hessians, their products with vectors, arrays' derivatives."""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.cli.loading import loaded
from symgrad.errors import InputError
from symgrad.problem import load_output
from symgrad.products import Hessian, HessianProduct, Jacobian, Vjp


def product(
    model: str, hessian: str, hvp: str, wrt: Sequence[str] | None, *, is_jacobian: bool
) -> Hessian | HessianProduct | Jacobian | Vjp:
    """What the options of the command line ask for."""
    if wrt and (hessian or hvp):
        raise InputError("parameters stand behind --hessian and --hvp; leave out --wrt")
    if wrt and len(wrt) > 1:
        raise InputError("a page of an output differentiates by one array; give --wrt once")
    if hessian:
        names = _split(hessian, "--hessian")
        if len(names) > 2:
            raise InputError(f"--hessian {hessian}: a block has two parameters; write --hessian {','.join(names[:2])}")
        return loaded(model).hessian(*names)
    if hvp:
        return loaded(model).hvp(*_split(hvp, "--hvp"))
    variable = wrt[0] if wrt else None
    output = load_output(model)
    return output.jacobian(variable) if is_jacobian else output.vjp(variable)


def _split(names: str, option: str) -> list[str]:
    found = [name.strip() for name in names.split(",")]
    if not all(found):
        raise InputError(f"{option} {names}: a name is missing; write {option} W, or several with commas between them")
    if option == "--hvp" and len(set(found)) < len(found):
        raise InputError(f"{option} {names}: a parameter is named twice; name each once")
    return found
