"""NumPy's text of a loss that is no sum over examples, with compiled functions of arrays in it (`tiles.arrays`).

Loops over tiles need examples that can be told apart. Attention, whose rows all look at each other, has none; most of what
NumPy takes longer for than a compiled loop are its exponentials.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from symgrad.compile.kernels import kernel_source
from symgrad.compile.operations import Op
from symgrad.primitives.functions import FUNCTIONS

# NumPy's calls, by the compiled ones: the text of a call begins so and in no other way.
CALLS: Mapping[str, str] = {
    "np.exp(": "arrays.exp(",
    "np.tanh(": "arrays.tanh(",
    "np.logaddexp(0, ": "arrays.softplus(",
}
# What a call writes over, alone on its line and elsewhere. Loops that read and write the same memory do not vectorise.
ALONE = re.compile(r"^( *)(np\.(?:exp|tanh))\((\w+), out=\3\)", re.MULTILINE)
OVER = re.compile(r"(np\.(?:exp|tanh))\((\w+), out=\2\)")
# Functions of a generated module that a compiled one takes the place of.
DEFINITIONS: Mapping[str, str] = {
    name: f"{name} = arrays.{name}\n"
    for name in ("sigmoid", "both_products", "products_and_grams", "inverse_and_logdet")
}
# A copy of data, in `bind`.
COPY = re.compile(r"^( *)(\w+) = \2\.copy\(\)$", re.MULTILINE)
IMPORT = "from symgrad.compile.tiles import arrays\n"


def is_costly(op: Op) -> bool:
    """Whether what computes an array has such a call in its text, or in that of its function."""
    name = op.data[0] if op.kind in ("function", "primitive") else "softmax_and_log" if op.kind == "pair" else op.kind
    text = kernel_source(name) + (FUNCTIONS[name].numpy if name in FUNCTIONS else "")
    return any(x.rank for x in op.args) and (name in DEFINITIONS or any(call in text for call in CALLS))


def compiled_calls(text: str) -> str:
    """The text with compiled functions where there are any.

    >>> compiled_calls("P = np.exp(Z, out=Z)"), compiled_calls("    np.tanh(H, out=H)")
    ('P = arrays.exp(Z)', '    H = arrays.tanh(H)')
    """
    text = COPY.sub(r"\1\2 = arrays.aligned(\2)", text)
    text = OVER.sub(r"\1(\2)", ALONE.sub(r"\1\3 = \2(\3)", text))
    for ours, theirs in CALLS.items():
        text = text.replace(ours, theirs)
    return text


def compiled_definitions(kernels: Iterable[str], definitions: Iterable[str]) -> list[str]:
    """The definitions of functions that lines call: those that are compiled have another name for it."""
    found = [text for name, text in DEFINITIONS.items() if name in kernels]
    others = [d for d in definitions if not any(d.startswith(f"def {name}(") for name in DEFINITIONS)]
    return [*found, *map(compiled_calls, others)]
