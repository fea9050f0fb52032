"""The table of scalar functions: bodies, derivatives as they are printed, LaTeX, NumPy, kinks."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from symgrad.graph.expression import Expr, Leaf, Role, elementwise, number, power
from symgrad.primitives import special
from symgrad.primitives.entry import DEFINITION, Function, Scalars
from symgrad.prose import Text


def _is_constant(e: Expr) -> bool:
    """A number or hyperparameter, also one that is broadcast."""
    while e.kind == "contraction" and len(e.children) == 1:
        e = e.children[0]
    return isinstance(e, Leaf) and e.role in {Role.NUMBER, Role.HYPERPARAMETER, Role.SIZE}


def _larger(a: Expr, b: Expr) -> Expr:
    """The derivative of max(a, b) by a: [a > b], and ½ at a tie of two expressions that both vary."""
    if _is_constant(a) or _is_constant(b):
        return elementwise("greater", a, b)
    return elementwise("greater", a, b) + elementwise("equal", a, b) / 2


def _power_derivative(y: Expr, x: Expr, exponent: Fraction) -> Expr:
    return exponent * power(x, number(exponent - 1))


def _softplus(s: Scalars, x: Any) -> Any:
    return s.log(s.number(1) + s.exp(x))


def _huber(s: Scalars, r: Any, delta: Any) -> Any:
    half = s.number(Fraction(1, 2))
    return s.choose(
        (-delta * r - half * delta**2, r < -delta),
        (delta * r - half * delta**2, r > delta),
        (half * r**2, True),
    )


def _bracket(s: Scalars, condition: Any) -> Any:
    return s.choose((s.number(1), condition), (s.number(0), True))


# A comparison has no slope but at its jump, where it has none either.
JUMP = Text(
    en="A condition such as [a > b] is 0 or 1: its derivative is taken to be 0 everywhere, where it jumps too.",
    zh="形如 [a > b] 的条件只取 0 或 1：约定其导数处处取 0，跳变处亦然。",
)

EXP = Function(
    name="exp",
    about=Text(en="exponential", zh="指数函数"),
    body=lambda s, x: s.exp(x),
    derivatives=(lambda y, x: y,),
    latex="e^{{{0}}}",
    numpy="np.exp({0})",
)
LOG = Function(
    name="log",
    about=Text(en="natural logarithm", zh="自然对数"),
    body=lambda s, x: s.log(x),
    derivatives=(lambda y, x: 1 / x,),
    latex=r"\log",
    numpy="np.log({0})",
    domain=Text(en="The logarithm needs a positive argument.", zh="对数的自变量须为正。"),
    sample=(0.2, 3.0),
)
TANH = Function(
    name="tanh",
    about=Text(en="hyperbolic tangent", zh="双曲正切"),
    body=lambda s, x: s.tanh(x),
    derivatives=(lambda y, x: 1 - y**2,),
    latex=r"\tanh",
    numpy="np.tanh({0})",
)
SIGMOID = Function(
    name="sigmoid",
    about=Text(en="logistic sigmoid 1/(1 + e^{-x})", zh="逻辑斯谛函数 1/(1 + e^{-x})"),
    body=lambda s, x: 1 / (s.number(1) + s.exp(-x)),
    derivatives=(lambda y, x: y * (1 - y),),
    latex=r"\sigma",
    numpy="sigmoid({0})",
    sign=(r"\sigma(t) = 1/(1 + e^{-t})", DEFINITION),
    kernel='''
def sigmoid(z):
    """1 / (1 + exp(-z)); exp only of what is not positive, so that nothing overflows."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)
''',
)
SOFTPLUS = Function(
    name="softplus",
    about=Text(en="log(1 + e^x)", zh="log(1 + e^x)"),
    body=_softplus,
    derivatives=(lambda y, x: elementwise("sigmoid", x),),
    latex=r"\log\bigl(1 + e^{{{0}}}\bigr)",
    numpy="np.logaddexp(0, {0})",
)
RELU = Function(
    name="relu",
    about=Text(en="rectifier max(0, x)", zh="线性整流 max(0, x)"),
    body=lambda s, x: s.choose((x, s.greater(x, s.number(0))), (s.number(0), True)),
    derivatives=(lambda y, x: x > 0,),
    latex=r"\mathrm{relu}",
    sign=(r"\mathrm{relu}(t) = \max(0, t)", DEFINITION),
    numpy="np.maximum({0}, 0)",
    kink=Text(en="At 0 the derivative of relu is taken to be 0.", zh="约定 relu 在 0 处的导数取 0。"),
)
ABSOLUTE = Function(
    name="absolute",
    word="abs",
    about=Text(en="absolute value", zh="绝对值"),
    body=lambda s, x: s.choose((x, s.greater(x, s.number(0))), (-x, x < 0), (s.number(0), True)),
    derivatives=(lambda y, x: elementwise("sign", x),),
    latex=r"\lvert {0} \rvert",
    numpy="np.abs({0})",
    kink=Text(en="At 0 the derivative of the absolute value is taken to be 0.", zh="约定绝对值在 0 处的导数取 0。"),
)
SIGN = Function(
    name="sign",
    about=Text(en="sign: -1, 0 or 1", zh="符号函数：−1、0 或 1"),
    body=lambda s, x: s.choose((s.number(1), s.greater(x, s.number(0))), (s.number(-1), x < 0), (s.number(0), True)),
    derivatives=(None,),
    latex=r"\mathrm{sign}",
    sign=(r"\mathrm{sign}", Text(en="{sign} is −1, 0 or 1", zh="{sign} 取 −1、0 或 1")),
    numpy="np.sign({0})",
    kink=Text(
        en="The sign is constant on either side of 0: its derivative is taken to be 0 everywhere, at 0 too.",
        zh="符号函数在 0 的两侧均为常数：约定其导数处处取 0，在 0 处亦然。",
    ),
)
SIN = Function(
    name="sin",
    about=Text(en="sine", zh="正弦"),
    body=lambda s, x: s.sin(x),
    derivatives=(lambda y, x: elementwise("cos", x),),
    latex=r"\sin",
    numpy="np.sin({0})",
)
COS = Function(
    name="cos",
    about=Text(en="cosine", zh="余弦"),
    body=lambda s, x: s.cos(x),
    derivatives=(lambda y, x: -elementwise("sin", x),),
    latex=r"\cos",
    numpy="np.cos({0})",
)
GREATER = Function(
    name="greater",
    word="",
    about=Text(en="1 where the first is greater, else 0", zh="前者大于后者处为 1，否则为 0"),
    body=lambda s, a, b: _bracket(s, s.greater(a, b)),
    derivatives=(None, None),
    latex="[{0} > {1}]",
    numpy="({0} > {1})",
    arity=2,
    kink=JUMP,
)
GREATER_EQUAL = Function(
    name="greater_equal",
    word="",
    about=Text(en="1 where the first is not less, else 0", zh="前者不小于后者处为 1，否则为 0"),
    body=lambda s, a, b: _bracket(s, a >= b),
    derivatives=(None, None),
    latex=r"[{0} \ge {1}]",
    numpy="({0} >= {1})",
    arity=2,
    kink=JUMP,
)
EQUAL = Function(
    name="equal",
    about=Text(en="1 where both are equal, else 0", zh="两者相等处为 1，否则为 0"),
    body=lambda s, a, b: _bracket(s, s.equal(a, b)),
    derivatives=(None, None),
    latex="[{0} = {1}]",
    numpy="({0} == {1})",
    arity=2,
    kink=JUMP,
)
MAXIMUM = Function(
    name="maximum",
    about=Text(en="the larger of two", zh="两者中较大者"),
    body=lambda s, a, b: s.choose((a, s.greater(a, b)), (b, True)),
    derivatives=(lambda y, a, b: _larger(a, b), lambda y, a, b: _larger(b, a)),
    latex=r"\max({0}, {1})",
    numpy="np.maximum({0}, {1})",
    arity=2,
    kink=Text(
        en="Where the two arguments of max are equal, a constant gets all of it: max(c, x) has the derivative [x > c];"
        " two expressions get one half each.",
        zh="max 的两个自变量相等时：若其一为常数 c，max(c, x) 的导数取 [x > c]；若两者都是表达式，则各取 1/2。",
    ),
)
MINIMUM = Function(
    name="minimum",
    about=Text(en="the smaller of two", zh="两者中较小者"),
    body=lambda s, a, b: s.choose((b, s.greater(a, b)), (a, True)),
    derivatives=(lambda y, a, b: _larger(b, a), lambda y, a, b: _larger(a, b)),
    latex=r"\min({0}, {1})",
    numpy="np.minimum({0}, {1})",
    arity=2,
    kink=Text(
        en="Where the two arguments of min are equal, a constant gets all of it: min(c, x) has the derivative [x < c];"
        " two expressions get one half each.",
        zh="min 的两个自变量相等时：若其一为常数 c，min(c, x) 的导数取 [x < c]；若两者都是表达式，则各取 1/2。",
    ),
)
CLIP = Function(
    name="clip",
    about=Text(en="x kept between two bounds", zh="把 x 限制在上下界之间"),
    body=lambda s, x, low, high: s.choose((low, x < low), (high, x > high), (x, True)),
    derivatives=(
        lambda y, x, low, high: (x > low) * (high > x),
        lambda y, x, low, high: low > x,
        lambda y, x, low, high: x > high,
    ),
    latex=r"\mathrm{{clip}}({0},\, {1},\, {2})",
    sign=(r"\mathrm{clip}(t,\, a,\, b) = \min\bigl(\max(t, a), b\bigr)", DEFINITION),
    numpy="np.clip({0}, {1}, {2})",
    arity=3,
    kink=Text(en="At its bounds the derivative of clip is taken to be 0.", zh="约定 clip 在上下界处的导数取 0。"),
)
HUBER = Function(
    name="huber",
    about=Text(en="r²/2 for |r| ≤ δ, else δ(|r| - δ/2)", zh="|r| ≤ δ 时为 r²/2，否则为 δ(|r| − δ/2)"),
    body=_huber,
    derivatives=(
        lambda y, r, delta: elementwise("clip", r, -delta, delta),
        lambda y, r, delta: elementwise("relu", elementwise("absolute", r) - delta),
    ),
    positive=(1,),
    latex=r"h_{{{1}}}\bigl({0}\bigr)",
    sign=(
        r"h_{\delta}(t)",
        Text(
            en=r"{sign} is $t^{2}/2$ where $\lvert t\rvert \le \delta$, else $\delta (\lvert t\rvert - \delta/2)$",
            zh=r"{sign} 在 $\lvert t\rvert \le \delta$ 时为 $t^{2}/2$，否则为 $\delta (\lvert t\rvert - \delta/2)$",
        ),
    ),
    numpy="huber({0}, {1})",
    arity=2,
    kernel='''
def huber(r, delta):
    """r**2 / 2 where |r| <= delta, else delta * (|r| - delta / 2)."""
    a = np.minimum(np.abs(r), delta)
    return a * (np.abs(r) - a / 2)
''',
)
WHERE = Function(
    name="where",
    word="",
    about=Text(en="the second where the condition holds, else the third", zh="条件成立处取第二个，否则取第三个"),
    body=lambda s, c, a, b: s.choose((b, s.equal(c, s.number(0))), (a, True)),
    derivatives=(None, lambda y, c, a, b: c, lambda y, c, a, b: 1 - c),
    latex=r"\begin{{cases}} {1} & {0} \\ {2} & \text{{otherwise}} \end{{cases}}",
    numpy="np.where({0}, {1}, {2})",
    arity=3,
)
POWER = Function(
    name="power",
    word="",
    about=Text(en="a rational power", zh="有理数次幂"),
    body=lambda s, x, exponent: s.power(x, exponent),
    derivatives=(_power_derivative,),
    latex="{0}^{{{1}}}",
    numpy="",
    domain=Text(
        en="A divisor must not be 0, and what stands under a root must not be negative.",
        zh="除数不得为 0，根号下的数不得为负。",
    ),
    sample=(0.2, 2.0),
    is_family=True,
)
POWER_OF = Function(
    name="power_of",
    word="",
    about=Text(en="a power whose exponent varies", zh="指数可变的幂"),
    body=lambda s, x, exponent: s.exp(exponent * s.log(x)),
    derivatives=(
        lambda y, x, p: p * elementwise("power_of", x, p - 1),
        lambda y, x, p: y * elementwise("log", x),
    ),
    latex="{0}^{{{1}}}",
    numpy="{0} ** {1}",
    domain=Text(en="A power with an exponent that varies needs a positive base.", zh="指数可变的幂，底数须为正。"),
    arity=2,
    sample=(0.2, 2.0),
)
SCALAR = Function(
    name="scalar",
    word="",
    about=Text(en="a function given as a SymPy expression", zh="由 SymPy 表达式给出的函数"),
    body=lambda s, *operands: s.scalar(operands[-1], *operands[:-1]),
    derivatives=None,
    latex="",
    numpy="",
    sample=(0.2, 1.5),
    is_family=True,
)

FUNCTIONS: dict[str, Function] = {
    entry.name: entry for entry in (*globals().values(), *vars(special).values()) if isinstance(entry, Function)
}
