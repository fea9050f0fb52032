"""The sentences of the reasons in full: a step entry by entry, and the rules of one-variable calculus by name."""

from __future__ import annotations

from collections.abc import Mapping

from symgrad.prose import Text

# ---- entry by entry: the equation that uses the variable
ENTRIES = Text(en="Entry by entry, {equation} reads", zh="把 {equation} 逐元素写出：")
ENTRIES_PART = Text(
    en="Entry by entry, the terms of {equation} that hold {variable} are (the dots stand for the others)",
    zh="把 {equation} 中含 {variable} 的各项逐元素写出（省略号表示其余各项）：",
)
ALONE = Text(
    en="{reached} depends on {variable} through the one entry in the same place, so",
    zh="{reached} 只依赖于 {variable} 中同一位置的元素，因此有",
)
ONLY = Text(
    en="Only the terms with {conditions} hold {entry}, so",
    zh="只有 {conditions} 的项含有 {entry}，因此有",
)
WHERE = Text(
    en="{reached} holds {entry} only where {conditions}, so",
    zh="仅当 {conditions} 时 {reached} 才含有 {entry}，因此有",
)
BY_DEFINITION = Text(
    en="Differentiating this by {entry}, with the chain rule wherever it stands,",
    zh="对 {entry} 求导（凡含 {entry} 之处均用链式法则），得",
)
BY_AGAIN = Text(en="by {equation}", zh="由 {equation}")
PLACES = Text(
    en="{entry} stands in {count} places. Each gives one term, in which everything else is held; they are added up:",
    zh="{entry} 在式中出现 {count} 处。对每一处求导时，其余各处视为常数，各得一项，再相加：",
)
DIRECTLY = Text(en="{entry} stands there by itself, so", zh="{entry} 直接出现在式中，因此有")
# ---- the chain rule over all ways
WAYS = Text(
    en="{entry} reaches {loss} through the entries of {target}; the chain rule adds up all of these ways:",
    zh="{entry} 经由 {target} 的各元素影响 {loss}；由链式法则，把所有路径的贡献相加：",
)
TOGETHER = Text(en="Together the shares are", zh="各部分相加，得")
PUT_IN = Text(en="local derivative put in", zh="代入局部导数")
LEFT = Text(en="terms with {conditions} are left", zh="只剩 {conditions} 的项")
COLLECTED = Text(en="collected", zh="合并整理")
READ_BACK = Text(en="read back as matrices", zh="读回矩阵形式")
TURNED = Text(
    en="A factor whose summed index is on its other side comes transposed: here {arrays}.",
    zh="若因子中被求和的指标不在相接的一侧，则该因子要转置，此处为 {arrays}。",
)
SO_BY_ENTRIES = Text(en="So, in the letters of this page,", zh="于是，换用本页的指标字母：")
SO_IN_MATRICES = Text(en="So, in matrices,", zh="于是，写成矩阵形式：")
SO_AS_A_ROW = Text(
    en="So, as a row with {entry} in column {column},", zh="于是，写成行向量，{entry} 位于第 {column} 列："
)
SO_IN_MATRICES_TURNED = Text(
    en="So, in matrices, with {entry} in row {row} and column {column},",
    zh="于是，写成矩阵形式，{entry} 位于第 {row} 行第 {column} 列：",
)

# ---- rules of one variable
BY_RULES = Text(en="For {equation}, rule by rule:", zh="对 {equation} 逐条运用求导法则：")
ALTOGETHER = Text(en="Put together:", zh="综合起来，得")
BODY = Text(
    en="What acts on single entries in {equation}, rule by rule, with {letter} for an entry of {variable}:",
    zh="对 {equation} 中作用于单个元素的函数逐条运用求导法则，其中 {letter} 表示 {variable} 的一个元素：",
)
BY_THE_RULE = Text(en="This is a case of the {rule}.", zh="这里用到{rule}。")
WITH_FORMULA = Text(en="{rule}: {formula}", zh="{rule}：{formula}")
OF_FUNCTION = Text(en="derivative of {function}", zh="{function} 的导数")
CHAIN_WITH = Text(en="{rule}, with {formula}", zh="{rule}，其中 {formula}")

# The name of each rule, and its formula, where it has one of its own.
RULES: Mapping[str, tuple[Text, str]] = {
    "sum": (Text(en="sum rule", zh="和的求导法则"), ""),
    "constant multiple": (Text(en="constant multiple", zh="常数倍法则"), ""),
    "product": (Text(en="product rule", zh="乘积法则"), r"(f g)' = f' g + f g'"),
    "quotient": (Text(en="quotient rule", zh="商的求导法则"), r"\Bigl(\frac{f}{g}\Bigr)' = \frac{f' g - f g'}{g^{2}}"),
    "power": (Text(en="power rule", zh="幂法则"), r"(u^{a})' = a u^{a - 1}"),
    "chain": (Text(en="chain rule", zh="链式法则"), r"\bigl(f(u)\bigr)' = f'(u)\, u'"),
    "exponential": (Text(en="exponential", zh="指数函数的导数"), r"(e^{u})' = e^{u}"),
    "logarithm": (Text(en="logarithm", zh="对数函数的导数"), r"(\log u)' = \frac{1}{u}"),
}
