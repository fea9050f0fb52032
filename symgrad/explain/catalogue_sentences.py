"""The sentences of the catalogue."""

from __future__ import annotations

from symgrad.prose import Text

TITLE = Text(en="The rules of symgrad", zh="symgrad 的求导规则")
OPENING = Text(
    en="Every derivative that symgrad takes comes from one of three laws or from an entry of a table. Every use of one is"
    " proved anew, entry by entry, against SymPy. This page is written by {command} from the tables themselves.",
    zh="symgrad 求出的每个导数都来自三条基本法则之一，或来自表中的一个条目；每次使用都会与 SymPy 的结果逐元素对照证明。"
    "本页由 {command} 根据这些表生成。",
)
LAWS = Text(en="The three laws", zh="三条基本法则")
LAWS_TEXT = Text(
    en="Each on the smallest value that is made by it; the general law reads the same with more factors and indices.",
    zh="每条法则都以最简单的情形说明；因子与指标更多时，道理相同。",
)
LAW = Text(en="{law}", zh="{law}")
NAMES = {
    "linearity": Text(en="Linearity", zh="线性"),
    "contraction": Text(en="Contraction", zh="缩并"),
    "elementwise": Text(en="The chain rule entry by entry", zh="逐元素的链式法则"),
}
FUNCTIONS = Text(en="Functions of single entries", zh="逐元素函数")
FUNCTIONS_TEXT = Text(
    en="Each acts on every entry of an array by itself; arrays of different shapes are broadcast as in NumPy. The value"
    " is called {y}.",
    zh="这些函数对数组的每个元素分别作用；形状不同的数组按 NumPy 的规则广播。函数值记作 {y}。",
)
PRIMITIVES = Text(en="Primitives", zh="数组基本运算")
PRIMITIVES_TEXT = Text(
    en="Each acts on whole arrays. The value is called {y} or {Y}; a bar stands for the derivative of the loss by what is"
    " under it. The pullback says what the operands receive of it.",
    zh="这些运算作用于整个数组。运算的值记作 {y} 或 {Y}；字母上方的横线表示损失对该量的导数。"
    "拉回公式说明各自变量由此得到的梯度。",
)
FACTS = Text(en="Facts", zh="已知性质")
FACTS_TEXT = Text(
    en="What may be stated of data: steps use it by name, proofs build it in, and the data that are bound are checked.",
    zh="可对数据声明的性质：推导中会指明用到哪一条，证明时将其代入，绑定数据时加以检查。",
)
DEFINITIONS = Text(en="Defined in the language", zh="用语言自身定义的名称")
DEFINITIONS_TEXT = Text(
    en="These are made of the laws and entries above; a page shows what they stand for.",
    zh="以下名称由上述法则与条目定义，推导时按定义展开。说明文字为英文。",
)
SOURCES = Text(en="Literature", zh="参考文献")

ENTRY = Text(en="{signature}, {about}", zh="{signature}，{about}")
NUMPY = Text(en="NumPy: {code}.", zh="NumPy：{code}。")
SOURCE = Text(en="Source: {citation}.", zh="出处：{citation}。")
NOTHING = Text(en="Its derivative is 0 wherever it has one.", zh="在可导处导数恒为 0。")

FACT = Text(en="{name}", zh="{name}")
STATED = Text(en="{sentence}.", zh="{sentence}。")
DEFINED = Text(en="{name}: {about}", zh="{name}：{about}")
CHECK = Text(en="Data are checked by", zh="对数据的检查：")
KEY = Text(en="key", zh="标记")
REFERENCE = Text(en="reference", zh="文献")
OTHERWISE = Text(en="otherwise", zh="其他")

# In plain text
DERIVATIVE = Text(en="derivative", zh="导数")
DEFINITION = Text(en="definition", zh="定义")
PULLBACK = Text(en="pullback", zh="拉回")
KINK = Text(en="at kinks", zh="不可导点")
DOMAIN = Text(en="domain", zh="定义域")
WHY = Text(en="why", zh="理由")
CITED = Text(en="source", zh="出处")
HELPER = Text(en="its helper", zh="辅助函数")
MORE = Text(
    en="symgrad rules NAME shows one of them in full; -o rules.md writes a page.",
    zh="symgrad rules 名称 显示其中一条；-o rules.md 写成页面。",
)
