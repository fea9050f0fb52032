"""Numbers, sizes, and products of scalars in front of an array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from symgrad.graph.sizes import Monomial, Size
from symgrad.notation.names import parse_name
from symgrad.notation.pieces import (
    ONE,
    Height,
    Level,
    Product,
    Quotient,
    Tex,
    enclosed,
    juxtaposed,
    negative,
    tex,
)

LONGEST_DECIMAL = 4


def number(value: Fraction) -> Tex:
    """An exact number: 2, ½ as a small fraction, 0.015, 10⁻⁵."""
    if value < 0:
        return replace(negative(number(-value)), is_constant=True)
    if value.denominator == 1:
        return _whole(value.numerator)
    decimal = _decimal(value)
    if decimal is not None:
        return decimal
    top, bottom = (_whole(n) for n in value.as_integer_ratio())
    quotient = Quotient(top, bottom, is_simple=True, is_numeric=True)
    return replace(tex(quotient, level=Level.POSTFIX), is_constant=True)


def _whole(value: int) -> Tex:
    digits = str(value)
    zeros = len(digits) - len(digits.rstrip("0"))
    if zeros >= 6 and value:
        return _times_ten_to(digits[:-zeros], zeros)
    return Tex((digits,), Level.ATOM, has_digit=True, is_constant=True)


def _decimal(value: Fraction) -> Tex | None:
    """0.015 is easier to read than 3/200; 1/4 and 3/20 are not."""
    if value.denominator < 100 or value.denominator % 10:
        return None
    places = next((k for k in range(2, 400) if 10**k % value.denominator == 0), None)
    if places is None:
        return None
    digits = value.numerator * 10**places // value.denominator
    if places <= LONGEST_DECIMAL:
        text = str(digits).rjust(places + 1, "0")
        return Tex((f"{text[:-places]}.{text[-places:]}",), Level.ATOM, has_digit=True, is_constant=True)
    return _times_ten_to(str(digits), -places) if 10**places == value.denominator else None


def _times_ten_to(digits: str, exponent: int) -> Tex:
    power = f"10^{{{exponent}}}"
    text, level = (power, Level.POSTFIX) if digits == "1" else (rf"{digits} \cdot {power}", Level.SCALED)
    return Tex((text,), level, has_digit=True, is_constant=True)


def size(value: Size) -> Tex:
    """A polynomial of sizes: n+m, 2n, n², t-s+1 (a term with + in front where there is one)."""
    if value.value is not None:
        return number(Fraction(value.value))
    leading = next((term for term in value.terms if term[1] > 0), value.terms[0])
    terms = [leading, *(term for term in value.terms if term is not leading)]
    first, *rest = [(c, _monomial(monomial, abs(c))) for monomial, c in terms]
    if not rest and first[0] > 0:
        return first[1]
    text = "".join(f" {'-' if c < 0 else '+'} {_plain(piece)}" for c, piece in rest)
    whole = ("-" if first[0] < 0 else "") + _plain(first[1]) + text
    return Tex((whole,), Level.SUM, has_minus=first[0] < 0, is_constant=True)


def _plain(piece: Tex) -> str:
    return "".join(str(part) for part in piece.parts)


def _monomial(monomial: Monomial, c: int) -> Tex:
    # The number of examples goes by n and stands first: n d, not d n.
    factors = sorted(monomial, key=lambda factor: (factor[0] != "n", factor[0]))
    names = [parse_name(name) for name, _ in factors]
    powers = [n.latex + (f"^{{{p}}}" if p != 1 else "") for n, (_, p) in zip(names, factors, strict=True)]
    between = r"\," if any(n.is_word for n in names) else " "
    text = (str(c) if c != 1 or not factors else "") + between.join(powers)
    if len(factors) > 1 or (c != 1 and factors):
        return Tex((text,), Level.SCALED, has_digit=c != 1, is_constant=True)
    is_power = bool(factors) and factors[0][1] != 1
    is_word = bool(names) and names[0].is_word
    return Tex(
        (text,),
        Level.POSTFIX if is_power else Level.ATOM,
        is_name=bool(factors) and not is_power,
        is_word=is_word,
        has_digit=not factors,
        is_constant=True,
    )


# ---- products


def product_of(piece: Tex, *, is_scalar: bool) -> Product:
    """The factors of a piece that another factor may join."""
    if piece.product is not None:
        return piece.product
    return Product(above=(piece,)) if is_scalar else Product(core=piece)


def merged(products: Sequence[Product], core: Tex | None = None) -> Product:
    """The product of products of scalars, in front of an array."""
    coefficient = Fraction(1)
    for p in products:
        coefficient *= p.coefficient
    above = tuple(t for p in products for t in p.above)
    return Product(coefficient, above, tuple(t for p in products for t in p.below), core)


def scaled(product: Product) -> Tex:
    """The product in LaTeX: the coefficient, scalars, fractions in front, the array last."""
    body = _unsigned(product)
    whole = negative(body) if product.coefficient < 0 else body
    return replace(whole, product=product)


def _unsigned(product: Product) -> Tex:
    c = abs(product.coefficient)
    above = sorted(product.above, key=_reading_order)
    after = [*above, *([product.core] if product.core is not None else [])]
    inside: list[Tex] = []
    if product.below:
        inside = _numerator(product, above, after)
    elif c.denominator != 1 and len(after) > 1 and sum(t.is_name for t in above) == 1:
        inside = [t for t in above if t.is_name]
    after = [t for t in after if not any(t is kept for kept in inside)]
    front: list[Tex] = []
    if product.below or inside:
        front = [_fraction(c, inside, product.below)]
    elif c != 1 or not after:
        front = [number(c)]
    return _side_by_side([*front, *after])


def _reading_order(factor: Tex) -> int:
    """Names first; what reaches as far as the formula goes (log x) last."""
    return 0 if factor.is_name else 2 if factor.level in (Level.OPERATOR, Level.CHAIN) else 1


def _numerator(product: Product, above: Sequence[Tex], after: Sequence[Tex]) -> list[Tex]:
    """What stands above the line; over constants only names do: 1/n ‖r‖², but (x - a)/‖x - a‖."""
    is_constant = all(t.is_constant for t in product.below)
    if is_constant:
        return [t for t in above if t.is_name]
    inside = [t for t in above if t.level >= Level.POSTFIX and t.height < Height.TALL]
    if inside or len(after) != 1 or after[0].height >= Height.TALL:
        return inside
    alone = after[0]
    return [alone] if alone is not product.core or alone.rank == 1 else []


def _fraction(c: Fraction, above: Sequence[Tex], below: Sequence[Tex]) -> Tex:
    top, bottom = _beside_number(c.numerator, above), _beside_number(c.denominator, below)
    is_simple = all(t.is_name or t.is_constant for t in (*above, *below)) and len(above) < 2
    return tex(Quotient(top, bottom, is_simple), level=Level.POSTFIX)


def _beside_number(value: int, factors: Sequence[Tex]) -> Tex:
    if not factors:
        return number(Fraction(value))
    return _side_by_side([*([number(Fraction(value))] if value != 1 else []), *factors])


def _side_by_side(factors: Sequence[Tex]) -> Tex:
    if len(factors) == 1:
        return factors[0]
    kept = [_before_others(f) for f in factors[:-1]]
    last = enclosed(factors[-1], Level.HADAMARD)
    return juxtaposed([*kept, last], Level.HADAMARD if last.level is Level.HADAMARD else Level.SCALED)


def _before_others(factor: Tex) -> Tex:
    return factor if factor.level is Level.SCALED else enclosed(factor, Level.POSTFIX)


def reciprocal(piece: Tex) -> Tex:
    """1/x of a scalar."""
    if piece is ONE:
        return ONE
    return scaled(Product(below=(piece,)))
