"""The sentences of the proof by differentials, and the laws of the inner product."""

from __future__ import annotations

from collections.abc import Mapping

from symgrad.derive.derivation import Move
from symgrad.prose import Text

# ---- before the steps
HEAD = Text(
    en="The steps are shown by differentials. Only the variable {u} of a step moves, by {du}; the other names in the equations"
    " that hold it stay as they are. The loss then changes, to first order, by {chain}, added up over the values {v} whose"
    " equations hold {u}. The equation of {v} gives {dv}, and everything is moved away from {du}: since {du} is arbitrary,"
    " what stands beside it in the end is {gradient}.",
    zh="以下各步用微分法推导。每一步只让该步的变量 {u} 有微小改变 {du}，所在各式中的其余量保持不变；"
    "损失的一阶改变量为 {chain}，对定义式中含 {u} 的各个量 {v} 求和。由 {v} 的定义式求出 {dv} 并代入，"
    "再把其余因子移到内积的左侧；由于 {du} 任意，最后与它作内积的就是 {gradient}。",
)
RULES = Text(
    en="Differentials follow {sum}, {product} and, entry by entry, {function}.",
    zh="微分的运算法则为 {sum}，{product}，以及逐元素的 {function}。",
)
PAIRING = Text(
    en="The inner product of two arrays of one shape is {pairing}, of vectors {vectors}, of numbers their product.",
    zh="两个同形状数组的内积为 {pairing}，对向量即 {vectors}，对数即乘积。",
)
LAWS_USED = Text(en="Its laws, as far as they are used:", zh="用到的内积运算律：")

ADJOINT = Text(
    en="Here {f} is a linear operation such as a slice, a solution or a cumulative sum, and {adjoint} its adjoint.",
    zh="其中 {f} 是切片、解方程组、累加等线性运算，{adjoint} 是它的伴随运算。",
)

# ---- beside a line
PUT_IN = Text(en="{differential} by {equation}", zh="由 {equation} 求 {differential}")
PUT_IN_WITH = Text(
    en="{differential} by {equation}, with {slopes}", zh="由 {equation} 求 {differential}，其中 {slopes}"
)
LOSS = Text(en="by {equation}", zh="由 {equation}")
LOSS_WITH = Text(en="by {equation}, with {slopes}", zh="由 {equation}，其中 {slopes}")
MOVED = Text(en="by these laws, term by term", zh="逐项运用以上运算律")
SUMS_FIRST = Text(en="the other sums first", zh="先求其余各和")
COLLECTED = Text(en="collected", zh="合并")
HENCE = Text(en="What stands beside {differential} is the gradient:", zh="与 {differential} 作内积的即为梯度：")

# ---- how this was checked
EACH_LINE = Text(en="each line of the steps by differentials", zh="微分法的每一行")


def _inner(a: str, b: str) -> str:
    return rf"\langle {a},\, {b} \rangle"


# The laws in the order in which they are listed: what stands left and right of the equals sign.
LAWS: Mapping[Move, tuple[str, str]] = {
    Move.LEFT: (_inner("A", "B C"), _inner(r"B^{\top} A", "C")),
    Move.RIGHT: (_inner("A", "B C"), _inner(r"A C^{\top}", "B")),
    Move.HADAMARD: (_inner("A", r"B \odot C"), _inner(r"A \odot B", "C")),
    Move.TRANSPOSE: (_inner("A", r"B^{\top}"), _inner(r"A^{\top}", "B")),
    Move.TRACE: (r"\mathop{\mathrm{tr}}(B)", _inner("I", "B")),
    Move.DIAGONAL: (_inner("A", r"\mathrm{diag}(b)"), _inner(r"\mathrm{diag}(A)", "b")),
    Move.SCALING: (_inner("A", r"\mathrm{diag}(b)\, C"), _inner(r"(A \odot C)\, \mathbf{1}", "b")),
    Move.SUM: (_inner("a", r"B\, \mathbf{1}"), _inner(r"a \mathbf{1}^{\top}", "B")),
    Move.SPREAD: (_inner("A", r"b\, \mathbf{1}^{\top}"), _inner(r"A\, \mathbf{1}", "b")),
    Move.ADJOINT: (_inner("A", "F(B)"), _inner(r"F^{\ast}(A)", "B")),
    Move.OUT: (_inner("A", "B c"), _inner("A", "B") + r"\, c"),
    Move.SCALAR: (_inner("A", "c B"), _inner("c A", "B")),
}
# Letters for a variable and for a value made of it: two that no array of the page has.
LETTERS = ("U", "V", "S", "T", "M", "N", r"\Phi", r"\Psi")
# The formulas of the sentences above.
VALUES: Mapping[str, str] = {
    "sum": r"\mathrm{d}(A + B) = \mathrm{d}A + \mathrm{d}B",
    "product": r"\mathrm{d}(A B) = \mathrm{d}A\, B + A\, \mathrm{d}B",
    "function": r"\mathrm{d}f(Z) = f'(Z) \odot \mathrm{d}Z",
    "pairing": r"\langle A,\, B \rangle = \mathop{\mathrm{tr}}(A^{\top} B) = \sum_{i,j} a_{ij}\, b_{ij}",
    "vectors": r"a^{\top} b",
}
