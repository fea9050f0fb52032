"""The words that formulas are spoken with, in both languages; spoken.py puts them together."""

from __future__ import annotations

from symgrad.prose import Text as Prose

TIMES = Prose(en="times", zh="乘")
OF = Prose(en="of", zh="作用于")
DERIVATIVE = Prose(en="the partial derivative of {0} with respect to {1}", zh="{0} 对 {1} 的偏导数")
FRACTION = Prose(en="the fraction {0} over {1}, end of fraction,", zh="分数，分子为 {0}，分母为 {1}，分数结束，")
SIMPLE_FRACTION = Prose(en="{0} over {1},", zh="{1} 分之 {0}，")
ROOT = Prose(en="the square root of {0}, end of root,", zh="根号 {0}，根号结束，")
SIMPLE_ROOT = Prose(en="the square root of {0}", zh="根号 {0}")
INDEXED_ROOT = Prose(en="the root of order {1} of {0}, end of root,", zh="{1} 次根号 {0}，根号结束，")
SUM, SUM_OVER = Prose(en="the sum of", zh="求和"), Prose(en="the sum over {0} of", zh="对 {0} 求和，")
SUM_FROM = Prose(en="the sum from {0} to {1} of", zh="从 {0} 到 {1} 求和，")
LARGE = {
    r"\sum": (SUM, SUM_OVER, SUM_FROM),
    r"\prod": (
        Prose(en="the product of", zh="求积"),
        Prose(en="the product over {0} of", zh="对 {0} 求积，"),
        Prose(en="the product from {0} to {1} of", zh="从 {0} 到 {1} 求积，"),
    ),
    r"\int": (
        Prose(en="the integral of", zh="积分"),
        Prose(en="the integral over {0} of", zh="在 {0} 上积分，"),
        Prose(en="the integral from {0} to {1} of", zh="从 {0} 到 {1} 积分，"),
    ),
}
SIMPLE_BELOW = Prose(en="{0} sub {1}", zh="{0} 下标 {1}")
BELOW = Prose(en="{0} sub {1}, end of subscript,", zh="{0} 下标 {1}，下标结束，")
SIMPLE_POWER = Prose(en="{0} to the power {1}", zh="{0} 的 {1} 次方")
POWER = Prose(en="{0} to the power {1}, end of power,", zh="{0} 的幂，指数为 {1}，指数结束，")
ELEMENTWISE_POWER = Prose(en="{0} to the elementwise power {1}", zh="{0} 的逐元素 {1} 次方")
PRIME = Prose(en="{0} prime", zh="{0} 撇")
# Exponents that have a name of their own, by their TeX without braces.
EXPONENTS = {
    r"\top": Prose(en="{0} transpose", zh="{0} 的转置"),
    "-1": Prose(en="{0} inverse", zh="{0} 的逆"),
    r"-\top": Prose(en="{0} inverse transpose", zh="{0} 的逆的转置"),
    "2": Prose(en="{0} squared", zh="{0} 的平方"),
    "3": Prose(en="{0} cubed", zh="{0} 的立方"),
    r"\ast": Prose(en="{0} star", zh="{0} 星"),
}
INNER_PRODUCT = Prose(en="the inner product of {0} and {1}, end of inner product,", zh="内积，{0} 与 {1}，内积结束，")
# By the opening delimiter: around anything, and around a single sign.
FENCES = {
    r"\lVert": (Prose(en="the norm of {0}, end of norm,", zh="范数 {0}，范数结束，"), Prose(en="the norm of {0}", zh="{0} 的范数")),
    r"\lvert": (
        Prose(en="the absolute value of {0}, end of absolute value,", zh="绝对值 {0}，绝对值结束，"),
        Prose(en="the absolute value of {0}", zh="{0} 的绝对值"),
    ),
    r"\lfloor": (Prose(en="the floor of {0}, end of floor,", zh="{0} 向下取整，"), Prose(en="the floor of {0}", zh="{0} 向下取整")),
    r"\lceil": (
        Prose(en="the ceiling of {0}, end of ceiling,", zh="{0} 向上取整，"),
        Prose(en="the ceiling of {0}", zh="{0} 向上取整"),
    ),
}  # fmt: skip
OPENINGS = {
    "(": Prose(en="open parenthesis", zh="左括号"), "[": Prose(en="open bracket", zh="左方括号"),
    r"\{": Prose(en="open brace", zh="左花括号"), r"\lbrace": Prose(en="open brace", zh="左花括号"),
    r"\langle": Prose(en="open angle bracket", zh="左尖括号"), "|": Prose(en="bar", zh="竖线"),
    ".": Prose(en="", zh=""),
}  # fmt: skip
CLOSINGS = {
    ")": Prose(en="close parenthesis", zh="右括号"), "]": Prose(en="close bracket", zh="右方括号"),
    r"\}": Prose(en="close brace", zh="右花括号"), r"\rbrace": Prose(en="close brace", zh="右花括号"),
    r"\rangle": Prose(en="close angle bracket", zh="右尖括号"), "|": Prose(en="bar", zh="竖线"),
    ".": Prose(en="", zh=""),
}  # fmt: skip
ACCENTS = {
    r"\hat": Prose(en="{0} hat", zh="{0} 帽"), r"\bar": Prose(en="{0} bar", zh="{0} 上横线"),
    r"\overline": Prose(en="{0} bar", zh="{0} 上横线"), r"\tilde": Prose(en="{0} tilde", zh="{0} 波浪"),
    r"\dot": Prose(en="{0} dot", zh="{0} 点"), r"\ddot": Prose(en="{0} double dot", zh="{0} 双点"),
    r"\vec": Prose(en="{0} arrow", zh="{0} 箭头"), r"\check": Prose(en="{0} check", zh="{0} 倒帽"),
}  # fmt: skip
MATRIX = Prose(en="a matrix of size {0} by {1}: {2}; end of matrix,", zh="{0} 行 {1} 列的矩阵：{2}；矩阵结束，")
MATRIX_ROW = Prose(en="row {0}: {1}", zh="第 {0} 行：{1}")
CASES, CASE = (
    Prose(en="by cases: {0}; end of cases,", zh="分段：{0}；分段结束，"),
    Prose(en="{0} if {1}", zh="{0}，若 {1}"),
)
BOLD = Prose(en="bold {0}", zh="粗体 {0}")
BY = Prose(en="by", zh="乘")
DOT = Prose(en="dot", zh="点")
WORDS = {
    "+": Prose(en="plus", zh="加"), "-": Prose(en="minus", zh="减"), "/": Prose(en="divided by", zh="除以"),
    "*": Prose(en="star", zh="星"), r"\cdot": TIMES, r"\times": TIMES, r"\ast": Prose(en="star", zh="星"),
    r"\odot": Prose(en="elementwise times", zh="逐元素乘"), r"\oslash": Prose(en="elementwise divided by", zh="逐元素除以"),
    r"\otimes": Prose(en="tensor", zh="张量积"), r"\oplus": Prose(en="circled plus", zh="圈加"),
    r"\pm": Prose(en="plus or minus", zh="加减"), r"\mp": Prose(en="minus or plus", zh="减加"),
    r"\circ": Prose(en="composed with", zh="复合"), r"\wedge": Prose(en="and", zh="且"), r"\vee": Prose(en="or", zh="或"),
    r"\cup": Prose(en="union", zh="并"), r"\cap": Prose(en="intersection", zh="交"),
    r"\setminus": Prose(en="without", zh="减去"),
    "=": Prose(en="equals", zh="等于"), "<": Prose(en="is less than", zh="小于"), ">": Prose(en="is greater than", zh="大于"),
    r"\lt": Prose(en="is less than", zh="小于"), r"\gt": Prose(en="is greater than", zh="大于"),
    ":": Prose(en="colon", zh="冒号"), r"\le": Prose(en="is at most", zh="小于等于"),
    r"\leq": Prose(en="is at most", zh="小于等于"), r"\ge": Prose(en="is at least", zh="大于等于"),
    r"\geq": Prose(en="is at least", zh="大于等于"), r"\ne": Prose(en="is not equal to", zh="不等于"),
    r"\neq": Prose(en="is not equal to", zh="不等于"), r"\approx": Prose(en="is approximately", zh="约等于"),
    r"\sim": Prose(en="is distributed as", zh="服从"), r"\equiv": Prose(en="is identical to", zh="恒等于"),
    r"\in": Prose(en="in", zh="属于"), r"\to": Prose(en="to", zh="到"), r"\rightarrow": Prose(en="to", zh="到"),
    r"\leftarrow": Prose(en="becomes", zh="更新为"), r"\mapsto": Prose(en="maps to", zh="映为"),
    r"\Rightarrow": Prose(en="implies", zh="推出"), r"\Longrightarrow": Prose(en="implies", zh="推出"),
    r"\Leftrightarrow": Prose(en="if and only if", zh="等价于"),
    r"\succeq": Prose(en="is at least, in the semidefinite order,", zh="半正定序大于等于"),
    r"\preceq": Prose(en="is at most, in the semidefinite order,", zh="半正定序小于等于"),
    r"\succ": Prose(en="is greater, in the definite order, than", zh="正定序大于"),
    r"\prec": Prose(en="is less, in the definite order, than", zh="正定序小于"),
    r"\mid": Prose(en="given", zh="给定"), r"\ll": Prose(en="is much less than", zh="远小于"),
    r"\gg": Prose(en="is much greater than", zh="远大于"), r"\propto": Prose(en="is proportional to", zh="正比于"),
    r"\perp": Prose(en="is perpendicular to", zh="垂直于"),
    ",": Prose(en=",", zh="，"), ";": Prose(en=";", zh="；"), ".": Prose(en=".", zh="。"),
    r"\partial": Prose(en="partial", zh="偏"), r"\nabla": Prose(en="nabla", zh="梯度算子"),
    r"\infty": Prose(en="infinity", zh="无穷"), r"\top": Prose(en="transpose", zh="转置"),
    r"\prime": Prose(en="prime", zh="撇"), r"\surd": Prose(en="root", zh="根号"), r"\ell": Prose(en="ell", zh="ℓ"),
    r"\emptyset": Prose(en="the empty set", zh="空集"), "!": Prose(en="factorial", zh="的阶乘"),
    r"\Vert": Prose(en="double bar", zh="双竖线"), r"\vert": Prose(en="bar", zh="竖线"),
    r"\dots": Prose(en="and so on", zh="等等"), r"\ldots": Prose(en="and so on", zh="等等"),
    r"\cdots": Prose(en="and so on", zh="等等"), r"\vdots": Prose(en="and so on", zh="等等"),
    r"\ddots": Prose(en="and so on", zh="等等"),
    r"\det": Prose(en="the determinant of", zh="行列式"), r"\max": Prose(en="the maximum", zh="最大值"),
    r"\min": Prose(en="the minimum", zh="最小值"), "tr": Prose(en="trace", zh="迹"),
}  # fmt: skip
