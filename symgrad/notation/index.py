"""Index form: one entry of an expression, with every sum written out, where an order or a transpose has to be seen."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field
from fractions import Fraction

from symgrad.graph.expression import Apply, Contraction, Elementwise, Expr, Leaf, Role
from symgrad.graph.sizes import ZERO, Size
from symgrad.graph.walk import postorder
from symgrad.notation.context import Sums
from symgrad.notation.elementwise import OPERATORS, scalar_body
from symgrad.notation.latex import latex
from symgrad.notation.names import differential, entry, joined
from symgrad.notation.pieces import Level, render, tex
from symgrad.notation.windows import from_one, spelled
from symgrad.primitives.functions import FUNCTIONS
from symgrad.records import dataclass
from symgrad.rewrite.convert import to_form
from symgrad.rewrite.form import ONLY, Atom, Factor, Form, Term, bound_indices, extents
from symgrad.rewrite.matrix import scalars_of

# Letters for indices, in the order in which they are given out; those that are names on the page are left out.
LETTERS = "ijpqlmrstuvgh"
SUM, PRODUCT, ATOM = range(3)
Text = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Letters:
    """Index letters, one for each size; `free` are for further indices of a size. `loss` is how the loss is called.

    `sums` says which leaves stand for a sum over a family of names, `capitals` which letters stay capital in entries.
    """

    by_size: Mapping[Size, str]
    free: str
    loss: str = "L"
    sums: Sums = field(default_factory=dict)
    capitals: frozenset[str] = frozenset()

    def take(self, sizes: Sequence[Size], beside: Collection[str] = ()) -> list[str]:
        """A letter for an index of each size: the size's own where it is not in use, else one of the free ones."""
        used, taken = set(beside), list[str]()
        for s in sizes:
            own = self.by_size.get(s)
            letter = own if own is not None and own not in used else self._next(used)
            used.add(letter)
            taken.append(letter)
        return taken

    def _next(self, used: set[str]) -> str:
        numbered = (f"i_{{{k}}}" for k in range(1, len(used) + 2))
        letter: str = next(c for c in (*self.free, *numbered) if c not in used)
        return letter


def letters_for(names: Iterable[str], sizes: Iterable[Size], loss: str = "L") -> Letters:
    """The index letters of a page on which these names and sizes occur; the entries of X are x, so small letters count.

    >>> n, d = Size.symbol("n"), Size.symbol("d")
    >>> letters_for(["X", "w", "p"], [n, d]).take([n, d, d])
    ['i', 'j', 'q']
    """
    used = {c for name in names for c in (name, name.lower(), name.lower()[:1])}
    left = [c for c in LETTERS if c not in used]
    by_size = dict(zip(dict.fromkeys(sizes), left, strict=False))
    return Letters(by_size, "".join(left[len(by_size) :]), loss)


def entry_of(leaf: Leaf, indices: Sequence[str], letters: Letters) -> str:
    r"""One entry of a named array, or of the cotangent of one.

    >>> from symgrad.primitives.language import data, dims
    >>> n, d = dims("n d")
    >>> entry_of(data("X", n, d), ["i", "p"], letters_for("X", [n, d]))
    'x_{ip}'
    """
    text = entry(leaf.name, indices, letters.capitals)
    if leaf.role is Role.COTANGENT:
        return rf"\frac{{\partial {letters.loss}}}{{\partial {text}}}"
    return differential(text) if leaf.role is Role.DIFFERENTIAL else text


def index_form(e: Expr, free: Sequence[str], letters: Letters) -> str:
    r"""The entry of `e` at the indices `free`.

    >>> from symgrad.primitives.language import data, dims
    >>> n, d = dims("n d")
    >>> X, w = data("X", n, d), data("w", d)
    >>> index_form(X @ w, ["i"], letters_for(["X", "w"], [*X.shape]))
    '\\sum_{j} x_{ij}\\, w_{j}'
    """
    return form_entry(to_form(e), free, letters)


def form_entry(form: Form, free: Sequence[str], letters: Letters) -> str:
    """The entry of a form at the indices `free`, its products as they stand."""
    return _form(form, list(free), letters, set(free))[0]


def form_terms(form: Form, free: Sequence[str], letters: Letters) -> list[str]:
    """The terms of that entry, each with its sign: where a line may break."""
    ordered = sorted(form.terms, key=lambda t: t.coefficient < 0)
    return [form_entry(Form(form.shape, (t,)), free, letters) for t in ordered]


def equalities(form: Form, free: Sequence[str], letters: Letters) -> list[list[tuple[str, str]]]:
    """The letters that identity matrices set equal, term by term: those of a sum first.

    >>> from symgrad.primitives.language import dims, eye
    >>> n = dims("n")
    >>> equalities(to_form(eye(n)), ["i", "j"], letters_for("", [n]))
    [[('i', 'j')]]
    """
    return [
        [(names[f.indices[0]], names[f.indices[1]]) for f in term.factors if _is_identity(f)]
        for term in form.terms
        for names in [_names(term, free, letters, set(free))]
    ]


def summed(form: Form, free: Sequence[str], letters: Letters) -> set[str]:
    """The letters of the sums that the terms of a form begin with."""
    return {c for term in form.terms for c in _names(term, free, letters, set(free)).values()} - set(free)


def _is_identity(f: Factor) -> bool:
    return isinstance(f.atom, Leaf) and f.atom.role is Role.IDENTITY


def _names(term: Term, free: Sequence[str], letters: Letters, beside: set[str]) -> dict[int, str]:
    return _lettered(term, free, letters, beside)[0]


def index_terms(e: Expr, free: Sequence[str], letters: Letters) -> list[str]:
    """The terms of the entry, those behind a minus with their sign, so that a page can break the line between them."""
    found = _signed(to_form(e), list(free), letters, set(free))
    return [f"{'- ' * is_negative}{text}" for is_negative, (text, _) in found]


def _form(form: Form, free: list[str], letters: Letters, beside: set[str]) -> Text:
    if not form.terms:
        return "0", ATOM
    found = _signed(form, free, letters, beside)
    (first_negative, (text, level)), *rest = found
    text = "-" * first_negative + text
    for is_negative, (own, _) in rest:
        text = f"{text} {'-' if is_negative else '+'} {own}"
    return text, SUM if rest or first_negative else level


def _signed(form: Form, free: list[str], letters: Letters, beside: set[str]) -> list[tuple[bool, Text]]:
    """Whether each term stands behind a minus, and the term; those that do come last."""
    found: list[tuple[bool, Text]] = []
    for t in sorted(form.terms, key=lambda t: t.coefficient < 0):
        is_negative = t.coefficient < 0
        text, level = _term(t, free, letters, beside)
        found.append((is_negative, (_fenced(text), ATOM) if level == SUM and is_negative else (text, level)))
    return found


def _term(term: Term, free: list[str], letters: Letters, beside: set[str]) -> Text:
    """The term without its sign."""
    names, bound, factors = _lettered(term, free, letters, beside)
    inside = beside | {name for name in names.values() if name.isalpha()}
    by_entries = {f for f in factors if f.indices or _holds_arrays(f.atom)}
    c, scalars = scalars_of(Term(term.coefficient, tuple(f for f in factors if f not in by_entries), term.key))
    front = _front(abs(c), scalars, letters)
    above = [
        _factor(f, names, letters, inside)
        for f in factors
        if f in by_entries and f.power > 0 and not (_is_identity(f) and len(factors) > 1)
    ]
    # [j = q] picks a term of the sum: it stands behind the factors.
    units = [_factor(f, names, letters, inside)[0] for f in factors if _is_identity(f) and len(factors) > 1]
    below = [
        _factor(Factor(f.atom, f.indices, -f.power), names, letters, inside)
        for f in factors
        if f in by_entries and f.power < 0
    ]
    several = len(above) + len(below) + len(units) > 1 or bool(bound) or bool(front)
    is_quotient = bool(below) and len(above) == 1 and r"\frac" not in above[0][0]
    top = r"\, ".join(_fenced(t) if level == SUM and several and not is_quotient else t for t, level in above)
    body = top
    if below:
        bottom = r"\, ".join(_fenced(t) if level == SUM and len(below) > 1 else t for t, level in below)
        # A derivative is a fraction itself: it stands beside the quotient, not in it.
        is_tall = r"\frac" in top
        body = rf"\frac{{1}}{{{bottom}}}\, {top}" if is_tall else rf"\frac{{{top or '1'}}}{{{bottom}}}"
    body = r"\, ".join([*([body] if body else []), *units])
    if bound:
        body = rf"\sum_{{{','.join(names[i] for i in bound)}}} {body or '1'}"
    text = r"\, ".join(part for part in (front, body) if part) or "1"
    is_sum = len(above) == 1 and not (below or units or bound or front) and above[0][1] == SUM
    return text, SUM if is_sum else PRODUCT if several else ATOM


def _lettered(
    term: Term, free: Sequence[str], letters: Letters, beside: Collection[str]
) -> tuple[dict[int, str], list[int], list[Factor]]:
    """A letter for each index, the summed indices, and the factors without selectors that letters can say."""
    bound = bound_indices(term.factors, len(free))
    said, left = spelled([f.indices for f in term.factors if _is_window(f)], bound)
    chosen = _chosen(term, [i for i in bound if i not in said])
    kept = [i for i in bound if i not in said and i not in chosen]
    names = dict(enumerate(free)) | dict(zip(kept, letters.take(_sizes(term, kept), beside), strict=True))
    names |= {i: from_one(names[a], sign, names[b]) for i, (a, sign, b) in said.items()}
    for i, f in chosen.items():
        (labels,) = f.atom.children if isinstance(f.atom, Apply) else ()
        assert isinstance(labels, Leaf)
        names[i] = entry_of(labels, [names[k] for k in f.indices[:-1]], letters)
    gone = set(chosen.values())
    return names, kept, [f for f in term.factors if (not _is_window(f) or f.indices in set(left)) and f not in gone]


def _chosen(term: Term, bound: Sequence[int]) -> dict[int, Factor]:
    """The summed indices that labels name: Σ_m onehot(c)_im e_mr is e with c_i in the place of m."""
    found: dict[int, Factor] = {}
    for f in term.factors:
        is_one_hot = isinstance(f.atom, Apply) and f.atom.primitive == "one_hot" and f.power == 1
        if not is_one_hot or f.indices[-1] not in bound or f.indices[-1] in found:
            continue
        others = [g for g in term.factors if g is not f and f.indices[-1] in g.indices]
        # The labels' own indices must have letters: none that other labels or windows stand for.
        is_plain = all(i not in found and (i not in bound or i != f.indices[-1]) for i in f.indices[:-1])
        if others and is_plain and f.indices[-1] not in f.indices[:-1]:
            found[f.indices[-1]] = f
    return found


def _is_window(f: Factor) -> bool:
    return isinstance(f.atom, Leaf) and f.atom.role is Role.WINDOW


def _holds_arrays(atom: Atom) -> bool:
    """Whether a scalar is made of arrays: by entries it is a sum over them."""
    if isinstance(atom, Form):
        return any(f.indices or _holds_arrays(f.atom) for t in atom.terms for f in t.factors)
    return any(node.rank for node in postorder([atom]))


def _sizes(term: Term, indices: Sequence[int]) -> list[Size]:
    known = extents(term.factors)
    return [known[i] for i in indices]


def _fenced(text: str) -> str:
    """The text in parentheses as tall as it needs."""
    is_tall = r"\frac" in text or r"\sum" in text
    return rf"\Bigl({text}\Bigr)" if is_tall else f"({text})"


def _front(c: Fraction, scalars: Sequence[Expr], letters: Letters) -> str:
    texts = [latex(e, loss=letters.loss, capitals=letters.capitals) for e in scalars]
    if c == 1 and texts:
        return r"\, ".join(texts)
    if c == 1:
        return ""
    number = str(c) if c.denominator == 1 else rf"\tfrac{{{c.numerator}}}{{{c.denominator}}}"
    if len(texts) == 1 and texts[0].startswith(r"\frac{1}{") and c.denominator == 1:
        return texts[0].replace(r"\frac{1}", rf"\frac{{{c}}}", 1)
    return r"\, ".join([number, *texts])


def _factor(f: Factor, names: Mapping[int, str], letters: Letters, beside: set[str]) -> Text:
    is_name = isinstance(f.atom, Leaf)
    # An axis of size 1 has one place, which the entries of names do not mention.
    indices = [names.get(i, "1") for i in f.indices if i != ONLY or not is_name]
    base, level = _atom(f.atom, indices, letters, beside)
    if f.power == 1:
        return base, level
    if f.power == Fraction(1, 2):
        return rf"\sqrt{{{base}}}", ATOM
    own = base if level == ATOM and "^" not in base and r"\frac" not in base else rf"\bigl({base}\bigr)"
    return f"{own}^{{{f.power}}}", ATOM


def _atom(atom: Atom, indices: list[str], letters: Letters, beside: set[str]) -> Text:
    if isinstance(atom, Form):
        return _form(atom, indices, letters, beside)
    if isinstance(atom, Leaf):
        if atom.role is Role.IDENTITY:
            return f"[{indices[0]} = {indices[1]}]", ATOM
        if atom.role is Role.WINDOW:
            return f"[{indices[0]} = {from_one(indices[1], '+', indices[2])}]", ATOM
        if atom in letters.sums:
            s = letters.sums[atom]
            inner, level = _form(to_form(s.term), indices, letters, beside)
            return rf"{s.latex} {_fenced(inner) if level == SUM else inner}", SUM
        return entry_of(atom, indices, letters), ATOM
    if isinstance(atom, Elementwise):
        operands = [_form(to_form(e), indices, letters, beside) for e in atom.operands]
        return _applied(FUNCTIONS[atom.function].latex, atom, operands, letters)
    assert isinstance(atom, Apply | Contraction)
    return (_moved(atom, indices, letters, beside) if isinstance(atom, Apply) else None) or (
        _whole(atom, indices, letters),
        ATOM,
    )


def _whole(atom: Expr, indices: Sequence[str], letters: Letters) -> str:
    """An entry of what has no entries of its own to name: (f(X))_ij."""
    text = latex(atom, loss=letters.loss, capitals=letters.capitals)
    return rf"\bigl({text}\bigr)_{{{joined(indices)}}}" if indices else text


def _moved(atom: Apply, indices: list[str], letters: Letters, beside: set[str]) -> Text | None:
    """An entry of what has a formula of entries: a slice, a reversal, a maximum, one-hot rows; None for other primitives."""
    operand, options = atom.operands[0], dict(atom.options)
    axis = options.get("axis")
    if atom.primitive == "one_hot" and isinstance(operand, Leaf):
        return f"[{entry_of(operand, indices[:-1], letters)} = {indices[-1]}]", ATOM
    if atom.primitive in {"slice", "flip"} and isinstance(axis, int):
        own = indices[axis]
        place = _place(own, options) if atom.primitive == "slice" else f"{operand.shape[axis] + 1}-{_factor_of(own)}"
        return _form(to_form(operand), [*indices[:axis], place, *indices[axis + 1 :]], letters, beside)
    if atom.primitive in {"max", "min"}:
        gone = {axis} if isinstance(axis, int) else set(axis) if isinstance(axis, tuple) else set()
        left = iter(indices)
        fresh = iter(letters.take([operand.shape[k] for k in sorted(gone)], {*beside, *indices}))
        keepdims = bool(options["keepdims"])
        names, over = list[str](), list[str]()
        for k in range(operand.rank):
            names.append(next(fresh) if k in gone else next(left))
            if k in gone:
                over.append(names[-1])
                if keepdims:
                    next(left)
        inner, level = _form(to_form(operand), names, letters, {*beside, *names})
        return rf"\{atom.primitive}_{{{','.join(over)}}} {_fenced(inner) if level == SUM else inner}", PRODUCT
    return None


def _place(own: str, options: Mapping[str, object]) -> str:
    """The place start + step·(i - 1) + 1, all counted from 1."""
    start, step = options["start"], options["step"]
    assert isinstance(start, Size)
    assert isinstance(step, int)
    if step == 1:
        return f"{own}+{start}".replace("*", "") if start != ZERO else own
    rest = start + (1 - step)
    sign = "" if rest == ZERO else f"{rest}" if (rest.value or 0) < 0 else f"+{rest}"
    return f"{step}{_factor_of(own)}{sign}".replace("*", "")


def _factor_of(own: str) -> str:
    return f"({own})" if "+" in own or "-" in own else own


def _applied(template: str, atom: Elementwise, operands: list[Text], letters: Letters) -> Text:
    if atom.function == "scalar":
        pieces = [tex(text, level=Level.ATOM if level == ATOM else Level.SUM) for text, level in operands]
        return rf"\bigl({render(scalar_body(atom.parameter, pieces))}\bigr)", ATOM
    texts = [text for text, _ in operands]
    if "{0}" in template:
        return template.format(*texts), ATOM
    (text, level), *_ = operands
    is_bare = level == ATOM and len(operands) == 1 and template in OPERATORS
    return (f"{template} {text}" if is_bare else template + _fenced(", ".join(texts))), ATOM


def arrival(e: Expr, at: Leaf, free: Sequence[str], letters: Letters) -> tuple[list[str], list[str]] | None:
    """The indices at which `at` stands in an entry of `e`, and those of them that are summed.

    None where it stands in several ways, or inside a sum in parentheses: then no single entry can be named.

    >>> from symgrad.primitives.language import data, dims
    >>> n, d = dims("n d")
    >>> W, zbar = data("W", d, d), data("z", d)
    >>> arrival(W.T @ zbar, zbar, ["i"], letters_for("Wz", [*W.shape]))
    (['j'], ['j'])
    """
    found = set()
    for term in to_form(e).terms:
        bound = bound_indices(term.factors, len(free))
        names, bound, _ = _lettered(term, free, letters, set(free))
        own = [f.indices for f in term.factors if f.atom is at]
        if len(own) != 1:
            return None
        reached = tuple(names[i] for i in own[0] if i != ONLY)
        letters_of = {names[i] for i in bound}
        found.add((reached, tuple(part for name in reached for part in re.split("[+-]", name) if part in letters_of)))
    if len(found) != 1:
        return None
    ((reached, summed),) = found
    return list(reached), list(dict.fromkeys(summed))
