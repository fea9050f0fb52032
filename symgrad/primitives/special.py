"""More entries of the table of functions: hyperbolic functions, the normal distribution, activations with a formula of their own."""

from __future__ import annotations

from fractions import Fraction

from symgrad.graph.expression import elementwise, power
from symgrad.primitives.entry import Function
from symgrad.prose import Text

# Of log(erfc(x) exp(x²) (2 + x) / 2) by Chebyshev polynomials in 4 / (2 + x) - 1 for x ≥ 0, to 4·10⁻¹⁶.
_ERFC = '''
_ERFC = (
    -0.6513268598908547, 0.6419697923564902, 0.019476473204185836, -0.009561514786808632,
    -0.0009465953444820369, 0.00036683949785276145, 4.252332480690777e-05, -2.0278578112534242e-05,
    -1.6242900046470256e-06, 1.3036558355805232e-06, 1.5626441722066142e-08, -8.523809591492654e-08,
    6.5290544390988515e-09, 5.059343495551469e-09, -9.91364156493033e-10, -2.273651222931836e-10,
    9.646791102015527e-11, 2.3940380830391146e-12, -6.886027526497553e-12, 8.944879273090725e-13,
    3.130921399342958e-13, -1.1270822361367252e-13, 3.810905255189232e-16, 7.106097613609237e-15,
    -1.5230282014571043e-15, -9.457494571291233e-17, 1.210237189224279e-16, -2.816663087747177e-17,
)


def erfc(x):
    """1 - erf(x), by a Chebyshev series; without cancellation where x is large."""
    a = np.abs(x)
    t = 2 / (2 + a)
    u = 4 * t - 2
    b, d = 0 * a, 0 * a
    for c in _ERFC[:0:-1]:
        b, d = u * b - d + c, b
    tail = t * np.exp(u * b / 2 - d + _ERFC[0] - a * a)
    return np.where(x < 0, 2 - tail, tail)


def erf(x):
    """2/√π times the integral of exp(-t²) from 0 to x."""
    return 1 - erfc(x)


def normal_cdf(x):
    """The integral of the standard normal density up to x; without cancellation where x is far below 0."""
    return erfc(x * -0.7071067811865476) / 2
'''


SINH = Function(
    name="sinh",
    about=Text(en="hyperbolic sine", zh="双曲正弦"),
    body=lambda s, x: (s.exp(x) - s.exp(-x)) / 2,
    derivatives=(lambda y, x: elementwise("cosh", x),),
    latex=r"\sinh",
    numpy="np.sinh({0})",
)
COSH = Function(
    name="cosh",
    about=Text(en="hyperbolic cosine", zh="双曲余弦"),
    body=lambda s, x: (s.exp(x) + s.exp(-x)) / 2,
    derivatives=(lambda y, x: elementwise("sinh", x),),
    latex=r"\cosh",
    numpy="np.cosh({0})",
)
LOG_COSH = Function(
    name="logcosh",
    about=Text(en="log cosh x", zh="log cosh x"),
    body=lambda s, x: -s.log(1 - s.tanh(x) ** 2) / 2,
    derivatives=(lambda y, x: elementwise("tanh", x),),
    latex=r"\log\cosh",
    numpy="logcosh({0})",
    kernel='''
def logcosh(x):
    """log(cosh(x)); exp only of what is not positive, so that nothing overflows."""
    a = np.abs(x)
    return a + np.log1p(np.exp(-2 * a)) - 0.6931471805599453
''',
)
NORMAL_PDF = Function(
    name="normal_pdf",
    about=Text(en="the density of the standard normal distribution", zh="标准正态分布的密度"),
    body=lambda s, x: s.exp(-(x**2) / 2) / s.power(2 * s.pi(), Fraction(1, 2)),
    derivatives=(lambda y, x: -x * y,),
    latex=r"\varphi",
    numpy="normal_pdf({0})",
    kernel='''
def normal_pdf(x):
    """exp(-x²/2) / √(2π)."""
    return np.exp(-np.square(x) / 2) * 0.3989422804014327
''',
    sign=(
        r"\varphi(t) = e^{-t^{2}/2}/\sqrt{2\pi}",
        Text(en="{sign} is the standard normal density", zh="{sign} 是标准正态分布的密度"),
    ),
)
NORMAL_CDF = Function(
    name="normal_cdf",
    about=Text(en="the distribution function of the standard normal distribution", zh="标准正态分布的分布函数"),
    body=lambda s, x: (1 + s.erf(x / s.power(s.number(Fraction(2)), Fraction(1, 2)))) / 2,
    derivatives=(lambda y, x: elementwise("normal_pdf", x),),
    latex=r"\Phi",
    numpy="normal_cdf({0})",
    kernel=_ERFC,
    sign=(
        r"\Phi(t) = \int_{-\infty}^{t} \varphi(s)\,\mathrm{d}s",
        Text(en="{sign} is the standard normal distribution function", zh="{sign} 是标准正态分布的分布函数"),
    ),
)
ERF = Function(
    name="erf",
    about=Text(en="the error function 2Φ(x√2) - 1", zh="误差函数 2Φ(x√2) − 1"),
    body=lambda s, x: s.erf(x),
    derivatives=(lambda y, x: power(8, Fraction(1, 2)) * elementwise("normal_pdf", power(2, Fraction(1, 2)) * x),),
    latex=r"\mathrm{erf}",
    numpy="erf({0})",
    kernel=_ERFC,
    sign=(
        r"\mathrm{erf}(t) = \tfrac{2}{\sqrt{\pi}} \int_{0}^{t} e^{-s^{2}}\,\mathrm{d}s",
        Text(en="{sign} is the error function", zh="{sign} 是误差函数"),
    ),
)
LEAKY_RELU = Function(
    name="leaky_relu",
    word="",
    about=Text(en="x where x > 0, else a·x", zh="x > 0 时为 x，否则为 a·x"),
    body=lambda s, x, a: s.choose((x, s.greater(x, s.number(0))), (a * x, True)),
    derivatives=(
        lambda y, x, a: elementwise("where", x > 0, 1, a),
        lambda y, x, a: elementwise("minimum", x, 0),
    ),
    latex=r"\mathrm{{lrelu}}_{{{1}}}({0})",
    numpy="leaky_relu({0}, {1})",
    arity=2,
    kernel='''
def leaky_relu(x, a):
    """x where x > 0, else a * x."""
    return np.where(x > 0, x, a * x)
''',
    kink=Text(
        en="At 0 the derivative of the leaky rectifier is taken to be that of its left branch.",
        zh="约定带泄漏的线性整流在 0 处的导数取左侧一支的斜率。",
    ),
    sign=(
        r"\mathrm{lrelu}_{a}(t)",
        Text(en="{sign} is $t$ where $t > 0$, else $a t$", zh="{sign} 在 $t > 0$ 时为 $t$，否则为 $a t$"),
    ),
)
ELU = Function(
    name="elu",
    word="",
    about=Text(en="x where x > 0, else a·(e^x - 1)", zh="x > 0 时为 x，否则为 a·(e^x − 1)"),
    body=lambda s, x, a: s.choose((x, s.greater(x, s.number(0))), (a * (s.exp(x) - 1), True)),
    derivatives=(
        lambda y, x, a: elementwise("where", x > 0, 1, y + a),
        lambda y, x, a: elementwise("exp", elementwise("minimum", x, 0)) - 1,
    ),
    latex=r"\mathrm{{elu}}_{{{1}}}({0})",
    numpy="elu({0}, {1})",
    arity=2,
    kernel='''
def elu(x, a):
    """x where x > 0, else a * (exp(x) - 1); exp only of what is not positive, so that nothing overflows."""
    return np.where(x > 0, x, a * np.expm1(np.minimum(x, 0)))
''',
    kink=Text(
        en="At 0 the derivative of the exponential linear unit is taken to be that of its left branch.",
        zh="约定指数线性单元在 0 处的导数取左侧一支的导数。",
    ),
    sign=(
        r"\mathrm{elu}_{a}(t)",
        Text(
            en="{sign} is $t$ where $t > 0$, else $a (e^{t} - 1)$",
            zh="{sign} 在 $t > 0$ 时为 $t$，否则为 $a (e^{t} - 1)$",
        ),
    ),
)
