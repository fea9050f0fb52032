"""Operations as NumPy expressions: one small function for each kind, which gets the texts of the operands."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from symgrad.compile.operations import Op, Type
from symgrad.graph.expression import Shape
from symgrad.graph.show import ATOM, POWER, PRODUCT, SUM, UNARY, Text, enclosed
from symgrad.graph.sizes import Size
from symgrad.primitives.functions import FUNCTIONS
from symgrad.primitives.table import PRIMITIVES

LETTERS = "ijklpqrstuvabcdefghmnowxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
EXACT = 2**53
HALF = Fraction(1, 2)


class Context:
    """What texts need besides their operands: the names of sizes, the array whose type the results have."""

    def __init__(
        self, sizes: Mapping[str, str], dtype: str, kernels: dict[str, None], lambdas: dict[object, str]
    ) -> None:
        self.sizes = dict(sizes)
        self.dtype = dtype
        self.kernels = kernels
        self.lambdas = lambdas
        self.used_sizes: set[str] = set()

    def size(self, value: Size) -> Text:
        """A polynomial of sizes."""
        text = ""
        self.used_sizes.update(value.names)
        for monomial, c in value.terms:
            powers = [self.sizes[n] if p == 1 else f"{self.sizes[n]}**{p}" for n, p in monomial]
            if abs(c) != 1 or not powers:
                powers.insert(0, str(abs(c)))
            sign = ("-" if c < 0 else "") if not text else " - " if c < 0 else " + "
            text += sign + " * ".join(powers)
        level = ATOM if text.isalnum() or text.isidentifier() else SUM if len(value.terms) > 1 else PRODUCT
        return text or "0", level

    def shape(self, shape: Shape) -> str:
        """A shape as a tuple."""
        sizes = [self.size(s)[0] for s in shape]
        return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"


def text_of(op: Op, args: Sequence[Text], context: Context) -> Text:
    """The expression that computes `op` from the texts of its operands."""
    return _PRINTERS[op.kind](op, args, context)


def number(value: Fraction) -> Text:
    """An exact number, as a decimal where it is one.

    >>> number(Fraction(3, 10)), number(Fraction(-1, 3)), number(Fraction(7))
    (('0.3', 5), ('-1 / 3', 2), ('7', 5))
    """
    p, q = value.numerator, value.denominator
    exact = str(p) if q == 1 else f"{p} / {q}"
    text = repr(float(value)) if max(abs(p), q) > EXACT or (q != 1 and _is_decimal(q)) else exact
    return text, PRODUCT if "/" in text else UNARY if text.startswith("-") else ATOM


def _is_decimal(q: int) -> bool:
    for prime in (2, 5):
        while q % prime == 0:
            q //= prime
    return q == 1


def _permute(op: Op, args: Sequence[Text], context: Context) -> Text:
    text = enclosed(args[0], ATOM)
    if op.data == tuple(range(op.rank))[::-1]:
        return f"{text}.T", ATOM
    return f"{text}.transpose{op.data}", ATOM


def _expand(op: Op, args: Sequence[Text], context: Context) -> Text:
    places = ", ".join(":" if k in op.data else "None" for k in range(op.rank))
    return f"{enclosed(args[0], ATOM)}[{places}]", ATOM


def _broadcast(op: Op, args: Sequence[Text], context: Context) -> Text:
    (x,) = op.args
    shape = context.shape(op.shape)
    if x.type is Type.SCALAR:
        if args[0][0] in ("0", "1"):
            return f"np.{'zeros' if args[0][0] == '0' else 'ones'}({shape}, {context.dtype})", ATOM
        return f"np.full({shape}, {args[0][0]}, {context.dtype})", ATOM
    own = op.data
    text = args[0][0]
    if own and own != tuple(range(op.rank - len(own), op.rank)):
        text = enclosed(args[0], ATOM) + "[" + ", ".join(":" if k in own else "None" for k in range(op.rank)) + "]"
    return f"np.broadcast_to({text}, {shape})", ATOM


def _squeeze(op: Op, args: Sequence[Text], context: Context) -> Text:
    x, text = op.args[0], enclosed(args[0], ATOM)
    if x.rank > 1:
        return f"{text}.squeeze(axis={op.data})", ATOM
    if x.kind == "primitive" and x.data[0] == "slice" and text.endswith("]"):
        # One entry of a slice is that entry of the whole.
        return f"{text[: text.rindex('[')]}[{context.size(dict(x.data[1])['start'])[0]}]", ATOM
    return f"{text}[0]", ATOM


def _sum(op: Op, args: Sequence[Text], context: Context) -> Text:
    x = op.args[0]
    axes = op.data if len(op.data) != 1 else op.data[0]
    return f"{enclosed(args[0], ATOM)}.sum({'' if len(op.data) == x.rank else f'axis={axes}'})", ATOM


def _joined(texts: Sequence[Text]) -> str:
    if not texts:
        return ""
    return " * ".join([enclosed(texts[0], PRODUCT), *(enclosed(t, UNARY) for t in texts[1:])])


def _divided(numerator: str, divisors: Sequence[str]) -> str:
    if not divisors:
        return numerator
    below = divisors[0] if len(divisors) == 1 else f"({' * '.join(divisors)})"
    return f"{numerator or '1'} / {below}"


def _product(op: Op, args: Sequence[Text], context: Context) -> Text:
    """Scalars are multiplied with each other before they meet an array."""
    coefficient, *flags = op.data
    above, below = _coefficient(coefficient)
    is_negative = coefficient.numerator < 0
    scalars = [(above, ATOM)] if above else []
    arrays, below_arrays = list[Text](), list[str]()
    for x, text, is_divisor in zip(op.args, args, flags, strict=True):
        if is_divisor:
            (below_arrays if x.rank else below).append(enclosed(text, UNARY))
        else:
            (arrays if x.rank else scalars).append(text)
    if len(arrays) + len(below_arrays) > 1:
        # A @ B * C is read without a thought only where the matrix product stands in parentheses.
        arrays = [(enclosed(t, ATOM), ATOM) if x.kind == "matmul" else t for x, t in _numerators(op, arrays)]
    first = scalars or arrays
    if is_negative and first:
        leading = next((x for x, is_divisor in zip(op.args, flags, strict=True) if x.rank and not is_divisor), None)
        first[0] = (_negatable(first[0], None if scalars else leading), PRODUCT)
    sign = "-" if is_negative else ""
    if scalars or not arrays + below_arrays:
        pieces = [_divided(_joined(scalars), below), *(enclosed(t, UNARY) for t in arrays)]
        return sign + " * ".join(pieces) + "".join(f" / {d}" for d in below_arrays), PRODUCT
    product = (_joined(arrays) or "1") + "".join(f" / {d}" for d in below_arrays)
    return sign + _divided(product, below), PRODUCT


def _negatable(text: Text, op: Op | None) -> str:
    """A product that a minus sign can stand before: -A @ B would copy A first, and NumPy negates no truth values."""
    is_fine = text[1] >= PRODUCT and "@" not in text[0] and not text[0].startswith("-")
    is_fine = is_fine and not (text[1] == PRODUCT and op is not None and _begins_with_truth(op))
    return text[0] if is_fine else f"({text[0]})"


def _begins_with_truth(op: Op) -> bool:
    while op.kind == "product":
        op = op.args[0]
    return op.type is Type.TRUTH


def _numerators(op: Op, texts: Sequence[Text]) -> list[tuple[Op, Text]]:
    found = [x for x, is_divisor in zip(op.args, op.data[1:], strict=True) if x.rank and not is_divisor]
    return list(zip(found, texts, strict=True))


def _coefficient(c: Fraction) -> tuple[str, list[str]]:
    """What stands above and below the line for a coefficient, without its sign."""
    p, q = abs(c.numerator), c.denominator
    if max(p, q) > EXACT or (q != 1 and p != 1 and _is_decimal(q)):
        return repr(abs(float(c))), []
    return (str(p) if p != 1 else ""), ([str(q)] if q != 1 else [])


def summands(op: Op, args: Sequence[Text]) -> list[str]:
    """The terms of a sum, each with its sign in front."""
    terms: list[str] = []
    for c, x, text in zip(op.data, op.args, args, strict=True):
        above, below = _coefficient(c)
        is_negative = c.numerator < 0
        lowest = PRODUCT if terms or below else SUM
        if x.kind == "number" and x.data == 1:
            body = _divided(above, below) or "1"
        elif above:
            body = f"{_divided(above, below)} * {enclosed(text, UNARY)}"
        else:
            body = _divided(_negatable(text, x) if is_negative and not terms else enclosed(text, lowest), below)
        terms.append((" - " if is_negative else " + ") + body if terms else ("-" if is_negative else "") + body)
    return terms


def _total(op: Op, args: Sequence[Text], context: Context) -> Text:
    return "".join(summands(op, args)), SUM if len(args) > 1 else UNARY


def _matmul(op: Op, args: Sequence[Text], context: Context) -> Text:
    left = PRODUCT if op.args[0].kind == "matmul" else UNARY
    return f"{enclosed(args[0], left)} @ {enclosed(args[1], UNARY)}", PRODUCT


def _inner(op: Op, args: Sequence[Text], context: Context) -> Text:
    if op.args[0].rank == 1:
        return _matmul(op, args, context)
    return f"np.vdot({args[0][0]}, {args[1][0]})", ATOM


def _einsum(op: Op, args: Sequence[Text], context: Context) -> Text:
    indices, result = op.data
    letter = {i: LETTERS[k] for k, i in enumerate(dict.fromkeys([*result, *(i for own in indices for i in own)]))}
    spelled = ",".join("".join(letter[i] for i in own) for own in indices)
    target = "".join(letter[i] for i in result)
    return f'np.einsum("{spelled}->{target}", {", ".join(t for t, _ in args)})', ATOM


def _power(op: Op, base: Text) -> Text:
    exponent = op.data[1]
    if exponent == HALF and op.type is not Type.SCALAR:
        return f"np.sqrt({base[0]})", ATOM
    if exponent < 0:
        positive = base[0] if exponent == -1 else _raised(base, -exponent)
        return f"1 / {enclosed((positive, UNARY if exponent != -1 else base[1]), UNARY)}", PRODUCT
    return _raised(base, exponent), POWER


def _raised(base: Text, exponent: Fraction) -> str:
    return f"{enclosed(base, ATOM)}**{enclosed(number(exponent), ATOM)}"


def _function(op: Op, args: Sequence[Text], context: Context) -> Text:
    name, parameter = op.data
    if name == "power":
        return _power(op, args[0])
    if name == "scalar":
        kernel = context.lambdas.setdefault(parameter, f"function_{len(context.lambdas) + 1}")
        call = f"{kernel}({', '.join(t for t, _ in args)})"
        return (f"float({call})" if op.type is Type.SCALAR and not op.shape else call), ATOM
    template = "inverse_or_zero({0})" if name == "inverse_or_zero" else FUNCTIONS[name].numpy
    context.kernels[name] = None
    is_call = re.fullmatch(r"[\w.]+\([^()]*\)", template) is not None
    text = template.format(*(t if is_call else enclosed((t, level), ATOM) for t, level in args))
    if op.type is Type.SCALAR and not op.shape:
        return f"float({text})", ATOM
    is_enclosed = is_call or (template.startswith("(") and template.endswith(")"))
    return text, ATOM if is_enclosed else POWER


def _primitive(op: Op, args: Sequence[Text], context: Context) -> Text:
    name, options = op.data
    context.kernels[name] = None
    ranks = [x.rank for x in op.args]
    written = {key: _written(value, context) for key, value in options}
    return PRIMITIVES[name].numpy([t for t, _ in args], written, ranks), ATOM


def _written(option: Any, context: Context) -> Any:
    """An option with the texts of sizes."""
    if isinstance(option, tuple):
        return tuple(_written(item, context) for item in option)
    return context.size(option)[0] if isinstance(option, Size) else option


def _cast(op: Op, args: Sequence[Text], context: Context) -> Text:
    if op.rank:
        return f"{enclosed(args[0], ATOM)}.astype({context.dtype})", ATOM
    return f"{context.dtype}.type({args[0][0]})", ATOM


def _pair(op: Op, args: Sequence[Text], context: Context) -> Text:
    context.kernels["softmax_and_log"] = None
    return f"softmax_and_log({args[0][0]}, axis={dict(op.data)['axis']})", ATOM


def _together(op: Op, args: Sequence[Text], context: Context) -> Text:
    context.kernels[op.kind] = None
    return f"{op.kind}({', '.join(t for t, _ in args)})", ATOM


def _softmax_and_inner(op: Op, args: Sequence[Text], context: Context) -> Text:
    context.kernels[op.kind] = None
    return f"{op.kind}({', '.join(t for t, _ in args)}, axis={op.data})", ATOM


def _window(op: Op, args: Sequence[Text], context: Context) -> Text:
    length, windows, width = (context.size(s)[0] for s in op.shape)
    places = f"np.add.outer(np.arange({windows}), np.arange({width}))"
    return f"(np.arange({length})[:, None, None] == {places}).astype({context.dtype})", ATOM


def _windows(op: Op, args: Sequence[Text], context: Context) -> Text:
    return f"np.lib.stride_tricks.sliding_window_view({args[0][0]}, {args[1][0]}, axis={op.data})", ATOM


def _take(op: Op, args: Sequence[Text], context: Context) -> Text:
    where = ", ".join([*[":"] * op.data, args[1][0]])
    return f"{enclosed(args[0], ATOM)}[{where}]", ATOM


def _pick(op: Op, args: Sequence[Text], context: Context) -> Text:
    return f"{enclosed(args[0], ATOM)}[np.arange({args[1][0]}.size), {args[1][0]}]", ATOM


def _added(op: Op, args: Sequence[Text], context: Context) -> Text:
    context.kernels["added"] = None
    return f"added({', '.join(t for t, _ in args)})", ATOM


def _shifted(op: Op, args: Sequence[Text], context: Context) -> Text:
    context.kernels["shifted"] = None
    return f"shifted({args[0][0]}, {args[1][0]}, axis={op.data})", ATOM


Printer = Callable[[Op, Sequence[Text], Context], Text]

_PRINTERS: Mapping[str, Printer] = {
    "number": lambda op, args, context: number(op.data),
    "size": lambda op, args, context: context.size(op.data),
    "eye": lambda op, args, context: (f"np.eye({context.size(op.shape[0])[0]}, dtype={context.dtype})", ATOM),
    "window": _window,
    "windows": _windows,
    "shifted": _shifted,
    "take": _take,
    "pick": _pick,
    "added": _added,
    "permute": _permute,
    "expand": _expand,
    "broadcast": _broadcast,
    "squeeze": _squeeze,
    "diagonal": lambda op, args, context: (f"np.diagonal({args[0][0]})", ATOM),
    "diag": lambda op, args, context: (f"np.diag({args[0][0]})", ATOM),
    "sum": _sum,
    "product": _product,
    "total": _total,
    "matmul": _matmul,
    "inner": _inner,
    "outer": lambda op, args, context: (f"np.outer({args[0][0]}, {args[1][0]})", ATOM),
    "einsum": _einsum,
    "solve": lambda op, args, context: (f"np.linalg.solve({args[0][0]}, {args[1][0]})", ATOM),
    "function": _function,
    "primitive": _primitive,
    "cast": _cast,
    "pair": _pair,
    "sigmoid_and_logs": _together,
    "sigmoid_and_sum": _together,
    "softmax_and_inner": _softmax_and_inner,
    "inverse_and_logdet": _together,
    "both_products": _together,
    "products_and_grams": _together,
}
