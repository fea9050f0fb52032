"""The section on bound data: what it prints is evaluated, and is the loss, the gradients and the values of the page."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import floats
import numpy as np
import pytest
from typer.testing import CliRunner

import symgrad as sg
from symgrad.cli import app
from symgrad.compile import bound_form as made
from symgrad.compile import bound_proof, laws, tailor
from symgrad.compile.bound_form import bound_form
from symgrad.derive.bound_form import Law
from symgrad.derive.derivation import Verdict
from symgrad.errors import CheckFailed, InputError
from symgrad.explain import bound_sentences as tell
from symgrad.graph.expression import scale

n, d, k = sg.dims("n d k")
X, y, w, b = sg.data("X", n, d), sg.data("y", n), sg.parameter("w", d), sg.parameter("b")
t, s = sg.data("t", n, binary=True), sg.data("s", n, sign=True)
W, v, T = sg.parameter("W", d, k), sg.parameter("v", k), sg.data("T", n, k)
Y = sg.data("Y", n, k, one_hot=True)
mu, S = sg.parameter("mu", d), sg.parameter("S", d, d)
M, U, V = sg.data("M", n, d), sg.parameter("U", n, k), sg.parameter("V", d, k)
D, q, a = sg.data("D", n, n, symmetric=True), sg.parameter("q"), sg.parameter("a")
lam = sg.hyperparameter("lam", 0.3)
SIZES = {"n": 9, "d": 3, "k": 2}

z = X @ w + b
r, R, E, m = X @ w + b - y, X - mu, X @ W + v - T, s * (X @ w + b)
p, K, F = sg.sigmoid(z), sg.exp(2 * a) * sg.exp(-D / 2) + sg.exp(2 * q) * sg.eye(n), U @ V.T - M
u = sg.parameter("u", n)
LABELS = -sg.sum(t * sg.log(sg.sigmoid(u)) + (1 - t) * sg.log(1 - sg.sigmoid(u)))
COUNTS = sg.mean(sg.exp(z) - y * z)
LOGISTIC = -sg.mean(t * sg.log(p) + (1 - t) * sg.log(1 - p))
PROCESS = (y @ sg.solve(K, y) + sg.logdet(K)) / 2
# The loss, the names on the page, the laws.
MODELS = {
    "least squares": (sg.mean(r**2) + lam * w @ w, {"r": r}, (Law.ROTATION, Law.COLUMNS)),
    "no column of ones": (sg.mean((X @ w - y) ** 2), {}, (Law.ROTATION, Law.COLUMNS)),
    "several outputs": (sg.sum(E**2) / n, {"E": E}, (Law.ROTATION,)),
    "a Gaussian": (sg.sum(R * (R @ sg.inv(S))) / 2 + n * sg.logdet(S) / 2, {"R": R}, (Law.ROTATION,)),
    "logistic": (LOGISTIC, {"z": z, "p": p}, (Law.SIGNS, Law.COLUMNS)),
    "labels without a matrix": (LABELS, {}, (Law.SIGNS,)),
    "Poisson": (COUNTS, {"z": z}, (Law.INNER_PRODUCTS, Law.COLUMNS)),
    "Huber": (sg.mean(sg.huber(r, 1)), {"r": r}, (Law.COLUMNS,)),
    "hinge": (sg.sum(sg.maximum(0, 1 - m)) + w @ w, {"m": m}, (Law.COLUMNS,)),
    "Gaussian process": (PROCESS, {"K": K}, (Law.EIGENVECTORS,)),
    "ridge on kernels": (sg.sum((y - D @ sg.solve(D + b**2 * sg.eye(n), y)) ** 2), {}, (Law.EIGENVECTORS,)),
    "factorisation": (sg.sum(F**2) / 2 + lam * sg.sum(U**2), {"F": F}, (Law.LOW_RANK,)),
    "a square alone": (sg.sum((M - U @ V.T) ** 2), {}, (Law.LOW_RANK,)),
}  # fmt: skip


@cache
def problem(name):
    loss, names, _ = MODELS[name]
    return sg.Problem(loss, names=names)


def arrays_for(derivation):
    """Arrays by leaf, with their facts."""
    random = np.random.default_rng(5)
    found = {}
    for e in derivation.leaves:
        x = random.normal(size=[size.at(SIZES) for size in e.shape])
        x = (x > 0) * 1.0 if "binary" in e.facts else np.sign(x) if "sign" in e.facts else x
        found[e] = x @ x.T + np.eye(len(x)) if "symmetric" in e.facts or e.name == "S" else x
    return found


def basis_of(form, law, known):
    """Q and what it turns, by NumPy, as the page's equation says."""
    if law.law is Law.ROTATION:
        parts = [known.get(e, np.ones(SIZES["n"])).reshape(SIZES["n"], -1) for e in law.given]
        basis, triangle = np.linalg.qr(np.hstack(parts))
        pieces = np.split(triangle, np.cumsum([x.shape[1] for x in parts])[:-1], axis=1)
        shaped = [x if e.rank > 1 else x[:, 0] for e, x in zip(law.instead, pieces, strict=True)]
        found = dict(zip(law.instead, shaped, strict=True))
    else:
        values, basis = np.linalg.eigh(floats.run(law.given[0], known, SIZES))
        found = {law.instead[0]: values}
    return {law.basis: basis, **found}


def evaluated(form, derivation, arrays):
    """Every name that the section prints, the loss and the gradients, by floating-point numbers."""
    known = dict(arrays)
    for law in form.laws:
        if law.basis is not None:
            known |= basis_of(form, law, known)
        for eq in law.definitions:
            known[eq.target] = floats.run(eq.expression, known, SIZES)
    for eq in form.equations:
        known[eq.target] = floats.run(eq.expression, known, SIZES)
    return known


@pytest.mark.parametrize("name", list(MODELS))
def test_what_is_printed_is_the_loss_and_its_gradients(name):
    derivation = problem(name).derive(prove=False)
    form = bound_form(derivation)
    assert tuple(law.law for law in form.laws) == MODELS[name][2]
    first = derivation.backward[-1].label + 1
    assert form.labels == tuple(range(first, first + len(form.labels)))
    arrays = arrays_for(derivation)
    found = evaluated(form, derivation, arrays)
    plain = dict(arrays)
    for eq in (*derivation.forward, *derivation.backward):
        plain[eq.target] = floats.run(eq.expression, plain, SIZES)
    wanted = [derivation.loss, *(eq.target for eq in derivation.backward if eq.variable in set(derivation.parameters))]
    for e in wanted:
        assert np.allclose(found[e], plain[e], rtol=1e-9, atol=1e-11), e
    # A name of the page is still what it was; with a tilde it is that in another basis.
    for eq in form.equations:
        if eq.target in plain:
            assert np.allclose(found[eq.target], plain[eq.target], rtol=1e-9, atol=1e-11), eq.target
    basis = next((found[law.basis] for law in form.laws if law.basis is not None), None)
    for new, old in form.turned.items():
        if new in found and old.name != "1":
            if new.rank < old.rank:
                assert np.allclose(np.sort(found[new]), np.linalg.eigvalsh(plain[old]))
            else:
                assert np.allclose(basis @ found[new], plain[old])


def test_no_two_names_are_one():
    """Letters of the user's are taken: C, c, g, u, Q and the tilde."""
    own = {letter: sg.parameter(letter) for letter in ("C", "c", "g", "u", "Q")}
    x_tilde = sg.parameter("X_tilde")
    residual = X @ w - y
    derivation = sg.Problem(sg.sum(residual**2) + sum(e**2 for e in own.values()) + x_tilde**2).derive(prove=False)
    form = bound_form(derivation)
    names = [e.name for e in derivation.leaves] + [e.name for law in form.laws for e in law.instead]
    names += [eq.name for law in form.laws for eq in law.definitions]
    names += [eq.name for eq in form.equations if eq.variable is None] + ["E"]
    assert len(names) == len(set(names))


# ---- broken on purpose


def test_a_law_that_is_wrong_is_not_printed(monkeypatch):
    def wrong(e):
        found = tailor.signed_softplus(e)
        return None if found is None else (scale(2, found[0]), found[1])

    monkeypatch.setattr(tailor, "RULES", (wrong,))
    form = bound_form(problem("logistic").derive(prove=False))
    assert form.laws == ()
    assert form.equations == ()
    text = problem("logistic").explain(bound="all")
    assert "Labels as signs" not in text
    assert "stay as they are" in text


@pytest.mark.parametrize("law", ["prove_rotation", "prove_spectrum", "prove_tailored"])
def test_what_a_prover_refuses_is_not_printed(law, monkeypatch):
    def refuse(*programs):
        raise CheckFailed("no")

    name = {"prove_rotation": "no column of ones", "prove_spectrum": "Gaussian process"}.get(law, "a square alone")
    monkeypatch.setattr(laws, law, refuse)
    found = {own.law for own in bound_form(problem(name).derive(prove=False)).laws}
    assert not found & {Law.ROTATION, Law.EIGENVECTORS, Law.LOW_RANK}


@pytest.mark.parametrize("name", ["least squares", "logistic", "Gaussian process", "factorisation"])
@pytest.mark.parametrize("place", ["loss", "gradient", "definition"])
def test_a_wrong_equation_is_refused(name, place):
    """Proved is what is printed, not only what was rewritten."""
    derivation = problem(name).derive(prove=False)
    form = bound_form(derivation)
    found = laws.rewritten(made.dissolve(derivation), [e.name for e in form.bound], made.ONES)
    bound_proof.prove(derivation, form, found)
    is_loss = [eq.target is form.loss for eq in form.equations]
    k = {"loss": is_loss.index(True), "gradient": -1, "definition": 0}[place]
    broken = list(form.equations)
    broken[k] = replace(broken[k], expression=scale(3, broken[k].expression))
    with pytest.raises(CheckFailed):
        bound_proof.prove(derivation, replace(form, equations=tuple(broken)), found)


def test_a_wrong_way_of_writing_is_refused(monkeypatch):
    monkeypatch.setattr(made, "_short", lambda e: scale(2, e))
    with pytest.raises(CheckFailed, match="defect of symgrad"):
        problem("Huber").explain(bound="all")


# ---- the page

SAID = {
    "least squares": (r"\begin{bmatrix} X & y & \mathbf{1} \end{bmatrix} &= Q", r"\tilde{r} &= C c"),
    "logistic": ("s &= 1 - 2 t", r"C &= \begin{bmatrix} \mathrm{diag}(s)\,X & s \end{bmatrix}"),
    "Poisson": (r"\sum_{i} a_{i} - p^{\top} q", r"\mathbf{1}^{\top} \exp(z) - y^{\top} z"),
    "Gaussian process": (r"V\,\mathrm{diag}(\lambda)\,V^{\top}", r"\lambda_{K} &= e^{2 a} \lambda + e^{2 q} \mathbf{1}"),
    "factorisation": (
        r"- 2 \langle U, M V\rangle + \langle G, H\rangle",
        r"q > 10^{-4} \lVert M\rVert_{F}^{2}",
        r"U (H + 2 \lambda I) - M V",
    ),
}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", list(SAID))
def test_each_law_is_said_with_its_formula(name, language):
    own = problem(name)
    text = own.explain(bound="all", language=language)
    for law in MODELS[name][2]:
        assert tell.NAMES[law].to(language) in text
    for formula in SAID[name]:
        assert formula in text
    assert tell.SAME.to(language) in text
    form = bound_form(own.derive())
    assert all(f"({label})" in text for label in form.labels)
    verdicts = {check.verdict for check in form.checks}
    sure = {"en": ("proved, entry", "verified"), "zh": ("证毕", "数值验证")}[language]
    row = next(line for line in text.splitlines() if tell.SAME.to(language) in line)
    assert sure[Verdict.VERIFIED in verdicts] in row


@pytest.mark.parametrize("language", ["en", "zh"])
def test_where_no_law_applies_it_is_said_what_is_done_anyway(language):
    own = sg.Problem(-sg.mean(sg.sum(Y * sg.log_softmax(X @ W + v), axis=1)))
    text = own.explain(bound=["X", "Y"], language=language)
    assert {"en": "stay as they are when", "zh": "以上各式保持不变"}[language] in text
    assert {"en": "$`n`$ examples block by block", "zh": "对 $`n`$ 个样本的求和分块累加"}[language] in text
    assert tell.SAME.to(language) not in text
    process = sg.Problem(sg.sum(sg.exp(D) * a) ** 2).explain(bound=["D"], language=language)
    assert {"en": "is bound", "zh": "固定 $`D`$ 之后"}[language] in process
    assert {"en": "block by block", "zh": "分块累加"}[language] not in process


def test_data_bound_in_part():
    derivation = problem("least squares").derive(prove=False)
    assert [e.name for e in bound_form(derivation, ["X"]).bound] == ["X"]
    assert Law.ROTATION not in {law.law for law in bound_form(derivation, ["X"]).laws}
    assert bound_form(derivation, "y").bound == (y,)


@pytest.mark.parametrize("form", ["github", "common", "latex", "pdf", "html", "ipynb", "terminal:100"])
def test_in_every_format(form):
    own = problem("factorisation")
    assert len(own.explain(form, bound="all")) > len(own.explain(form))


def test_without_the_option_the_page_is_as_before():
    own = problem("logistic")
    assert own.explain() == own.explain(bound=())
    assert "bound" not in own.explain()


def test_what_cannot_be_bound_is_told():
    own = problem("least squares")
    with pytest.raises(InputError, match="'w' is not among the data of the model; choose from X, y, lam"):
        own.explain(bound=["X", "w"])
    with pytest.raises(InputError, match="leave out the layout or what is bound"):
        own.explain(bound=["X"], layout="numerator")
    with pytest.raises(InputError, match="JSON holds the lines of the derivation alone"):
        own.explain("json", bound=["X"])
    with pytest.raises(InputError, match="no data to bind"):
        sg.Problem(w @ w).explain(bound="all")


def test_on_the_command_line(tmp_path):
    model = tmp_path / "model.py"
    model.write_text(
        "import symgrad as sg\nn, d = sg.dims('n d')\nX, y, w = sg.data('X', n, d), sg.data('y', n), sg.parameter('w', d)\n"
        "loss = sg.mean((X @ w - y) ** 2)\n"
    )

    def run(*args):
        return CliRunner().invoke(app, ["explain", *args])

    whole = run(str(model), "--bound", "X,y", "-f", "md").stdout
    assert "With $`X`$ and $`y`$ bound" in whole
    assert run("--bound", str(model), "-f", "md").stdout == whole
    assert run(str(model), "-f", "md", "--bound").stdout == whole
    found = run(str(model), "--bound", "X,q")
    assert found.exit_code == 2
    assert found.stderr == "bound: 'q' is not among the data of the model; choose from X, y\n"
    assert "a name is missing" in run(str(model), "--bound", "X,").stderr
    assert "--bound belongs to the page of the gradient" in run(str(model), "--bound", "X", "--hessian", "w").stderr


def test_a_name_that_is_no_law():
    """A matrix of the user's that is called columns is no law."""
    joined = sg.concatenate([X, y[:, None]], axis=1)
    c = sg.parameter("c", d + 1)
    h = sg.tanh(joined @ c)
    own = sg.Problem(sg.sum(h - t * h) / 2, names={"columns": joined})
    form = bound_form(own.derive(prove=False))
    assert (form.laws, form.equations) == ((), ())


def test_the_gate_of_the_page_is_that_of_the_code():
    own = problem("a square alone")
    source = own.compile(prove=False).bind(M=np.ones((40, 30))).source
    text = own.explain(bound="all")
    code = re.search(r"if 4 \* k \* \(n \+ d\) \+ (\d+) < n \* d:", source)[1]
    assert f"$`4 k (n + d) + {code} < n d`$" in text
    power = re.search(r"> 1e(-\d+) \* ", source)[1]
    assert rf"q > 10^{{{power}}} " in text
