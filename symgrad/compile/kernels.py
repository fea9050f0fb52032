"""Source of the functions that a generated module may need besides those of the tables."""

from __future__ import annotations

import re

from symgrad.primitives.functions import FUNCTIONS
from symgrad.primitives.table import PRIMITIVES

SOFTMAX_AND_LOG = '''
def softmax_and_log(z, axis):
    """softmax(z) along `axis` and its logarithm, from one exponential that cannot overflow."""
    z = z - z.max(axis=axis, keepdims=True)
    e = np.exp(z)
    s = e.sum(axis=axis, keepdims=True)
    e /= s
    z -= np.log(s)
    return e, z
'''
SIGMOID_AND_LOGS = '''
def sigmoid_and_logs(z):
    """sigmoid(z), log(1 + exp(z)) and log(1 + exp(-z)) from one exponential that cannot overflow."""
    e = np.exp(-np.abs(z))
    log = np.log1p(e)
    return np.where(z >= 0, 1, e) / (1 + e), np.maximum(z, 0) + log, np.maximum(-z, 0) + log
'''
SIGMOID_AND_SUM = '''
def sigmoid_and_sum(z):
    """sigmoid(z) and sum(log(1 + exp(z))), by few logarithms of products where these hold the digits."""
    if z.max(initial=0) > 30:
        e = np.exp(-np.abs(z))
        return np.where(z >= 0, 1, e) / (1 + e), np.maximum(z, 0).sum() + np.log1p(e).sum()
    e = np.exp(z)
    t = 1 + e
    if t.size < 1024 or t.dtype != float:
        total = np.log(t).sum()
    else:
        # Each factor is at most 1 + exp(30), and 16 of them below exp(481).
        terms = t.reshape(-1)
        whole = terms.size - terms.size % 16
        products = np.multiply.reduce(terms[:whole].reshape(16, -1))
        total = np.log(products).sum() + np.log(terms[whole:]).sum()
    # A sum of what lies near log(1) has lost its last digits.
    if total < 1e-3 * t.size:
        total = np.log1p(e).sum()
    return np.divide(e, t, out=t), total
'''
SOFTMAX_AND_INNER = '''
def softmax_and_inner(z, y, sums, axis, out=None):
    """softmax(z) along `axis` and the sum of y * log(softmax(z)); `sums` are those of y along the axis."""
    e = np.subtract(z, z.max(axis=axis, keepdims=True), out=out)
    inner = np.vdot(y, e)
    np.exp(e, out=e)
    s = e.sum(axis=axis)
    e /= np.expand_dims(s, axis)
    return e, inner - sums @ np.log(s)
'''
INVERSE_AND_LOGDET = '''
def inverse_and_logdet(a):
    """a⁻¹ and log(det(a)) of a symmetric a; where it is positive definite L⁻ᵀ L⁻¹, with a = L Lᵀ."""
    try:
        factor = np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        sign, log = np.linalg.slogdet(a)
        return np.linalg.inv(a), np.where(sign > 0, log, np.nan)[()]
    log = 2 * np.log(np.diagonal(factor)).sum()
    if len(a) <= 64:
        return np.linalg.inv(a), log
    root = inverse_of_triangle(factor)
    return root.T @ root, log


def inverse_of_triangle(a):
    """a⁻¹ of a lower triangle, by halves."""
    n = len(a)
    if n <= 32:
        return np.linalg.inv(a)
    h = n // 2
    x = np.zeros_like(a)
    x[:h, :h], x[h:, h:] = inverse_of_triangle(a[:h, :h]), inverse_of_triangle(a[h:, h:])
    x[h:, :h] = -(x[h:, h:] @ (a[h:, :h] @ x[:h, :h]))
    return x
'''
BOTH_PRODUCTS = '''
def both_products(m, b, a):
    """m b and mᵀ a."""
    return m @ b, m.T @ a
'''
PRODUCTS_AND_GRAMS = '''
def products_and_grams(m, b, a):
    """m b, mᵀ a, bᵀ b and aᵀ a."""
    return m @ b, m.T @ a, b.T @ b, a.T @ a
'''
INVERSE_OR_ZERO = '''
def inverse_or_zero(x):
    """1 / x, and 0 where x is 0: the gradient of a norm at 0 is taken to be 0."""
    x = np.asarray(x)
    return np.divide(1, x, out=np.zeros_like(x), where=x != 0)[()]
'''
SHIFTED = '''
def shifted(x, width, axis):
    """x[..., u - s, ...] with s as a last axis, s < width, and 0 where u - s is outside: what overlapping windows add up."""
    margins = [(width - 1, width - 1) if k == axis else (0, 0) for k in range(x.ndim)]
    return np.lib.stride_tricks.sliding_window_view(np.pad(x, margins), width, axis=axis)[..., ::-1]
'''
ADDED = '''
def added(x, labels, classes):
    """For each class the sum of the rows of x whose label it is."""
    rows = x.reshape((labels.size, -1))
    if classes <= 64:
        y = (np.arange(classes)[:, None] == labels.ravel()).astype(x.dtype) @ rows
    else:
        y = np.zeros((classes, rows.shape[1]), x.dtype)
        np.add.at(y, labels.ravel(), rows)
    return y.reshape((classes,) + x.shape[labels.ndim:])
'''
OWN = {
    "softmax_and_log": SOFTMAX_AND_LOG,
    "sigmoid_and_logs": SIGMOID_AND_LOGS,
    "sigmoid_and_sum": SIGMOID_AND_SUM,
    "softmax_and_inner": SOFTMAX_AND_INNER,
    "inverse_and_logdet": INVERSE_AND_LOGDET,
    "both_products": BOTH_PRODUCTS,
    "products_and_grams": PRODUCTS_AND_GRAMS,
    "shifted": SHIFTED,
    "inverse_or_zero": INVERSE_OR_ZERO,
    "added": ADDED,
}

CHECKED = '''
_FLOAT = np.dtype(float)
# What arrays that fitted looked like, and their common type: the same need no second look.
_FITTING = {}


def _checked(arrays, sizes, *types):
    """The arrays in their common floating type, if their shapes are those of _SHAPES for some sizes."""
    arrays = {name: np.asarray(a) for name, a in arrays.items()}
    looks = (*arrays, *sizes.values(), *types, *[(a.shape, a.dtype) for a in arrays.values()])
    if looks not in _FITTING:
        if len(_FITTING) > 199:
            _FITTING.clear()
        _FITTING[looks] = _common_type(arrays, sizes, types)
        # Arrays of the right type need no more than shapes that fitted.
        _FITTING[(*arrays, *sizes.values(), *[a.shape for a in arrays.values()])] = None
    dtype = _FITTING[looks]
    return [np.asarray(a, dtype) for a in arrays.values()]


def _common_type(arrays, sizes, types):
    """The floating type of the arrays and of what they meet, if their shapes are those of _SHAPES."""
    for name, a in arrays.items():
        if a.dtype.kind not in "fiub":
            raise ValueError(f"{name} holds values of type {a.dtype}; it needs numbers")
    _check_shapes({name: a.shape for name, a in arrays.items()}, dict(sizes))
    types = [dtype for dtype in (*types, *[a.dtype for a in arrays.values()]) if dtype.kind == "f"]
    return np.result_type(*types) if types else np.dtype(float)
'''
CHECK_SHAPES = '''
def _check_shapes(shapes, sizes):
    """An error that names the array, its shape and the declared one, where a shape does not fit."""
    origin = dict.fromkeys(sizes, "the arguments")
    for name, shape in shapes.items():
        declared = _SHAPES[name]
        if len(shape) != len(declared):
            raise ValueError(f"{name} has shape {shape}, declared {_written(declared)}")
        for size, length in zip(declared, shape):
            expected = sizes.setdefault(size, int(size) if size.isdigit() else length)
            if length != expected:
                known = "" if size.isdigit() else f" with {size} = {expected} (from {origin[size]})"
                raise ValueError(f"{name} has shape {shape}, declared {_written(declared)}{known}")
            origin.setdefault(size, name)
'''
CHECK_POLYNOMIALS = """    for size, (names, value) in _POLYNOMIALS.items():
        if size in sizes and all(n in sizes for n in names):
            if sizes[size] != value(*(sizes[n] for n in names)):
                name = origin[size]
                known = ", ".join(f"{n} = {sizes[n]} (from {origin[n]})" for n in names)
                declared = _written(_SHAPES[name])
                raise ValueError(f"{name} has shape {shapes[name]}, declared {declared} with {known}")
"""
WRITTEN = """
def _written(shape):
    return f"({', '.join(shape)}{',' if len(shape) == 1 else ''})"
"""
BLOCKS = '''
def _blocks(arrays, width, axis=-1):
    """Copies, cut along `axis` into blocks of examples of which `width` numbers stay in the cache."""
    arrays = [np.moveaxis(a, axis, 0) for a in arrays]
    n = len(arrays[0])
    rows = min(max(2**19 // width, 2048), 8192)
    count = 1 if 2 * n <= 3 * rows else -(-n // rows)
    cuts = [k * n // count for k in range(count + 1)]
    parts = [[np.moveaxis(a[i:j], 0, axis) for a in arrays] for i, j in zip(cuts, cuts[1:])]
    return [tuple([np.array(a, order="C") for a in part]) for part in parts]
'''
ROTATED = '''
def _rotated(*arrays):
    """R of [arrays, 1] = Q R, cut like the arrays: QᵀQ = I, so products of columns are the same."""
    n = len(arrays[0])
    columns = [a.reshape(n, -1) for a in arrays] + [np.ones((n, 1), arrays[0].dtype)]
    ends = np.cumsum([c.shape[1] for c in columns])
    R = np.hstack(columns)
    if n > 4 * ends[-1] and ends[-1] <= 1000:
        # Some rows at a time, those of the triangle so far on top: they stay in the cache.
        step = max(4 * ends[-1], 2**17 // ends[-1])
        rows, R = R, R[:0]
        for k in range(0, n, step):
            R = np.linalg.qr(np.vstack([R, rows[k:k + step]]), mode="r")
    parts = np.split(R, ends[:-1], axis=1)
    shapes = [*(a.shape[1:] for a in arrays), ()]
    return [np.ascontiguousarray(part).reshape(-1, *shape) for part, shape in zip(parts, shapes)]
'''
EIGEN = '''
def _eigen(a):
    """Eigenvalues and eigenvectors of a symmetric a, which are no numbers where an entry of a is none."""
    if not np.isfinite(a).all():
        return np.full_like(a[0], np.nan), np.full_like(a, np.nan)
    return np.linalg.eigh(a)
'''
ADDED_UP = '''
def _added_up(some, blocks):
    """The sums of what the blocks give."""
    total = some(*blocks[0])
    for block in blocks[1:]:
        total = [a + b for a, b in zip(total, some(*block))]
    return total
'''
LABELS = '''
def _labels(name, a, classes):
    """The whole numbers of a, if each is one of 0 ... classes - 1."""
    if (a != np.trunc(a)).any() or not ((a >= 0) & (a < classes)).all():
        raise ValueError(f"{name} holds a value that is no label; a label is one of 0 ... {classes - 1}")
    return a.astype(np.intp)
'''


def kernel_names() -> set[str]:
    """The names of all functions of generated code that are not NumPy's."""
    sources = [entry.kernel for table in (FUNCTIONS, PRIMITIVES) for entry in table.values()]
    return {name for source in sources for name in re.findall(r"^(?:def )?(\w+)(?:\(| =)", source, re.M)} | set(OWN)


def kernel_source(name: str) -> str:
    """The source of the function `name` of generated code, or an empty text where it is NumPy's own.

    >>> print(kernel_source("sigmoid").split(":")[0].strip())
    def sigmoid(z)
    """
    if name in OWN:
        return OWN[name]
    entry = FUNCTIONS.get(name) or PRIMITIVES.get(name)
    return entry.kernel if entry is not None else ""
