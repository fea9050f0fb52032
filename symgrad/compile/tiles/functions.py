"""Functions of a number that vectorise.

The `exp` and `tanh` of numba are calls to the C library, one number at a time. These are a polynomial after a reduction by
powers of 2, which the compiler makes vector instructions of; they hold 3 units of the last place. What is not a number stays
none.
"""

from __future__ import annotations

import numpy as np

from symgrad.compile.tiles.compiled import exact


@exact
def reduced(y):
    """(r, 2^(n - 1)) with y = n log 2 + r, |r| at most half of log 2."""
    # What is added and taken away again is so large that the sum has no digits below 1: its last bits are n.
    shifted = y * 1.4426950408889634 + 6755399441055744.0
    n = shifted - 6755399441055744.0
    r = (y - n * 0.6931471803691238) - n * 1.9082149292705877e-10
    return r, np.int64((np.float64(shifted).view(np.int64) + 1022) << 52).view(np.float64)


@exact
def series(r):
    """(e^r - 1) / r by Taylor's series, for |r| at most half of log 2."""
    p = 1.6059043836821613e-10
    p = p * r + 2.08767569878681e-09
    p = p * r + 2.505210838544172e-08
    p = p * r + 2.755731922398589e-07
    p = p * r + 2.7557319223985893e-06
    p = p * r + 2.48015873015873e-05
    p = p * r + 0.0001984126984126984
    p = p * r + 0.001388888888888889
    p = p * r + 0.008333333333333333
    p = p * r + 0.041666666666666664
    p = p * r + 0.16666666666666666
    p = p * r + 0.5
    return p * r + 1.0


@exact
def exp(x):
    """e^x; what would be below 2^-1021 is 0."""
    r, half = reduced(710.0 if x > 710.0 else -710.0 if x < -710.0 else x)
    e = (series(r) * r + 1.0) * half * 2.0
    # Beyond 709.78 the last product overflows by itself, and tells of it.
    return 0.0 if x < -707.7 else e


@exact
def tanh(x):
    """(e^2|x| - 1) / (e^2|x| + 1), with the sign of x."""
    a = abs(x)
    r, half = reduced(44.0 if a > 22.0 else 2.0 * a)
    power = 2.0 * half
    m = power * (series(r) * r) + (power - 1.0)
    t = m / (m + 2.0)
    return -t if x < 0.0 else t


@exact
def sigmoid(x):
    """1 / (1 + exp(-x))."""
    e = exp(-abs(x))
    q = 1.0 / (1.0 + e)
    return e * q if x < 0.0 else q


@exact
def log1p_of_fraction(e):
    """log(1 + e) = 2 artanh(e / (2 + e)) by its series, for 0 <= e <= 1."""
    s = e / (2.0 + e)
    y = s * s
    p = 0.030303030303030304
    p = p * y + 0.03225806451612903
    p = p * y + 0.034482758620689655
    p = p * y + 0.037037037037037035
    p = p * y + 0.04
    p = p * y + 0.043478260869565216
    p = p * y + 0.047619047619047616
    p = p * y + 0.05263157894736842
    p = p * y + 0.058823529411764705
    p = p * y + 0.06666666666666667
    p = p * y + 0.07692307692307693
    p = p * y + 0.09090909090909091
    p = p * y + 0.1111111111111111
    p = p * y + 0.14285714285714285
    p = p * y + 0.2
    p = p * y + 0.3333333333333333
    p = p * y + 1.0
    return 2.0 * s * p


@exact
def softplus(x):
    """log(1 + exp(x))."""
    return (0.0 if x < 0.0 else x) + log1p_of_fraction(exp(-abs(x)))


@exact
def logcosh(x):
    """log(cosh(x)) = |x| + log(1 + exp(-2|x|)) - log 2, and a series in x**2 where that would lose digits."""
    a = abs(x)
    y = x * x
    return (
        y * (0.5 - y / 12.0 + y * y / 45.0) if a < 0.02 else a + log1p_of_fraction(exp(-2.0 * a)) - 0.6931471805599453
    )


@exact
def relu(x):
    """max(x, 0)."""
    return 0.0 if x <= 0.0 else x


@exact
def sign(x):
    """-1, 0 or 1."""
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else 0.0 * x


@exact
def inverse_or_zero(x):
    """1 / x, and 0 where x is 0."""
    return 0.0 if x == 0.0 else 1.0 / x


@exact
def maximum(x, y):
    """The larger."""
    return y if y > x or y != y else x


@exact
def minimum(x, y):
    """The smaller."""
    return y if y < x or y != y else x


@exact
def clip(x, y, z):
    """x, but not below y, and not above z."""
    low = y if x < y else x
    return z if low > z else low


@exact
def huber(x, y):
    """x**2 / 2 where abs(x) <= y, else y * (abs(x) - y / 2)."""
    return 0.5 * x * x if abs(x) <= y else y * (abs(x) - 0.5 * y)


@exact
def leaky_relu(x, y):
    """x where x > 0, else y * x."""
    return x if x > 0.0 else y * x


@exact
def elu(x, y):
    """x where x > 0, else y * (exp(x) - 1)."""
    return x if x > 0.0 else y * np.expm1(x)
