"""What compiled loops call: functions of a number, normalisers and products over a tile of examples, how tiles are shared."""

from symgrad.compile.tiles.compiled import loop
from symgrad.compile.tiles.functions import (
    clip,
    elu,
    exp,
    huber,
    inverse_or_zero,
    leaky_relu,
    logcosh,
    maximum,
    minimum,
    relu,
    sigmoid,
    sign,
    softplus,
    tanh,
)
from symgrad.compile.tiles.normalisers import (
    largest,
    log_softmax,
    logsumexp,
    sigmoid_and_sum,
    softmax,
    softmax_and_inner,
    softmax_and_log,
)
from symgrad.compile.tiles.products import add_products, add_products_of_rows, products, products_of_rows
from symgrad.compile.tiles.sharing import Team, all_finite, cut, told

__all__ = [
    "Team",
    "add_products",
    "add_products_of_rows",
    "all_finite",
    "clip",
    "cut",
    "elu",
    "exp",
    "huber",
    "inverse_or_zero",
    "largest",
    "leaky_relu",
    "log_softmax",
    "logcosh",
    "logsumexp",
    "loop",
    "maximum",
    "minimum",
    "products",
    "products_of_rows",
    "relu",
    "sigmoid",
    "sigmoid_and_sum",
    "sign",
    "softmax",
    "softmax_and_inner",
    "softmax_and_log",
    "softplus",
    "tanh",
    "told",
]
