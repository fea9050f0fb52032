"""What is built at once is what SymPy builds by searching, and a renamed derivative is the derivative of what was renamed."""

from random import Random

import pytest
import sympy

from symgrad.canonical import added, chosen, multiplied
from symgrad.derive import partials as partials_module
from symgrad.derive.partials import Differentiator

SYMBOLS = [sympy.Symbol(f"s{k:05}", real=True) for k in range(8)]
X, Y, Z = SYMBOLS[:3]


def atom(random):
    s, t = random.choice(SYMBOLS), random.choice(SYMBOLS)
    number = sympy.Rational(random.randint(-3, 3), random.randint(1, 3))
    kinds = [s, s, s, s, number, sympy.exp(s), sympy.exp(s + t), sympy.log(s), sympy.tanh(s), 1 / (s + t), (s + t) ** 2]
    kinds += [s**2, 1 / s, s + t, s - t, 2 * s - t, sympy.Piecewise((s, s > 0), (0, True)), sympy.sqrt(s), s * t]
    return random.choice(kinds)


def items(random):
    products = [sympy.Mul(*(atom(random) for _ in range(random.randint(2, 3)))) for _ in range(3)]
    return [random.choice([atom(random), atom(random), *products]) for _ in range(random.randint(1, 5))]


@pytest.mark.parametrize("seed", range(8))
def test_products_and_sums_are_those_of_sympy(seed):
    random = Random(seed)
    for _ in range(120):
        parts = items(random)
        for ours, sympys in ((multiplied(parts), sympy.Mul(*parts)), (added(parts), sympy.Add(*parts))):
            assert ours == sympys, parts
            assert ours.args == sympys.args, parts


@pytest.mark.parametrize("condition", [X > 0, X >= 1, sympy.Rational(1, 2) > X, X > Y, sympy.Eq(X, 0), sympy.true])
@pytest.mark.parametrize("pair", [(X, sympy.S.Zero), (Y, Y), (sympy.S.One, sympy.Piecewise((1, X > 0), (0, True)))])
def test_cases_are_those_of_sympy(condition, pair):
    cases = [(pair[0], condition), (pair[1], sympy.true)]
    assert chosen(cases) == sympy.Piecewise(*cases)


FORMULAS = [
    lambda x, y, z: sympy.exp(x) / (sympy.exp(x) + sympy.exp(y)) * z,
    lambda x, y, z: (1 - y - z) * sympy.log(x) + x * y,
    lambda x, y, z: sympy.Piecewise((x, x > 0), (0, True)) * y**2,
    lambda x, y, z: (x * y + z) ** 3 + sympy.tanh(x) * sympy.tanh(y),
    lambda x, y, z: sympy.sqrt(x**2 + y**2) * z,
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_renamed_derivative_is_that_of_sympy(formula, monkeypatch):
    asked = []
    own = partials_module._partials
    monkeypatch.setattr(partials_module, "_partials", lambda e, wanted: asked.append(e) or own(e, wanted))
    by = Differentiator()
    wanted = set(SYMBOLS[:2]) | set(SYMBOLS[3:5])
    for names in (SYMBOLS[:3], SYMBOLS[3:6]):
        e = formula(*names)
        total = dict.fromkeys(wanted & e.free_symbols, sympy.S.Zero)
        for s, slope in by.partials(e, wanted):
            total[s] += slope
        assert all(sympy.simplify(slope - sympy.diff(e, s)) == 0 for s, slope in total.items())
    # SymPy is asked of the first alone.
    assert len(asked) <= len(sympy.Add.make_args(formula(X, Y, Z)))


def test_what_differs_in_more_than_its_symbols_is_differentiated_anew():
    by = Differentiator()
    positive = sympy.Symbol("p", positive=True)
    entries = [X * sympy.log(Y), Y * sympy.log(X), X * sympy.log(X), X**2 * sympy.log(Y), X * sympy.exp(Y)]
    entries += [sympy.log(positive) * Y, sympy.sqrt(X**2 * Y) * Z, 2 * X * sympy.log(Y), sympy.log(Z) * X]
    for e in entries:
        found = {}
        for s, slope in by.partials(e, {X, Y}):
            found[s] = found.get(s, 0) + slope
        assert found == {s: sympy.diff(e, s) for s in {X, Y} & e.free_symbols}, e
