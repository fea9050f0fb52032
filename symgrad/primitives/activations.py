"""The usual activation functions: those with a formula of their own are entries of the table, the others are defined here."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from symgrad.graph.expression import Expr, coerce, elementwise

__all__ = ["elu", "gelu", "hard_sigmoid", "hard_tanh", "leaky_relu", "mish", "relu6", "selu", "silu", "softsign"]

# Klambauer et al. 2017, §2: the fixed point of mean 0 and variance 1.
SELU_SLOPE, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def leaky_relu(x: object, slope: Any = Fraction(1, 100)) -> Expr:
    """x where x > 0, else slope·x; a parameter as the slope makes it PReLU. [maas2013]"""
    return elementwise("leaky_relu", x, slope)


def elu(x: object, alpha: Any = 1) -> Expr:
    """x where x > 0, else alpha·(eˣ - 1). [clevert2016]"""
    return elementwise("elu", x, alpha)


def selu(x: object) -> Expr:
    """elu with the scale and slope that keep mean 0 and variance 1. [klambauer2017]"""
    return SELU_SCALE * elu(x, SELU_SLOPE)


def silu(x: object) -> Expr:
    """x σ(x), also called swish.

    >>> from symgrad.primitives.language import data
    >>> str(silu(data("z")))
    'z * sigmoid(z)'
    """
    z = coerce(x)
    return z * elementwise("sigmoid", z)


def gelu(x: object) -> Expr:
    """x Φ(x), Φ the standard normal distribution function. [hendrycks2016]"""
    z = coerce(x)
    return z * elementwise("normal_cdf", z)


def mish(x: object) -> Expr:
    """x tanh(log(1 + eˣ)). [misra2020]"""
    z = coerce(x)
    return z * elementwise("tanh", elementwise("softplus", z))


def softsign(x: object) -> Expr:
    """x / (1 + |x|)."""
    z = coerce(x)
    return z / (1 + elementwise("absolute", z))


def hard_tanh(x: object) -> Expr:
    """x kept between -1 and 1."""
    return elementwise("clip", x, -1, 1)


def hard_sigmoid(x: object) -> Expr:
    """x/6 + ½ kept between 0 and 1."""
    return elementwise("clip", coerce(x) / 6 + Fraction(1, 2), 0, 1)


def relu6(x: object) -> Expr:
    """x kept between 0 and 6."""
    return elementwise("clip", x, 0, 6)
