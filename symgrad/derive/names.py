"""Names for intermediates: the user's own, and those that a lecturer would give where the user gave none.

Named automatically: what stands inside a nonlinear map (the residual inside a square, the pre-activation inside tanh), the
result of softmax and of every nonlinear map that meets another parameter in a product, and what is used twice. A purely
linear step, or one that is short enough to be read inside its formula (1 - p, o - y), gets no name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from symgrad.graph.expression import CONSTANT_ROLES, MARKS, Apply, Contraction, Elementwise, Expr, Leaf, Linear, Role
from symgrad.graph.walk import postorder, use_counts
from symgrad.records import dataclass
from symgrad.rewrite.convert import rebuild
from symgrad.rewrite.cost import cost

# Letters to try for what a value is, lower case for scalars and vectors, upper case from matrices on.
LETTERS: Mapping[str, str] = {
    "residual": "re",
    "pre-activation": "zasqg",
    "activation": "hag",
    "probabilities": "pq",
    "other": "uvst",
}
MATRIX_LETTERS: Mapping[str, str] = {**{k: v.upper() for k, v in LETTERS.items()}, "residual": "ERD"}
# Where a role has none left; without those that look like numbers.
OTHER_LETTERS = "mnbcdfgkuvwtqpsearhzxy"
LOSS_LETTERS = ("L", "J", "E", "F", "Loss")

RESIDUAL = frozenset({"absolute", "huber"})
NOT_DIFFERENTIATED = frozenset({"greater", "greater_equal", "equal", "sign"})
NORM_LIKE = frozenset({"norm"})
# How many symbols a formula of data may print inside a line.
LONGEST_OF_DATA = 12


@dataclass(frozen=True, slots=True)
class Named:
    """A node with the name that it gets."""

    name: str
    node: Expr


@dataclass(frozen=True, slots=True)
class Marks:
    """What `sg.named` and `sg.assume` say of values."""

    names: dict[Expr, str]
    facts: dict[Expr, frozenset[str]]


def take_marks(roots: Sequence[Expr]) -> tuple[list[Expr], Marks]:
    """The roots without `sg.named` and `sg.assume`, and what these said."""
    bare: dict[Expr, Expr] = {}
    marks = Marks({}, {})
    for node in postorder(roots):
        if isinstance(node, Apply) and node.primitive in MARKS:
            value = bare[node] = bare[node.operands[0]]
            if node.primitive == "named":
                marks.names.setdefault(value, str(node.option("name")))
            else:
                marks.facts[value] = marks.facts.get(value, frozenset()) | {fact for fact, _ in node.options}
        else:
            bare[node] = rebuild(node, [bare[e] for e in node.children])
    return [bare[root] for root in roots], marks


def active_nodes(order: Sequence[Expr], parameters: Collection[Leaf]) -> set[Expr]:
    """The nodes that a parameter changes by more than jumps: a comparison has the derivative 0."""
    active: set[Expr] = set(parameters)
    for node in order:
        is_step = isinstance(node, Elementwise) and node.function in NOT_DIFFERENTIATED
        if not is_step and any(e in active for e in node.children):
            active.add(node)
    return active


def choose_names(loss: Expr, model: Expr | None, users: Mapping[Expr, str], taken: Collection[str]) -> list[Named]:
    """The named nodes of a loss (and a model), operands first; the loss itself is not among them.

    >>> from symgrad.primitives.language import data, dims, mean, parameter
    >>> n, d = dims("n d")
    >>> X, y, w = data("X", n, d), data("y", n), parameter("w", d)
    >>> [(named.name, str(named.node)) for named in choose_names(mean((X @ w - y) ** 2), None, {}, "Xyw")]
    [('r', 'X @ w - y')]
    """
    roots = [loss] + ([model] if model is not None else [])
    below = set(postorder(roots))
    # The user's own order of assignments, where there is one; what a value needs stands before it.
    order = postorder([*(node for node in users if node in below), *roots])
    parameters = [e for e in order if isinstance(e, Leaf) and e.role is Role.PARAMETER]
    active = active_nodes(order, parameters)
    in_loss = set(postorder([loss]))
    roles = _roles([node for node in order if node in in_loss], active, users)
    roles.pop(loss, None)
    wanted = [node for node in order if node.kind != "leaf" and node is not loss and (node in users or node in roles)]
    automatic = [node for node in wanted if node not in users]
    # The entries of Z are z: a name must not differ from another array's in its case alone.
    arrays = {e.name for e in order if isinstance(e, Leaf) and e.role not in CONSTANT_ROLES} | set(users.values())
    entries = {c for name in arrays for c in (name.lower(), name.upper())}
    letters = _letters([(node, roles[node]) for node in automatic], {*taken, *users.values(), *entries}, users)
    return [Named(users.get(node) or letters[node], node) for node in wanted]


def _roles(order: Sequence[Expr], active: set[Expr], users: Mapping[Expr, str]) -> dict[Expr, str]:
    """What each node to be named automatically is; operands first, since what is short depends on what has a name."""
    wanted: dict[Expr, str] = {}
    for node in order:
        for e, role in _inside(node, active) if node in active else ():
            if not (_is_power(node) and _is_power(e)):
                wanted.setdefault(e, role)
    uses = use_counts(order)
    roles: dict[Expr, str] = {}
    named: set[Expr] = set(users)
    for node in order:
        if node in active and isinstance(node, Contraction):
            # A long formula of data alone that a parameter meets: its derivative would repeat it.
            cores = [_core(e) for e in node.operands if e not in active]
            long = [e for e in cores if e not in named and _is_long(e)]
            roles |= dict.fromkeys(long, "other")
            named.update(long)
        if node not in active or node in users or node.kind == "leaf":
            continue
        is_softmax = isinstance(node, Apply) and node.primitive == "softmax"
        is_shared = uses[node] > 1 and not _is_power_of_a_name(node, named)
        if is_softmax or ((node in wanted or is_shared) and not is_short(node, named)):
            roles[node] = wanted.get(node) or _result_role(node)
            named.add(node)
    return roles


def _is_long(e: Expr) -> bool:
    """Whether a formula prints more symbols than a reader carries along."""
    return e.kind != "leaf" and cost(e) > LONGEST_OF_DATA


def _is_power_of_a_name(node: Expr, named: Collection[Expr]) -> bool:
    return _is_power(node) and (isinstance(e := node.children[0], Leaf) or e in named)


def _is_power(node: Expr) -> bool:
    return isinstance(node, Elementwise) and node.function == "power"


def _inside(node: Expr, active: set[Expr]) -> Iterator[tuple[Expr, str]]:
    """The operands of a node that deserve a name, with what they are."""
    if isinstance(node, Elementwise) and node.function not in NOT_DIFFERENTIATED:
        for e in node.operands:
            yield e, _argument_role(node, e)
    elif isinstance(node, Apply):
        for e in node.operands:
            yield e, "residual" if node.primitive in NORM_LIKE else "pre-activation" if e.rank else "other"
    elif isinstance(node, Contraction) and sum(e in active for e in node.operands) > 1:
        for e in node.operands:
            core = _core(e)
            if _is_power(core) and core.parameter == -1:  # type: ignore[attr-defined]  # a power is an Elementwise
                # What stands below a fraction bar, not its reciprocal and not its powers.
                while _is_power(core):
                    core = _core(core.children[0])
            if isinstance(core, Elementwise | Apply) and not (isinstance(core, Apply) and core.primitive == "inv"):
                yield core, _result_role(core)


def _core(e: Expr) -> Expr:
    """An operand without transposes and broadcasts."""
    while isinstance(e, Contraction) and len(e.operands) == 1:
        e = e.operands[0]
    return e


def _argument_role(node: Elementwise, operand: Expr) -> str:
    if isinstance(operand, Elementwise | Apply):
        return _result_role(operand)
    if node.function in RESIDUAL or (node.function == "power" and node.parameter == 2):
        return "residual"
    return "other" if node.function in {"power", "log"} else "pre-activation"


def _result_role(node: Expr) -> str:
    if isinstance(node, Apply):
        return "probabilities" if node.primitive == "softmax" else "other"
    if isinstance(node, Elementwise):
        return "probabilities" if node.function == "sigmoid" else "other" if node.function == "power" else "activation"
    return "other"


def is_short(e: Expr, named: Collection[Expr]) -> bool:
    """Whether a node is read more easily in place: one or two named values with signs, coefficients and constants."""
    arrays: set[Expr] = set()
    stack = [e]
    while stack:
        node = stack.pop()
        if (node in named and node is not e) or (
            isinstance(node, Leaf) and node.role not in {Role.NUMBER, Role.SIZE, Role.HYPERPARAMETER}
        ):
            arrays.add(node)
        elif (
            isinstance(node, Linear)
            or (isinstance(node, Contraction) and _keeps_every_axis(node))
            or (isinstance(node, Elementwise) and (_is_root(node) or _is_scale(node)))
        ):
            stack += node.children
        elif not isinstance(node, Leaf):
            return False
        if len(arrays) > 2:
            return False
    return True


def _is_root(node: Elementwise) -> bool:
    """1/u, √u, 1/√u: read as part of a quotient."""
    return node.function == "power" and (node.parameter == -1 or str(node.parameter) in {"1/2", "-1/2"})


def _is_scale(node: Elementwise) -> bool:
    """e^(2s) with a scalar leaf s: a positive number given by its logarithm."""
    core = _core(node.operands[0])
    while isinstance(core, Linear) and len(core.terms) == 1:
        core = _core(core.terms[0][1])
    return node.function == "exp" and not node.rank and isinstance(core, Leaf)


def _keeps_every_axis(node: Contraction) -> bool:
    return all(i < node.rank for own in node.indices for i in own)


def _letters(nodes: Sequence[tuple[Expr, str]], taken: Collection[str], users: Mapping[Expr, str]) -> dict[Expr, str]:
    """A letter for each node by its role; several with one letter are numbered in the order of the program.

    Where several values are each computed time after time (two gates in every step), each kind has a letter of its own.
    """
    kinds: dict[tuple[str, bool], dict[tuple[object, ...], list[Expr]]] = {}
    named = {*users, *(node for node, _ in nodes)}
    for node, role in nodes:
        kinds.setdefault((role, node.rank >= 2), {}).setdefault(_kind(node, users, named), []).append(node)
    groups: list[tuple[str, bool, list[Expr]]] = []
    place = {node: k for k, (node, _) in enumerate(nodes)}
    for (role, is_matrix), own in kinds.items():
        repeated = [members for members in own.values() if len(members) > 1]
        apart = repeated[1:] if len(repeated) > 1 else []
        gone = {e for members in apart for e in members}
        first = [e for members in own.values() for e in members if e not in gone]
        groups += [(role, is_matrix, sorted(members, key=lambda e: place[e])) for members in (first, *apart)]
    used, chosen = set(taken), dict[Expr, str]()
    for role, is_matrix, members in groups:
        letter = _free_letter((MATRIX_LETTERS if is_matrix else LETTERS)[role], used, len(members))
        names = [letter] if len(members) == 1 else [f"{letter}{k}" for k in range(1, len(members) + 1)]
        used.update(c for name in (letter, *names) for c in (name.lower(), name.upper()))
        chosen.update(zip(members, names, strict=True))
    return chosen


def _kind(root: Expr, users: Mapping[Expr, str], named: Collection[Expr]) -> tuple[object, ...]:
    """What a value is but for the numbers in the names that it is made of."""
    found: list[object] = [_operation(root)]
    for node in postorder(root.children, stop=named):
        if node in named or isinstance(node, Leaf):
            name = users.get(node) or (node.name if isinstance(node, Leaf) else "")
            is_constant = isinstance(node, Leaf) and node.role in CONSTANT_ROLES
            found.append(str(node.value) if is_constant and isinstance(node, Leaf) else name.rstrip("0123456789"))
        else:
            found.append(_operation(node))
    return tuple(found)


def _operation(node: Expr) -> tuple[object, ...]:
    what = getattr(node, "function", None) or getattr(node, "primitive", None) or getattr(node, "indices", None)
    return node.kind, str(what), len(node.children)


def _free_letter(letters: str, used: set[str], count: int) -> str:
    others = OTHER_LETTERS.upper() if letters.isupper() else OTHER_LETTERS
    candidates: list[str] = [*letters, *others, *(f"{letters[0]}_{k}" for k in range(1, len(used) + 2))]
    for letter in candidates:
        names = [letter] if count == 1 else [f"{letter}{k}" for k in range(1, count + 1)]
        if letter not in used and not used & set(names):
            return letter
    raise AssertionError("one more candidate than used names is always free")


def loss_name(taken: Collection[str]) -> str:
    """The letter of the loss: L, unless the user has one."""
    return next((name for name in LOSS_LETTERS if name not in taken), "Loss_")
