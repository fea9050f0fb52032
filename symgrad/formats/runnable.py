"""The cells of a notebook that run: the model, compiled, checked against differences, fitted to random data, plotted."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction
from unicodedata import category

from symgrad.derive.derivation import Derivation
from symgrad.errors import InputError
from symgrad.formats.ipynb import Cell
from symgrad.graph.expression import Leaf, Role
from symgrad.graph.show import show_shape
from symgrad.prose import Language, Text

# Variables of the cells that a size must not be called.
TAKEN = frozenset({"sg", "names", "loss", "model", "problem", "Fraction"})

HEADING = Text(
    en="## Run it\n\nThe cells below need symgrad and NumPy, the last one also matplotlib. This is the model:",
    zh="## 运行\n\n以下单元格需要 symgrad 和 NumPy，最后一个还需要 matplotlib。模型如下：",
)
COMPILE = Text(
    en="Every step is proved again, and the gradients become a NumPy function. Its lines name the equations above.",
    zh="重新证明每一步，并把梯度编译成 NumPy 函数；各行末尾标出它所计算的公式编号。",
)
SAMPLE = Text(
    en="Random arrays with the shapes and the facts that the model declares; put your own in their place.",
    zh="按模型声明的形状与性质随机生成数组；可换成自己的数据。",
)
CHECK = Text(
    en="Each gradient against differences: the loss a small step ahead in a random direction, less the loss a step behind,"
    " over twice the step, is close to the sum of the products of the entries of gradient and direction.",
    zh="用差商检验每个梯度：沿随机方向前进一小步与后退一小步，两处损失之差除以步长的两倍，应接近梯度与该方向对应元素乘积之和。",
)
FIT = Text(
    en="Gradient descent from there; what is printed says why it ended.",
    zh="由此出发作梯度下降；输出中说明停止的原因。",
)
PLOT = Text(en="The loss $L$ after $t$ steps:", zh="迭代 $t$ 步后的损失 $L$：")

COMPARED = Text(
    en="{name}: {difference:.8g} by differences, {slope:.8g} by the gradient",
    zh="{name}：差商 {difference:.8g}，梯度 {slope:.8g}",
)
ENDED = Text(
    en="L = {result.loss} after {result.iterations} steps: {result.why_it_ended()}",
    zh="迭代 {result.iterations} 步后 L = {result.loss}；停止原因：{result.why_it_ended('zh')}",
)

SAMPLE_CODE = """\
import numpy as np

arrays = problem.sample(seed=0)
for name, array in arrays.items():
    print(name, np.shape(array))"""
CHECK_CODE = """\
value, gradients = f(**arrays)
print("L =", value)
rng = np.random.default_rng(0)
step = 1e-5
for name, gradient in gradients.items():
    direction = rng.standard_normal(np.shape(gradient))
    ahead, behind = (f(**{**arrays, name: arrays[name] + h * direction})[0] for h in (step, -step))
    difference, slope = (ahead - behind) / (2 * step), np.vdot(gradient, direction)
    print(f"{COMPARED}")
    assert abs(difference - slope) <= 1e-5 * max(1, abs(slope)), name"""
FIT_CODE = """\
result = problem.fit(
    data={{name: arrays[name] for name in {data}}},
    start={{name: arrays[name] for name in gradients}},{more}
    max_iterations=200,
)
print(f"{ENDED}")"""
PLOT_CODE = """\
import matplotlib.pyplot as plt

plt.plot([iteration.loss for iteration in result.history])
plt.xlabel("$t$")
plt.ylabel("$L$")
plt.show()"""


def cells(derivation: Derivation, sources: Sequence[str], language: Language) -> list[Cell]:
    """The cells, from those on that make `problem`."""
    of_data = [e.name for e in derivation.leaves if e.role in (Role.DATA, Role.LABELS)]
    numbers = [e.name for e in derivation.leaves if e.role is Role.HYPERPARAMETER and e.value is None]
    more = f"\n    hyperparameters={{name: arrays[name] for name in {_quoted(numbers)}}}," if numbers else ""
    return [
        Cell(HEADING.to(language)),
        *(Cell(source, is_code=True) for source in sources),
        Cell(COMPILE.to(language)),
        Cell("f = problem.compile()\nprint(f.source)", is_code=True),
        Cell(SAMPLE.to(language)),
        Cell(SAMPLE_CODE, is_code=True),
        Cell(CHECK.to(language)),
        Cell(CHECK_CODE.replace("{COMPARED}", COMPARED.to(language)), is_code=True),
        Cell(FIT.to(language)),
        Cell(
            FIT_CODE.format(data=_quoted(of_data), more=more, ENDED=ENDED.to(language)),
            is_code=True,
        ),
        Cell(PLOT.to(language)),
        Cell(PLOT_CODE, is_code=True),
    ]


def from_file(text: str, variables: Collection[str], title: Text) -> list[str]:
    """A model file's own text, and the problem of its variables."""
    given = [f"{name}={name}" for name in ("model", "parameters") if name in variables]
    arguments = ", ".join(["loss", *given, "names=globals()", f"docstring={_docstring(title)}"])
    return [text.strip(), f"import symgrad\n\nproblem = symgrad.Problem({arguments})"]


def rebuilt(derivation: Derivation, title: Text) -> list[str]:
    """A program that builds the problem again: its sizes, its arrays, its values line by line, in the model language."""
    return ["\n".join(_rebuilt(derivation, title))]


def _docstring(title: Text) -> str:
    """The title in its languages, as a docstring says it."""
    return _quoted(title.en if title.en == title.zh else f"{title.en}\n\nzh: {title.zh}")


def _rebuilt(derivation: Derivation, title: Text) -> Iterator[str]:
    sizes = list(dict.fromkeys(name for e in derivation.leaves for s in e.shape for name in s.names))
    sizes += [name for name in _classes(derivation) if name not in sizes]
    wrong = [name for name in sizes if name in TAKEN]
    if wrong:
        raise InputError(f"a notebook cannot hold a size that is called {wrong[0]}; give it another name")
    if any(isinstance(e.value, Fraction) and _decimal(e.value) is None for e in derivation.leaves):
        yield "from fractions import Fraction\n"
    yield "import symgrad as sg\n"
    if sizes:
        yield f'{", ".join(sizes)} = sg.dims("{" ".join(sizes)}")'
    yield "names = {"
    yield from (f'    "{name}": {name},' for name in sizes)
    yield from (f'    "{e.name}": {_declaration(e)},' for e in derivation.leaves)
    yield "}"
    *named, last = derivation.forward
    yield from (f'names["{eq.name}"] = sg.parse({_quoted(str(eq.expression))}, names)' for eq in named)
    yield f"loss = sg.parse({_quoted(str(last.expression))}, names)"
    if derivation.model is not None:
        yield f"model = sg.parse({_quoted(str(derivation.model))}, names)"
    given = ", model=model" if derivation.model is not None else ""
    yield f"problem = sg.Problem(loss{given}, names=names, docstring={_docstring(title)})"


def _classes(derivation: Derivation) -> list[str]:
    return [name for e in derivation.leaves if e.role is Role.LABELS for name in getattr(e.value, "names", ())]


def _declaration(e: Leaf) -> str:
    shape = show_shape(e.shape).strip("()").rstrip(",")
    parts = [f'"{e.name}"', *([shape] if shape else [])]
    if e.role is Role.LABELS:
        parts.append(str(e.value))
    if isinstance(e.value, Fraction):
        parts.append(_decimal(e.value) or f"Fraction({e.value.numerator}, {e.value.denominator})")
    parts += [f"{fact}=True" for fact in sorted(e.facts)]
    if e.about.en or e.about.zh:
        same = e.about.en == e.about.zh
        en, zh = _quoted(e.about.en), _quoted(e.about.zh)
        parts.append(f"about={en}" if same else f"about=sg.Text(en={en}, zh={zh})")
    return f"sg.{e.role.value}({', '.join(parts)})"


def _decimal(value: Fraction) -> str | None:
    """The value as it was written, where a decimal says it exactly."""
    text = repr(float(value)) if value.denominator != 1 else str(value)
    return text if Fraction(text) == value else None


# What cannot be seen, cannot be written to a file, or turns the rest of its line around.
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})


def _quoted(value: str | list[str]) -> str:
    r"""A string or a list of names as Python writes it, between double quotes; what cannot be seen as its number.

    >>> print(_quoted(["权重", "a\ud800b\u202e"]))
    ["权重", "a\ud800b\u202e"]
    """
    text = json.dumps(value, ensure_ascii=False)
    return "".join(_number(c) if category(c) in UNSEEN else c for c in text)


def _number(c: str) -> str:
    return rf"\u{ord(c):04x}" if ord(c) < 0x10000 else rf"\U{ord(c):08x}"
