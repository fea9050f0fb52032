"""The notation that a page uses, each sign with the sentence that says what it means."""

from __future__ import annotations

from collections.abc import Mapping

from symgrad.prose import Text

# The identifier that the printer marks a sign with, the sign itself, and what it means.
SIGNS: Mapping[str, tuple[str, Text]] = {
    "ones": (r"\mathbf{1}", Text(en="{sign} is a vector of ones", zh="{sign} 是元素全为 1 的向量")),
    "odot": (r"\odot", Text(en="{sign} multiplies entry by entry", zh="{sign} 是按元素乘积（哈达玛积）")),
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
        Text(en="{sign} is 1 where the condition c holds, else 0", zh="{sign} 在条件 c 成立时为 1，否则为 0"),
    ),
    "diag": (
        r"\mathrm{diag}(v)",
        Text(en="{sign} is the diagonal matrix with the vector v", zh="{sign} 是以向量 v 为对角线的对角矩阵"),
    ),
    "diagonal": (r"\mathrm{diag}(A)", Text(en="{sign} is the diagonal of A", zh="{sign} 是 A 的对角线")),
    "norm": (r"\lVert v \rVert", Text(en="{sign} is the Euclidean norm", zh="{sign} 是欧几里得范数")),
    "frobenius": (
        r"\lVert A \rVert_{F}^{2}",
        Text(en="{sign} is the sum of the squares of all entries", zh="{sign} 是全部元素的平方和"),
    ),
    "bracket": (
        r"\langle A, B \rangle",
        Text(en="{sign} is the sum of the products of corresponding entries", zh="{sign} 是对应元素乘积之和"),
    ),
    "trace": (r"\mathop{\mathrm{tr}}", Text(en="{sign} is the trace", zh="{sign} 是矩阵的迹")),
    "inverse_transpose": (
        r"X^{-\top}",
        Text(en="{sign} is the transpose of the inverse", zh="{sign} 是逆矩阵的转置"),
    ),
    "delta": (
        r"\delta_{ij}",
        Text(en="{sign} is 1 where i = j, else 0", zh="{sign} 在 i = j 时为 1，否则为 0"),
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
