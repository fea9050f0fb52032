"""Names of intermediates: the file's own, a loop's numbered in order, and none that clashes with another."""

from __future__ import annotations

import pytest

import symgrad as sg

HEAD = '''"""A model: to be named."""
import symgrad as sg
n, d = sg.dims("n d")
X = sg.data("X", n, d)
y = sg.data("y", n)
w = sg.parameter("w", d)
'''


@pytest.fixture
def forward(tmp_path):
    """The forward equations of a model file, as text by name."""

    def equations(body):
        path = tmp_path / "model.py"
        path.write_text(HEAD + body, encoding="utf-8")
        return {eq.name: str(eq.expression) for eq in sg.load(str(path)).derive(prove=False).forward}

    return equations


def test_variables_of_the_file_name_intermediates(forward):
    assert forward("r = X @ w - y\nloss = sg.sum(r**2)\n") == {"r": "X @ w - y", "L": "sum(r**2)"}


def test_a_loop_names_its_values_in_order(forward):
    body = "h = X @ w\nfor _ in range(3):\n    h = sg.tanh(h)\nloss = sg.sum(h * y)\n"
    assert forward(body) == {"h1": "X @ w", "h2": "tanh(h1)", "h3": "tanh(h2)", "h4": "tanh(h3)", "L": "sum(h4 * y)"}


def test_a_variable_that_begins_as_a_leaf_does_not_rename_it(forward):
    body = "H = X\nfor _ in range(2):\n    H = sg.tanh(H)\nloss = y @ H @ w\n"
    found = forward(body)
    assert found["H1"] == "tanh(X)"
    assert found["H2"] == "tanh(H1)"
    assert set(found) == {"H1", "H2", "L"}


def test_an_accumulated_loss_is_one_sum(forward):
    body = "loss = 0\nfor c in (1, 2):\n    e = sg.sum((X @ w - c * y) ** 2)\n    loss = loss + e\n"
    found = forward(body)
    assert "loss1" not in found
    assert found["L"] == "e1 + e2"


def test_a_clash_with_the_users_own_name_is_renamed(forward):
    body = "H1 = X @ w\nH = sg.tanh(H1)\nH = sg.exp(H)\nloss = sg.sum(H * y)\n"
    found = forward(body)
    assert found["H1"] == "X @ w"
    assert found["H_1"] == "tanh(H1)"
    assert found["H_2"] == "exp(H_1)"


def test_automatic_names_avoid_the_users(forward):
    # r would be the residual's letter; here it is the user's own.
    body = "r = sg.data('r', n)\nloss = sg.sum((X @ w - r) ** 2) + sg.sum(sg.tanh(w))\n"
    found = forward(body)
    assert found["e"] == "X @ w - r"
    assert "r" not in found


def test_the_loss_gets_a_letter_that_is_free(forward):
    body = "L = X @ w\nloss = sg.sum(L * y)\n"
    assert forward(body) == {"L": "X @ w", "J": "sum(L * y)"}
