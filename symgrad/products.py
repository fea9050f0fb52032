"""Second derivatives, and derivatives of arrays: H v and H, Jᵀv, J and J ẋ, each with its proved derivation.

A Jacobian has the shape of its output followed by the shape of what it is taken by: row o is the gradient of y_o. A
Hessian block ∂²L/∂θ₁∂θ₂ has the shape of θ₁ followed by that of θ₂.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from symgrad.derive.derivation import Derivation, Line
from symgrad.derive.forward import OUTPUTS, Pushforward, push_forward, tangent_name
from symgrad.derive.names import LETTERS, take_marks
from symgrad.derive.pairing import (
    Block,
    Pairing,
    block,
    free_name,
    gradients_of,
    names_in,
    pair,
    parameters_named,
    product_of,
    rewritten,
)
from symgrad.derive.worked import work
from symgrad.errors import InputError, ShapeError
from symgrad.explain.choices import check_choice
from symgrad.explain.jacobian import JacobianPage, TangentPage, jacobian_page, tangent_page
from symgrad.explain.second import SecondPage, second_page
from symgrad.explain.steps import Detail
from symgrad.formats.table import Page, render
from symgrad.graph.expression import (
    CONSTANT_ROLES,
    Apply,
    Expr,
    Leaf,
    Role,
    Shape,
    broadcast_to,
    coerce,
    is_number,
    leaf,
)
from symgrad.graph.show import show_shape
from symgrad.graph.walk import postorder
from symgrad.modelfile import names_of
from symgrad.prose import Language, Text
from symgrad.records import dataclass
from symgrad.rewrite.convert import substitute

if TYPE_CHECKING:
    from symgrad.compile.function import Compiled

NOTHING_SAID = Text(en="", zh="")
VECTORS = ("v", "u", "q", "s")


@dataclass(frozen=True, slots=True)
class HessianProduct:
    """H v: how the gradients change, per unit, when the parameters move along the v; `str` is one line for each.

    `derivation` is that of φ = ⟨∂L/∂θ, v⟩, whose gradients H v are; `directions` the v by their parameter's names.
    """

    derivation: Derivation
    directions: Mapping[str, Leaf]
    page: SecondPage

    @property
    def expressions(self) -> dict[str, Expr]:
        """H v for each parameter, over the values that have a name on the page."""
        return {p.name: product_of(self.derivation, p) for p in self.derivation.parameters}

    def __str__(self) -> str:
        lines = self.expressions
        return "\n".join(f"{name}: {e}" for name, e in lines.items()) if len(lines) > 1 else str(*lines.values())

    def compile(self) -> Compiled:
        """f(**arrays, v=…) → (⟨∂L/∂θ, v⟩, {parameter: H v}), as costly as two gradients; no H is formed."""
        from symgrad.compile.function import compile_derivation

        return compile_derivation(self.derivation, title=f"{self.page.title.en}: the Hessian times a vector")

    def explain(self, format: str = "markdown", language: Language = "en", detail: Detail = "normal") -> Page:
        """The derivation of H v as a handout."""
        return _rendered(self.page, second_page, format, language, detail)


@dataclass(frozen=True, slots=True)
class Hessian:
    """H = ∂²L/∂θ₁∂θ₂ of shape θ₁.shape + θ₂.shape; `lines` lead to it from the product H v, every line proved."""

    expression: Expr
    lines: tuple[Line, ...]
    product: HessianProduct
    page: SecondPage

    @property
    def shape(self) -> Shape:
        """θ₁.shape + θ₂.shape."""
        return self.expression.shape

    @property
    def derivation(self) -> Derivation:
        """The derivation of the product H v."""
        return self.product.derivation

    def __str__(self) -> str:
        return str(self.expression)

    def compile(self) -> Callable[..., Any]:
        """H as a function of the arrays that it needs, by name; for many parameters `product.compile()` costs less."""
        from symgrad.compile.function import compile_derivation

        return compile_derivation(
            replace(self.derivation, model=self.expression), title=f"{self.page.title.en}: Hessian"
        ).predict

    def explain(self, format: str = "markdown", language: Language = "en", detail: Detail = "normal") -> Page:
        """The Hessian derived, from the gradient on, as a handout."""
        return _rendered(self.page, second_page, format, language, detail)


@dataclass(frozen=True, slots=True)
class Vjp:
    """Jᵀv, of the shape of what is differentiated by: the gradient of the scalar ⟨v, y⟩ with v held."""

    expression: Expr
    derivation: Derivation
    direction: Leaf
    page: JacobianPage

    def __str__(self) -> str:
        return str(self.expression)

    def explain(self, format: str = "markdown", language: Language = "en", detail: Detail = "normal") -> Page:
        """What `backward(gradient=v)` computes, as a handout."""
        return _rendered(self.page, jacobian_page, format, language, detail)


@dataclass(frozen=True, slots=True)
class Jacobian:
    """J of shape y.shape + x.shape: row o is the gradient of y_o; `lines` lead to it from Jᵀv, every line proved."""

    expression: Expr
    lines: tuple[Line, ...]
    derivation: Derivation
    page: JacobianPage

    @property
    def shape(self) -> Shape:
        """y.shape + x.shape."""
        return self.expression.shape

    def __str__(self) -> str:
        return str(self.expression)

    def explain(self, format: str = "markdown", language: Language = "en", detail: Detail = "normal") -> Page:
        """The Jacobian derived, and what `backward(gradient=v)` makes of it, as a handout."""
        return _rendered(self.page, jacobian_page, format, language, detail)


@dataclass(frozen=True, slots=True)
class Jvp:
    """J ẋ, of the shape of y: how y moves when x moves along ẋ, derived forward, line by line."""

    expression: Expr
    derivation: Pushforward
    page: TangentPage

    def __str__(self) -> str:
        return str(self.expression)

    def explain(self, format: str = "markdown", language: Language = "en", detail: Detail = "normal") -> Page:
        """The forward derivation as a handout."""
        return _rendered(self.page, tangent_page, format, language, detail)


def _rendered(content: Any, write: Any, format: str, language: Language, detail: Detail) -> Page:
    check_choice(language, detail)
    return render(write(content, language, detail), format)


# ---- of a loss


@dataclass(frozen=True, slots=True)
class Source:
    """A loss's proved gradient, with what its pages say of it."""

    gradient: Derivation
    order: Sequence[str]
    title: Text
    text: Text

    def product(self, names: Collection[str]) -> HessianProduct:
        """H v over the parameters of these names, all of them where none is named."""
        if len(set(names)) < len(names):
            raise InputError("a parameter is named twice; name each once")
        chosen = self._parameters(names)
        return self._product(chosen, chosen)

    def hessian(self, rows: str, columns: str) -> Hessian:
        """∂²L/∂(rows)∂(columns)."""
        (theta,), (other,) = self._parameters([rows]), self._parameters([columns])
        product = self._product([other], [theta])
        pairing, page = product.page.pairing, product.page
        found = block(pairing, theta, pairing.directions[0])
        return Hessian(found.expression, found.lines, product, replace(page, block=found))

    def _product(self, moved: Sequence[Leaf], wrt: Sequence[Leaf]) -> HessianProduct:
        """How the gradients by `wrt` change when those in `moved` do: φ = Σ ⟨∂L/∂θ, v⟩ over the moved, by `wrt`."""
        values = gradients_of(self.gradient, moved)
        pairing = pair(values.arrays, values.names, wrt, self.order)
        page = SecondPage(self.title, self.text, self.gradient, pairing, values.cotangents, tuple(moved), tuple(wrt))
        directions = {p.name: v for p, v in zip(moved, pairing.directions, strict=True)}
        return HessianProduct(pairing.derivation, directions, page)

    def _parameters(self, names: Collection[str]) -> list[Leaf]:
        known = [p.name for p in self.gradient.parameters]
        for name in names:
            if name not in known:
                raise InputError(f"the loss has no parameter {name}; choose of {', '.join(known)}")
        return list(parameters_named(self.gradient, names or known))


# ---- of an array


@dataclass(frozen=True, slots=True)
class Output:
    """The array `output` of a model file, to be differentiated by one of its leaves; the file needs no loss.

    `example` are numbers for its leaves, `gradient` the v of a call of backward, where the file gives them.
    """

    expression: Expr
    names: Mapping[str, Any]
    example: Mapping[str, Any] | None
    gradient: Any
    title: Text
    text: Text

    @property
    def variable(self) -> str:
        """What it is differentiated by unless told otherwise: its first parameter, else its first array."""
        leaves = [e for e in postorder([take_marks([self.expression])[0][0]]) if isinstance(e, Leaf)]
        known = [e for e in leaves if e.role not in {*CONSTANT_ROLES, Role.LABELS}]
        declared = {value.name: k for k, value in enumerate(self.names.values()) if isinstance(value, Leaf)}
        known.sort(key=lambda e: (e.role is not Role.PARAMETER, declared.get(e.name, len(declared))))
        if not known:
            raise InputError("the output holds no array; declare what to differentiate by with sg.parameter")
        return known[0].name

    def vjp(self, wrt: str | None = None) -> Vjp:
        """Jᵀv with its worked numbers."""
        found = vjp(self.expression, wrt or self.variable, names=self.names)
        return replace(found, page=self._page(found.page))

    def jacobian(self, wrt: str | None = None) -> Jacobian:
        """J with the worked numbers of Jᵀv."""
        found = jacobian(self.expression, wrt or self.variable, names=self.names)
        return replace(found, page=self._page(found.page))

    def _page(self, page: JacobianPage) -> JacobianPage:
        numbers = work(page.pairing, page.y, page.x, self.example, self.gradient)
        return replace(page, title=self.title, text=self.text, worked=numbers)


@dataclass(frozen=True, slots=True)
class _Target:
    """An array-valued expression without `sg.named`, its names, and the leaf to differentiate by."""

    y: Expr
    x: Leaf
    names: Mapping[Expr, str]


def vjp(y: Any, wrt: Leaf | str, seed: Any = None, *, names: Mapping[str, Any] | None = None) -> Vjp:
    """Jᵀv: the gradient by `wrt` of ⟨v, y⟩, v a free array of y's shape, or the given seed, held constant.

    >>> import symgrad as sg
    >>> n, d = sg.dims("n d")
    >>> X, w = sg.data("X", n, d), sg.parameter("w", d)
    >>> print(sg.vjp(X @ w, w))
    X.T @ v
    >>> print(sg.vjp(w**2, w, seed=1))
    2 * w
    """
    target = _target(y, wrt, names)
    v, value = _seed(target, seed)
    pairing = pair([target.y], target.names, [target.x], seeds=[v], order=_order(names))
    expression = product_of(pairing.derivation, target.x)
    if value is not None:
        expression = rewritten(substitute(expression, {v: value}), _softmaxes(pairing))
    return Vjp(expression, pairing.derivation, v, _page(target, pairing, None))


def jacobian(y: Any, wrt: Leaf | str, *, names: Mapping[str, Any] | None = None) -> Jacobian:
    """J with J[o, a] = ∂y[o]/∂x[a], of shape y.shape + x.shape: row o is the gradient of y[o].

    >>> import symgrad as sg
    >>> z = sg.parameter("z", sg.dims("k"))
    >>> print(sg.jacobian(sg.softmax(z), z))
    diag(p) - outer(p, p)
    """
    target = _target(y, wrt, names)
    v, _ = _seed(target, None)
    pairing = pair([target.y], target.names, [target.x], seeds=[v], order=_order(names))
    found = block(pairing, target.x, v, is_transposed=True)
    return Jacobian(found.expression, found.lines, pairing.derivation, _page(target, pairing, found))


def jvp(y: Any, wrt: Leaf | str, tangent: Any = None, *, names: Mapping[str, Any] | None = None) -> Jvp:
    """J ẋ: how y moves when `wrt` moves along ẋ, a free array of its shape or the given tangent.

    >>> import symgrad as sg
    >>> z = sg.parameter("z", sg.dims("k"))
    >>> print(sg.jvp(sg.tanh(z), z))
    z_dot * (1 - y**2)
    """
    target = _target(y, wrt, names)
    taken = {*names_in([target.y]), *target.names.values()}
    given = _operand(tangent, target.x.shape, f"the tangent of {target.x.name}") if tangent is not None else None
    is_leaf = isinstance(given, Leaf) and given.role not in CONSTANT_ROLES and given is not target.x
    free = leaf(free_name([tangent_name(target.x.name)], taken), target.x.shape, Role.DATA)
    dot = given if is_leaf and isinstance(given, Leaf) else free
    pushed = push_forward(target.y, target.x, dot, target.names, _order(names))
    softmaxes = {eq.target: eq.expression for eq in pushed.forward if _is_softmax(eq.expression)}
    expression = pushed.product
    if given is not None and dot is free:
        expression = rewritten(substitute(expression, {dot: given}), softmaxes)
    return Jvp(expression, pushed, TangentPage(NOTHING_SAID, NOTHING_SAID, pushed))


def _target(y: Any, wrt: Leaf | str, names: Mapping[str, Any] | None) -> _Target:
    values = [(name, value) for name, value in (names or {}).items() if isinstance(value, Expr)]
    try:
        expression = coerce(y)
    except InputError:
        raise InputError(f"a {type(y).__name__} is no expression; give what is to be differentiated") from None
    bare, marks = take_marks([expression, *(value for _, value in values)])
    leaves = [e for e in postorder([bare[0]]) if isinstance(e, Leaf) and e.role not in {*CONSTANT_ROLES, Role.LABELS}]
    by_name = {e.name: e for e in leaves}
    if not isinstance(wrt, str) and not isinstance(wrt, Leaf):
        raise InputError(f"{wrt} is not a declared array; differentiate by one of {', '.join(by_name) or 'none here'}")
    name = wrt if isinstance(wrt, str) else wrt.name
    if name not in by_name or (isinstance(wrt, Leaf) and by_name[name] is not wrt):
        raise InputError(f"the expression holds no {name}; differentiate by one of {', '.join(by_name) or 'none here'}")
    assigned = [(key, value) for (key, _), value in zip(values, bare[1:], strict=True)]
    explicit = [(key, node) for node, key in marks.names.items()]
    taken = names_in([bare[0]])
    found = names_of([*explicit, *assigned], taken)
    if bare[0].kind != "leaf" and bare[0] not in found:
        letters = LETTERS["probabilities"] if _is_softmax(bare[0]) else OUTPUTS
        found[bare[0]] = free_name(list(letters), taken | {*found.values()}, is_matrix=bare[0].rank > 1)
    return _Target(bare[0], by_name[name], found)


def _order(names: Mapping[str, Any] | None) -> list[str]:
    return [value.name for value in (names or {}).values() if isinstance(value, Leaf)]


def _seed(target: _Target, seed: Any) -> tuple[Leaf, Expr | None]:
    """The leaf that is v, and what stands for it in the end where that is no leaf."""
    taken = {*names_in([target.y]), *target.names.values()}
    free = leaf(free_name(VECTORS, taken, is_matrix=target.y.rank > 1), target.y.shape, Role.DATA)
    if seed is None:
        return free, None
    value = _operand(seed, target.y.shape, "the seed")
    if isinstance(value, Leaf) and value.role not in CONSTANT_ROLES and value is not target.x:
        return value, None
    return free, value


def _operand(value: Any, shape: Shape, what: str) -> Expr:
    e = coerce(value)
    if is_number(e):
        return broadcast_to(e, shape)
    if e.shape != shape:
        raise ShapeError(f"{what} has shape {show_shape(e.shape)}; give one of shape {show_shape(shape)}")
    return e


def _is_softmax(e: Expr) -> bool:
    return isinstance(e, Apply) and e.primitive == "softmax"


def _softmaxes(pairing: Pairing) -> dict[Leaf, Expr]:
    return {eq.target: eq.expression for eq in pairing.derivation.forward if _is_softmax(eq.expression)}


def _page(target: _Target, pairing: Pairing, found: Block | None) -> JacobianPage:
    return JacobianPage(NOTHING_SAID, NOTHING_SAID, target.names.get(target.y, "y"), target.y, target.x, pairing, found)
