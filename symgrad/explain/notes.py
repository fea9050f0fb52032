"""The notation that a page uses, each sign with the sentence that says what it means."""

from __future__ import annotations

import re
from collections.abc import Mapping

from symgrad.explain.document import Math, Sentence
from symgrad.primitives.functions import FUNCTIONS
from symgrad.primitives.table import PRIMITIVES
from symgrad.prose import Text

# The identifier that the printer marks a sign with, the sign itself, and what it means.
SIGNS: Mapping[str, tuple[str, Text]] = {
    "ones": (r"\mathbf{1}", Text(en="{sign} is a vector of ones", zh="{sign} 是元素全为 1 的向量")),
    "odot": (
        r"\odot",
        Text(
            en="{sign} multiplies entry by entry, after the products of matrices beside it",
            zh="{sign} 是按元素乘积（哈达玛积），次序在矩阵乘法之后",
        ),
    ),
    "oslash": (r"\oslash", Text(en="{sign} divides entry by entry", zh="{sign} 是按元素相除")),
    "hadamard_power": (
        r"A^{\odot 2}",
        Text(en="{sign} squares entry by entry", zh="{sign} 是按元素平方"),
    ),
    "elementwise": (
        r"f(Z)",
        Text(
            en="a function such as log or a power, applied to a matrix or vector, acts on each entry",
            zh="对数函数、幂函数等作用于矩阵或向量时，逐元素进行",
        ),
    ),
    "indicator": (
        "[c]",
        Text(en="{sign} is 1 where the condition {c} holds, else 0", zh="{sign} 在条件 {c} 成立时为 1，否则为 0"),
    ),
    "diag": (
        r"\mathrm{diag}(\cdot)",
        Text(
            en="{sign} of a vector is the matrix with that diagonal", zh="{sign} 作用于向量，得到以它为对角线的对角矩阵"
        ),
    ),
    "diagonal": (
        r"\mathrm{diag}(\cdot)",
        Text(en="{sign} of a matrix is its diagonal", zh="{sign} 作用于矩阵，得到它的对角线"),
    ),
    "norm": (r"\lVert \cdot \rVert", Text(en="{sign} is the Euclidean norm", zh="{sign} 是欧几里得范数")),
    "frobenius": (
        r"\lVert \cdot \rVert_{F}^{2}",
        Text(en="{sign} is the sum of the squares of all entries", zh="{sign} 是全部元素的平方和"),
    ),
    "bracket": (
        r"\langle \cdot, \cdot \rangle",
        Text(en="{sign} is the sum of the products of corresponding entries", zh="{sign} 是对应元素乘积之和"),
    ),
    "trace": (r"\mathop{\mathrm{tr}}", Text(en="{sign} is the trace", zh="{sign} 是矩阵的迹")),
    "identity": (r"I", Text(en="{sign} is the identity matrix", zh="{sign} 是单位矩阵")),
    "inverse_transpose": (
        r"(\cdot)^{-\top}",
        Text(en="{sign} is the transpose of the inverse", zh="{sign} 是逆矩阵的转置"),
    ),
    "delta": (
        r"\delta_{ij}",
        Text(en="{sign} is 1 where {equal}, else 0", zh="{sign} 在 {equal} 时为 1，否则为 0"),
    ),
    "outside": (
        r"g_{i-j}",
        Text(
            en="an entry such as {sign} whose index lies outside its array counts as 0",
            zh="像 {sign} 这样的元素，下标超出数组范围时取 0",
        ),
    ),
    "entries": (
        r"[\cdot]_{ij}",
        Text(en="{sign} is the array with these entries", zh="{sign} 是以括号内各式为元素的数组"),
    ),
}

# Within a sentence of a table's entry.
FORMULA = re.compile(r"\$([^$]+)\$")
# What the sentences hold besides the sign.
FORMULAS: Mapping[str, Math] = {"c": Math("c"), "equal": Math("i = j")}


def operand_and_result(x: str, y: str, b: str = "") -> dict[str, Math]:
    """What the reason of a primitive may name: operand, result, its transpose, a second operand, their differentials."""
    found = {"x": x, "y": y, "y_t": rf"{y}^{{\top}}", "b": b}
    found |= {f"d{name}": rf"\mathrm{{d}}{tex}" for name, tex in found.items()}
    return {name: Math(tex) for name, tex in found.items()}


def told(text: Text, values: Mapping[str, Math]) -> Sentence:
    """A sentence of a table's entry; what stands between dollar signs there is one formula, with values in it."""
    inner = {tex: f"formula{k}" for k, tex in enumerate(dict.fromkeys(FORMULA.findall(text.en + text.zh)))}
    en, zh = (FORMULA.sub(lambda found: f"{{{inner[found[1]]}}}", own) for own in (text.en, text.zh))

    def whole(tex: str) -> Math:
        return Math(re.sub(r"\{(\w+)\}", lambda found: values[found[1]].tex if found[1] in values else found[0], tex))

    return Sentence(Text(en=en, zh=zh), {**values, **{name: whole(tex) for tex, name in inner.items()}})


def note(sign: str, text: Text) -> Sentence:
    """A sign with what it means."""
    return told(text, {"sign": Math(sign), **FORMULAS})


# What a function is that formulas call by a name or letter of its own; softmax only where no equation spells it out.
FUNCTION_SIGNS: Mapping[str, tuple[str, Text]] = {
    entry.name: entry.sign for table in (FUNCTIONS, PRIMITIVES) for entry in table.values() if entry.sign is not None
}
