"""What is said of a result that is not finite: where it leaves the real numbers, and what it would need."""

from __future__ import annotations

from symgrad.prose import Text

IN_EQUATION = Text(en="{formula} in ({label})", zh="式 ({label}) 中的 {formula}")
PART_IN_EQUATION = Text(en="{part} in ({label})", zh="式 ({label}) 中，{part}")
PART = Text(en="a part of {name}", zh="{name} 的一部分")
SOME_PART = Text(en="a part", zh="其中一部分")
OPERAND = Text(en="its operand", zh="运算对象")
MATRIX = Text(en="the matrix", zh="该矩阵")

NOT_A_NUMBER = Text(en="is not a number", zh="不是数")
IS = Text(en="is {number}", zh="为 {number}")
# A name brings the space behind it.
NO_MATRIX = Text(en="does not exist: {name}{spectrum}", zh="不存在：{name}{spectrum}")
NO_MATRIX_BECAUSE = Text(en="does not exist ({error}): {name}{spectrum}", zh="不存在（{error}）：{name}{spectrum}")
# What NumPy says of a matrix; anything else stays in its words.
ERRORS = {
    "singular matrix": Text(en="singular matrix", zh="矩阵奇异"),
    "matrix is not positive definite": Text(en="matrix is not positive definite", zh="矩阵非正定"),
}
NOT_REGULAR = Text(en="is not regular", zh="不是可逆矩阵")
EIGENVALUES = Text(
    en="has determinant {determinant} and eigenvalues from {least} to {largest}",
    zh="的行列式为 {determinant}，特征值在 {least} 与 {largest} 之间",
)
SINGULAR_VALUES = Text(
    en="has determinant {determinant} and singular values from {least} to {largest}",
    zh="的行列式为 {determinant}，奇异值在 {least} 与 {largest} 之间",
)

PASS_FINITE = Text(en="pass finite numbers", zh="请传入有限的数")
FILL_IN = Text(en="fill it in, or leave its row out", zh="请补全该值，或去掉它所在的行")
TOO_LARGE = Text(en="{dtype} holds no number beyond {largest}", zh="{dtype} 能表示的数不超过 {largest}")
NOTHING = Text(en="", zh="")

ENTRIES = Text(en="{found}: {entries}", zh="{found}：{entries}")
MORE = Text(en="{found} (and {count} more)", zh="{found}（另有 {count} 处）")
NEEDS = Text(en="{found}; {needs}", zh="{found}；{needs}")
COMMA = Text(en=", ", zh="，")
FROM = Text(en="{found} ({source})", zh="{found}（{source}）")
EXAMPLE = Text(en="example {number} of {count}", zh="样本 {number}，共 {count} 个")
