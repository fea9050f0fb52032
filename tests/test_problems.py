"""The problems of a lecture (p…), and models of other kinds (m…), each a file of `models/`: proved, ending in the line that
a textbook prints, right in numbers.

The textbook's lines and PyTorch's losses are written here by hand: neither knows anything of how symgrad derives.
"""

from __future__ import annotations

import inspect
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from chosen import problem_at
from measure import LONGEST, dissolved, normal_form

import symgrad as sg
from symgrad.derive.derivation import Verdict
from symgrad.graph.expression import Role
from symgrad.rewrite.convert import to_form
from symgrad.rewrite.cost import cost
from symgrad.rewrite.display import simplify
from symgrad.rewrite.expand import expand
from symgrad.rewrite.facts import Facts

FOLDER = Path(__file__).parent / "models"
FILES = {path.stem: path for path in sorted(FOLDER.glob("[mp][0-9]*.py"))}

# The table's line for each cotangent, as a function of the derivation's own names (`z_bar` is ∂L/∂z, `n` a size).
LINES = {
    "m01_layer_norm": {
        "E2": lambda E2, n: E2 / n,
        "g": lambda E2, Z, n: sg.sum(E2 * Z, axis=0) / n,
        "Z": lambda E2, g, n: E2 * g / n,
        "v": lambda Z_bar, Z, v: -sg.sum(Z_bar * Z, axis=1, keepdims=True) / (v + 1e-5) / 2,
        "E1": lambda Z_bar, Z, v, k: (Z_bar - Z * sg.sum(Z_bar * Z, axis=1, keepdims=True) / k) / sg.sqrt(v + 1e-5),
        "H": lambda E1_bar, k: E1_bar - sg.sum(E1_bar, axis=1, keepdims=True) / k,
        "W": lambda X, H_bar: X.T @ H_bar,
    },
    "m02_mixture": {
        "a": lambda a, Z, n: sg.softmax(a) - sg.sum(sg.softmax(Z), axis=0) / n,
        "M": lambda Z, M, X, n: (sg.sum(sg.softmax(Z), axis=0)[:, None] * M - sg.softmax(Z).T @ X) / n,
    },
    "m03_contrastive": {
        "S": lambda S, n: (sg.softmax(S) - sg.eye(n)) / n,
        "A": lambda S_bar, B, tau: S_bar @ B / tau,
        "B": lambda S_bar, A, tau: S_bar.T @ A / tau,
        "U": lambda A_bar, A, T1: (A_bar - A * sg.sum(A_bar * A, axis=1, keepdims=True)) / T1,
        "V": lambda B_bar, B, T2: (B_bar - B * sg.sum(B_bar * B, axis=1, keepdims=True)) / T2,
    },
    "m04_variational": {
        "C": lambda Zl, R, n: Zl.T @ R / n,
        "mu": lambda R, C, mu, n: (R @ C.T + mu) / n,
        "s": lambda R, C, E, s, n: (R @ C.T * E * sg.exp(s / 2) + sg.exp(s) - 1) / (2 * n),
        "A": lambda X, mu_bar: X.T @ mu_bar,
        "B": lambda X, s_bar: X.T @ s_bar,
    },
    "m05_cox": {
        "eta": lambda R, c, u, eta: R.T @ (c / u) * sg.exp(eta) - c,
        "w": lambda X, eta_bar: X.T @ eta_bar,
    },
    "m06_gated_cell": {
        "s2": lambda U, q3_bar, s3_bar, z3: U.T @ q3_bar + s3_bar * (1 - z3),
        "q2": lambda s2_bar, z2, c2: s2_bar * z2 * (1 - c2**2),
        "z2": lambda s2_bar, c2, s1: s2_bar * (c2 - s1),
        "a2": lambda z2_bar, z2: z2_bar * z2 * (1 - z2),
        "Wz": lambda a1_bar, a2_bar, a3_bar, x1, x2, x3: (
            sg.outer(a1_bar, x1) + sg.outer(a2_bar, x2) + sg.outer(a3_bar, x3)
        ),
        "W": lambda q1_bar, q2_bar, q3_bar, x1, x2, x3: (
            sg.outer(q1_bar, x1) + sg.outer(q2_bar, x2) + sg.outer(q3_bar, x3)
        ),
        "U": lambda q1_bar, q2_bar, q3_bar, s0, s1, s2: (
            sg.outer(q1_bar, s0) + sg.outer(q2_bar, s1) + sg.outer(q3_bar, s2)
        ),
    },
    "m07_ranking": {"w": lambda A, B, z, n: (B - A).T @ sg.sigmoid(z) / n},
    "m08_precision": {
        "S": lambda C, S, n: (C.T @ C / n - sg.inv(S)) / 2,
        "P": lambda P, C, S, n: P @ (C.T @ C / n - sg.inv(S)),
        "mu": lambda S, C, n: -S @ sg.sum(C, axis=0) / n,
    },
    "m09_tied_autoencoder": {"W": lambda E, X, W, n: (E.T @ X + X.T @ E) @ W / n},
    "m10_graph": {
        "f": lambda f, y, lam, A, n: (f - y) / n + lam * (A @ f),
        "w": lambda X, f_bar: X.T @ f_bar,
    },
    "m11_student": {
        "r": lambda nu, r, u: (nu + 1) * (r / u) / nu,
        "w": lambda X, r_bar: X.T @ r_bar,
    },
    "m12_triplet": {
        "p": lambda p, q, m, n: (p - q + m > 0) / n,
        "E1": lambda p_bar, E1: 2 * p_bar[:, None] * E1,
        "W": lambda A, P, N, E1_bar, E2_bar: (A - P).T @ E1_bar + (A - N).T @ E2_bar,
    },
    "p01_least_squares": {
        "w": lambda X, r, n: X.T @ r / n,
        "b": lambda r, n: sg.sum(r) / n,
    },
    "p02_relu_neuron": {
        "z": lambda z, y, n: 2 / n * (sg.maximum(0, z) - y) * (z > 0),
        "w": lambda X, z_bar: X.T @ z_bar,
        "b": lambda z_bar: sg.sum(z_bar),
    },
    "p03_quadratic_form": {"x": lambda A, x: (A + A.T) @ x},
    "p03_quadratic_form_symmetric": {"x": lambda A, x: 2 * A @ x},
    "p04_circuit": {
        "x": lambda x, y, N, D: 1 / D - N / D**2 * (sg.sigmoid(x) * (1 - sg.sigmoid(x)) + 2 * (x + y)),
        "y": lambda x, y, N, D: sg.sigmoid(y) * (1 - sg.sigmoid(y)) / D - N / D**2 * (2 * (x + y)),
    },
    "p06_distance": {"x": lambda x, a: (x - a) / sg.norm(x - a)},
    "p07_ridge": {"w": lambda X, w, r, lam: 2 * X.T @ r + 2 * lam * w},
    "p09_logistic_signs": {"w": lambda X, y, w, c, z: w - c * X.T @ (y * sg.sigmoid(z))},
    "p10_binary_cross_entropy": {
        "p": lambda y, p, n: ((1 - y) / (1 - p) - y / p) / n,
        "z": lambda p, y, n: (p - y) / n,
        "w": lambda X, p, y, n: X.T @ (p - y) / n,
        "b": lambda p, y, n: sg.sum(p - y) / n,
    },
    "p11_softmax_regression": {
        "S": lambda T, S, n: -T / S / n,
        "Z": lambda S, T, n: (S - T) / n,
        "W": lambda X, S, T, n, lam, W: X.T @ (S - T) / n + lam * W,
        "b": lambda S, T, n: sg.sum(S - T, axis=0) / n,
    },
    "p12_cross_entropy": {"z": lambda t, z: sg.sum(t) * sg.softmax(z) - t},
    "p12_cross_entropy_one_hot": {"z": lambda t, z: sg.softmax(z) - t},
    "p14_poisson": {"w": lambda X, eta, y: X.T @ (sg.exp(eta) - y)},
    "p15_huber": {"w": lambda X, r, delta: X.T @ sg.clip(r, -delta, delta)},
    "p17_masked_factorisation": {"U": lambda E, V: -2 * E @ V, "V": lambda E, U: -2 * E.T @ U},
    "p17_weighted_factorisation": {
        "U": lambda O, E, V: -2 * (O * E) @ V,  # noqa: E741
        "V": lambda O, E, U: -2 * (O * E).T @ U,  # noqa: E741
    },
    "p19_logdet": {"X": lambda X: sg.inv(X).T},
    "p21_inverse_sandwich": {"X": lambda a, b, X: -(sg.inv(X).T @ sg.outer(a, b) @ sg.inv(X).T)},
    "p22_trace": {"X": lambda A, B, C, X: A.T @ C.T @ X @ B.T + C @ A @ X @ B},
    "p23_general_least_squares": {"X": lambda A, B, E: 2 * A.T @ E @ B.T},
    "p27_gaussian_process": {
        "K": lambda K, alpha: (sg.inv(K) - sg.outer(alpha, alpha)) / 2,
        "s": lambda K_bar, E: 2 * sg.sum(K_bar * E),
        "l": lambda K_bar, E, D, l: sg.sum(K_bar * E * D) / sg.exp(2 * l),  # noqa: E741
        "q": lambda K_bar, q: 2 * sg.exp(2 * q) * sg.trace(K_bar),
    },
    "p29_hidden_layer": {
        "W2": lambda o, y, h, lam, W2: sg.outer(o - y, h) + lam * W2,
        "z": lambda W2, o, y, h: W2.T @ (o - y) * (1 - h**2),
        "W1": lambda z_bar, x, lam, W1: sg.outer(z_bar, x) + lam * W1,
    },
    "p30_relu_net": {
        "S": lambda T, S, n: -T / S / n,
        "A": lambda S, T, n: (S - T) / n,
        "H": lambda A_bar, W2: A_bar @ W2.T,
        "W2": lambda H, S, T, n, lam, W2: H.T @ (S - T) / n + lam * W2,
        "b2": lambda S, T, n: sg.sum(S - T, axis=0) / n,
        "Z": lambda S, T, n, W2, Z: ((S - T) / n @ W2.T) * (Z > 0),
        "W1": lambda X, Z_bar, lam, W1: X.T @ Z_bar + lam * W1,
        "b1": lambda Z_bar: sg.sum(Z_bar, axis=0),
    },
    "p31_tanh_net": {
        "O": lambda O, Y, n: (O - Y) / n,  # noqa: E741
        "W3": lambda H2, O, Y, n: H2.T @ (O - Y) / n,  # noqa: E741
        "b3": lambda O, Y, n: sg.sum(O - Y, axis=0) / n,  # noqa: E741
        "Z2": lambda O_bar, W3, H2: (O_bar @ W3.T) * (1 - H2**2),
        "W2": lambda H1, Z2_bar: H1.T @ Z2_bar,
        "b2": lambda Z2_bar: sg.sum(Z2_bar, axis=0),
        "Z1": lambda Z2_bar, W2, H1: (Z2_bar @ W2.T) * (1 - H1**2),
        "W1": lambda X, Z1_bar: X.T @ Z1_bar,
        "b1": lambda Z1_bar: sg.sum(Z1_bar, axis=0),
    },
    "p33_word2vec": {
        "z": lambda z, o: sg.softmax(z) - o,
        "v": lambda U, z, o: U.T @ (sg.softmax(z) - o),
        "U": lambda z, o, v: sg.outer(sg.softmax(z) - o, v),
    },
    "p36_batch_norm": {
        "Y": lambda G: G,
        "gamma": lambda G, Z: sg.sum(G * Z, axis=0),
        "beta": lambda G: sg.sum(G, axis=0),
        "Z": lambda G, gamma: G * gamma,
        "v": lambda Z_bar, Z, v, eps: -sg.sum(Z_bar * Z, axis=0) / (2 * (v + eps)),
        "mu": lambda Z_bar, v, eps: -sg.sum(Z_bar, axis=0) / sg.sqrt(v + eps),
        "X": lambda n, Z_bar, Z, v, eps: (
            (n * Z_bar - sg.sum(Z_bar, axis=0) - Z * sg.sum(Z_bar * Z, axis=0)) / (n * sg.sqrt(v + eps))
        ),
    },
    "p37_softmax_layer": {
        "Z": lambda Y, G: Y * (G - sg.sum(G * Y, axis=1, keepdims=True)),
        "W": lambda Z_bar, X: Z_bar.T @ X,
        "b": lambda Z_bar: sg.sum(Z_bar, axis=0),
    },
    "p38_attention": {
        "O": lambda G: G,
        "V": lambda P, G: P.T @ G,
        "P": lambda G, V: G @ V.T,
        "Z": lambda P, P_bar: P * (P_bar - sg.sum(P_bar * P, axis=1, keepdims=True)),
        "Q": lambda Z_bar, K, d: Z_bar @ K / sg.sqrt(d),
        "K": lambda Z_bar, Q, d: Z_bar.T @ Q / sg.sqrt(d),
    },
    "p40_tensor": {"T": lambda y_hat, y, A, B, C: sg.einsum("n,ni,nj,nk->ijk", y_hat - y, A, B, C)},
    "p41_convolution": {
        "W": lambda G, X, s: sg.einsum("not,ncts->ocs", G, sg.unfold(X, s)),
        "b": lambda G: sg.sum(G, axis=(0, 2)),
        "X": lambda G, W, t, s: sg.einsum("not,ocs,uts->ncu", G, W, sg.window(t, s)),
    },
}

# What is printed, letter for letter: a change of the display is seen here.
PRINTED = {
    "m01_layer_norm": {
        "g": "sum(E2 * Z, axis=0) / n",
        "W": "X.T @ H_bar",
    },
    "m02_mixture": {
        "a": "softmax(a) - sum(softmax(Z), axis=0) / n",
        "M": "sum(softmax(Z), axis=0)[:, None] * M / n - softmax(Z).T @ X / n",
    },
    "m03_contrastive": {
        "V": "sum(T2_bar, axis=1)[:, None] * B + B_bar / sum(T2, axis=1)[:, None]",
        "U": "sum(T1_bar, axis=1)[:, None] * A + A_bar / sum(T1, axis=1)[:, None]",
    },
    "m04_variational": {
        "C": "Zl.T @ R / n",
        "B": "X.T @ s_bar",
        "A": "X.T @ mu_bar",
    },
    "m05_cox": {
        "w": "X.T @ eta_bar",
    },
    "m06_gated_cell": {
        "Wz": "outer(a1_bar, x1) + outer(a2_bar, x2) + outer(a3_bar, x3)",
        "W": "outer(q1_bar, x1) + outer(q2_bar, x2) + outer(q3_bar, x3)",
        "U": "outer(q1_bar, s0) + outer(q2_bar, s1) + outer(q3_bar, s2)",
    },
    "m07_ranking": {
        "w": "(B - A).T @ sigmoid(z) / n",
    },
    "m08_precision": {
        "P": "P @ (C.T @ C / n - inv(S))",
        "mu": "-S @ sum(C, axis=0) / n",
    },
    "m09_tied_autoencoder": {
        "W": "(E.T @ X + X.T @ E) @ W / n",
    },
    "m10_graph": {
        "w": "X.T @ f_bar",
    },
    "m11_student": {
        "w": "X.T @ r_bar",
    },
    "m12_triplet": {
        "W": "(A - P).T @ E1_bar + (A - N).T @ E2_bar",
    },
    "p01_least_squares": {
        "w": "X.T @ r / n",
        "b": "sum(r) / n",
    },
    "p02_relu_neuron": {
        "w": "X.T @ z_bar",
        "b": "sum(z_bar)",
    },
    "p03_quadratic_form": {
        "x": "(A.T + A) @ x",
    },
    "p03_quadratic_form_symmetric": {
        "x": "2 * A @ x",
    },
    "p04_circuit": {
        "x": "1 / D - N * (2 * (x + y) + sigmoid(x) * (1 - sigmoid(x))) / D**2",
        "y": "sigmoid(y) * (1 - sigmoid(y)) / D - 2 * N * (x + y) / D**2",
    },
    "p06_distance": {
        "x": "(x - a) / norm(x - a)",
    },
    "p07_ridge": {
        "w": "2 * X.T @ r + 2 * lam * w",
    },
    "p09_logistic_signs": {
        "w": "w - c * (X.T @ (sigmoid(z) * y))",
    },
    "p10_binary_cross_entropy": {
        "w": "X.T @ (p - y) / n",
        "b": "sum(p - y) / n",
    },
    "p11_softmax_regression": {
        "W": "X.T @ (S - T) / n + lam * W",
        "b": "sum(S - T, axis=0) / n",
    },
    "p12_cross_entropy": {
        "z": "sum(t) * softmax(z) - t",
    },
    "p12_cross_entropy_one_hot": {
        "z": "softmax(z) - t",
    },
    "p14_poisson": {
        "w": "X.T @ (exp(eta) - y)",
    },
    "p15_huber": {
        "w": "X.T @ clip(r, -delta, delta)",
    },
    "p17_masked_factorisation": {
        "U": "-2 * E @ V",
        "V": "-2 * E.T @ U",
    },
    "p17_weighted_factorisation": {
        "U": "-2 * E * O @ V",
        "V": "-2 * (E * O).T @ U",
    },
    "p19_logdet": {
        "X": "inv(X).T",
    },
    "p21_inverse_sandwich": {
        "X": "-inv(X).T @ outer(a, b) @ inv(X).T",
    },
    "p22_trace": {
        "X": "C @ A @ X @ B + A.T @ C.T @ X @ B.T",
    },
    "p23_general_least_squares": {
        "X": "2 * A.T @ E @ B.T",
    },
    "p27_gaussian_process": {
        "l": "sum(K_bar * D * E) / exp(2 * l)",
        "s": "2 * sum(K_bar * E)",
        "q": "2 * exp(2 * q) * trace(K_bar)",
    },
    "p29_hidden_layer": {
        "W2": "outer(o - y, h) + lam * W2",
        "W1": "outer(z_bar, x) + lam * W1",
    },
    "p30_relu_net": {
        "W2": "H.T @ (S - T) / n + lam * W2",
        "b2": "sum(S - T, axis=0) / n",
        "W1": "X.T @ Z_bar + lam * W1",
        "b1": "sum(Z_bar, axis=0)",
    },
    "p31_tanh_net": {
        "W3": "H2.T @ (O - Y) / n",
        "b3": "sum(O - Y, axis=0) / n",
        "W2": "H1.T @ Z2_bar",
        "b2": "sum(Z2_bar, axis=0)",
        "W1": "X.T @ Z1_bar",
        "b1": "sum(Z1_bar, axis=0)",
    },
    "p33_word2vec": {
        "U": "outer(softmax(z) - o, v)",
        "v": "U.T @ (softmax(z) - o)",
    },
    "p36_batch_norm": {
        "X": "(G - broadcast_to(sum(G, axis=0), (n, d)) / n - Z * sum(G * Z, axis=0) / n) * (gamma / sqrt(v + eps))",
        "gamma": "sum(G * Z, axis=0)",
        "beta": "sum(G, axis=0)",
    },
    "p37_softmax_layer": {
        "W": "Z_bar.T @ X",
        "b": "sum(Z_bar, axis=0)",
    },
    "p38_attention": {
        "Q": "Z_bar @ K / sqrt(d)",
        "K": "Z_bar.T @ Q / sqrt(d)",
        "V": "P.T @ G",
    },
    "p40_tensor": {
        "T": 'einsum("l,li,lj,lk->ijk", y_hat - y, A, B, C)',
    },
    "p41_convolution": {
        "X": 'einsum("ilp,ljq,kpq->ijk", G, W, window(t, s))',
        "W": 'einsum("lip,ljq,qpk->ijk", G, X, window(t, s))',
        "b": "sum(G, axis=(0, 2))",
    },
}

# How many lines the backward passes print.
PAGE_LINES = {
    "m01_layer_norm": 14,
    "m02_mixture": 8,
    "m03_contrastive": 11,
    "m04_variational": 11,
    "m05_cox": 4,
    "m06_gated_cell": 22,
    "m07_ranking": 3,
    "m08_precision": 11,
    "m09_tied_autoencoder": 3,
    "m10_graph": 3,
    "m11_student": 4,
    "m12_triplet": 5,
    "p01_least_squares": 5,
    "p02_relu_neuron": 5,
    "p03_quadratic_form": 1,
    "p03_quadratic_form_symmetric": 2,
    "p04_circuit": 6,
    "p06_distance": 1,
    "p07_ridge": 3,
    "p09_logistic_signs": 3,
    "p10_binary_cross_entropy": 9,
    "p11_softmax_regression": 9,
    "p12_cross_entropy": 1,
    "p12_cross_entropy_one_hot": 2,
    "p14_poisson": 3,
    "p15_huber": 3,
    "p17_masked_factorisation": 11,
    "p17_weighted_factorisation": 5,
    "p19_logdet": 1,
    "p21_inverse_sandwich": 1,
    "p22_trace": 1,
    "p23_general_least_squares": 3,
    "p27_gaussian_process": 15,
    "p29_hidden_layer": 7,
    "p30_relu_net": 14,
    "p31_tanh_net": 15,
    "p33_word2vec": 5,
    "p36_batch_norm": 16,
    "p37_softmax_layer": 5,
    "p38_attention": 8,
    "p40_tensor": 3,
    "p41_convolution": 7,
}

# The same losses in PyTorch, over the tensors `t` by name.
TORCH = {
    "m01_layer_norm": lambda torch, t: (
        (torch.nn.functional.layer_norm(t.X @ t.W, t.g.shape, eps=1e-5) * t.g - t.Y).square().sum() / (2 * len(t.X))
    ),
    "m02_mixture": lambda torch, t: (
        -torch.logsumexp(torch.log_softmax(t.a, 0) - (t.X[:, None] - t.M).square().sum(-1) / 2, 1).mean()
    ),
    "m03_contrastive": lambda torch, t: torch.nn.functional.cross_entropy(
        torch.nn.functional.normalize(t.U) @ torch.nn.functional.normalize(t.V).T / t.tau, torch.arange(len(t.U))
    ),
    "m04_variational": lambda torch, t: variational(torch, t),
    "m05_cox": lambda torch, t: -(t.c * (t.X @ t.w - torch.log(t.R @ torch.exp(t.X @ t.w)))).sum(),
    "m06_gated_cell": lambda torch, t: gated_cell(torch, t),
    "m07_ranking": lambda torch, t: -torch.nn.functional.logsigmoid((t.A - t.B) @ t.w).mean(),
    "m08_precision": lambda torch, t: (
        ((t.X - t.mu) @ t.P.T).square().sum() / (2 * len(t.X)) - torch.linalg.slogdet(t.P)[1]
    ),
    "m09_tied_autoencoder": lambda torch, t: (t.X @ t.W @ t.W.T - t.X).square().sum() / (2 * len(t.X)),
    "m10_graph": lambda torch, t: (
        (t.X @ t.w - t.y).square().mean() / 2 + t.lam / 2 * torch.einsum("ni,i,nm,mj,j->", t.X, t.w, t.A, t.X, t.w)
    ),
    "m11_student": lambda torch, t: (t.nu + 1) / 2 * torch.log1p((t.X @ t.w - t.y) ** 2 / t.nu).sum(),
    "m12_triplet": lambda torch, t: torch.relu(
        ((t.A - t.P) @ t.W).square().sum(1) - ((t.A - t.N) @ t.W).square().sum(1) + t.m
    ).mean(),
    "p01_least_squares": lambda torch, t: ((t.X @ t.w + t.b - t.y) ** 2).mean() / 2,
    "p02_relu_neuron": lambda torch, t: ((t.y - torch.relu(t.X @ t.w + t.b)) ** 2).mean(),
    "p03_quadratic_form": lambda torch, t: torch.einsum("i,ij,j->", t.x, t.A, t.x),
    "p03_quadratic_form_symmetric": lambda torch, t: torch.einsum("i,ij,j->", t.x, t.A, t.x),
    "p04_circuit": lambda torch, t: (t.x + torch.sigmoid(t.y)) / (torch.sigmoid(t.x) + (t.x + t.y) ** 2),
    "p06_distance": lambda torch, t: torch.linalg.vector_norm(t.x - t.a),
    "p07_ridge": lambda torch, t: (t.X @ t.w - t.y).square().sum() + t.lam * t.w.square().sum(),
    "p09_logistic_signs": lambda torch, t: (
        t.w.square().sum() / 2 - t.c * torch.nn.functional.logsigmoid(t.y * (t.X @ t.w)).sum()
    ),
    "p10_binary_cross_entropy": lambda torch, t: torch.nn.functional.binary_cross_entropy_with_logits(
        t.X @ t.w + t.b, t.y
    ),
    "p11_softmax_regression": lambda torch, t: (
        torch.nn.functional.cross_entropy(t.X @ t.W + t.b, t.T.argmax(1)) + t.lam / 2 * t.W.square().sum()
    ),
    "p12_cross_entropy": lambda torch, t: t.t.sum() * torch.logsumexp(t.z, 0) - t.t @ t.z,
    "p12_cross_entropy_one_hot": lambda torch, t: torch.nn.functional.cross_entropy(t.z, t.t.argmax()),
    "p14_poisson": lambda torch, t: torch.nn.functional.poisson_nll_loss(t.X @ t.w, t.y, reduction="sum"),
    "p15_huber": lambda torch, t: torch.nn.functional.huber_loss(t.X @ t.w, t.y, reduction="sum", delta=t.delta.item()),
    "p17_masked_factorisation": lambda torch, t: (t.O * (t.X - t.U @ t.V.T)).square().sum(),
    "p17_weighted_factorisation": lambda torch, t: (t.O * (t.X - t.U @ t.V.T)).square().sum(),
    "p19_logdet": lambda torch, t: torch.linalg.slogdet(t.X)[1],
    "p21_inverse_sandwich": lambda torch, t: t.a @ torch.linalg.solve(t.X, t.b),
    "p22_trace": lambda torch, t: torch.einsum("pm,mn,nq,rq,rp->", t.A, t.X, t.B, t.X, t.C),
    "p23_general_least_squares": lambda torch, t: torch.linalg.matrix_norm(t.A @ t.X @ t.B + t.C) ** 2,
    "p27_gaussian_process": lambda torch, t: gaussian_process(torch, t),
    "p29_hidden_layer": lambda torch, t: (
        (t.W2 @ torch.tanh(t.W1 @ t.x) - t.y).square().sum() / 2
        + t.lam / 2 * (t.W1.square().sum() + t.W2.square().sum())
    ),
    "p30_relu_net": lambda torch, t: (
        torch.nn.functional.cross_entropy(torch.relu(t.X @ t.W1 + t.b1) @ t.W2 + t.b2, t.T.argmax(1))
        + t.lam / 2 * (t.W1.square().sum() + t.W2.square().sum())
    ),
    "p31_tanh_net": lambda torch, t: (
        (torch.tanh(torch.tanh(t.X @ t.W1 + t.b1) @ t.W2 + t.b2) @ t.W3 + t.b3 - t.Y).square().sum() / (2 * len(t.X))
    ),
    "p33_word2vec": lambda torch, t: torch.nn.functional.cross_entropy(t.U @ t.v, t.o.argmax()),
    "p36_batch_norm": lambda torch, t: (
        torch.nn.functional.batch_norm(t.X, None, None, t.gamma, t.beta, training=True, eps=t.eps.item()) * t.G
    ).sum(),
    "p37_softmax_layer": lambda torch, t: (torch.softmax(t.X @ t.W.T + t.b, 1) * t.G).sum(),
    "p38_attention": lambda torch, t: (
        torch.nn.functional.scaled_dot_product_attention(t.Q[None], t.K[None], t.V[None])[0] * t.G
    ).sum(),
    "p40_tensor": lambda torch, t: (torch.einsum("ijk,ni,nj,nk->n", t.T, t.A, t.B, t.C) - t.y).square().sum() / 2,
    "p41_convolution": lambda torch, t: (torch.nn.functional.conv1d(t.X, t.W, t.b) * t.G).sum(),
}


def variational(torch, t):
    """Squared error of the reconstruction, and the divergence of N(μ, e^s) from N(0, 1)."""
    mu, s = t.X @ t.A, t.X @ t.B
    sample = mu + torch.exp(s / 2) * t.E
    divergence = (mu.square() + torch.exp(s) - s - 1).sum()
    return ((sample @ t.C - t.X).square().sum() + divergence) / (2 * len(t.X))


def gated_cell(torch, t):
    """s ← (1 - z) s + z tanh(W x + U s), three times."""
    s = t.s0
    for x in (t.x1, t.x2, t.x3):
        z = torch.sigmoid(t.Wz @ x)
        s = torch.lerp(s, torch.tanh(t.W @ x + t.U @ s), z)
    return (s - t.y).square().sum() / 2


def gaussian_process(torch, t):
    """Half the quadratic form and half the log-determinant, by a Cholesky factor."""
    K = torch.exp(2 * t.s) * torch.exp(-t.D / (2 * torch.exp(2 * t.l))) + torch.exp(2 * t.q) * torch.eye(
        len(t.y), dtype=torch.float64
    )
    low = torch.linalg.cholesky(K)
    return t.y @ torch.cholesky_solve(t.y[:, None], low)[:, 0] / 2 + torch.log(torch.diagonal(low)).sum()


def problem(name):
    return problem_at(FILES[name])


@cache
def derivation(name):
    return problem(name).derive()


def line_of(name, write):
    """An expected line over the derivation's own names."""
    known = {e.name: e for e in [*derivation(name).leaves, *(eq.target for eq in derivation(name).forward)]}
    known |= {f"{eq.name}_bar": eq.target for eq in derivation(name).backward}
    sizes = {size for e in known.values() for s in e.shape for size in s.names}
    known |= {size: sg.dims(size) for size in sizes}
    return write(*(known[argument] for argument in inspect.signature(write).parameters))


def equation_for(name, variable):
    (found,) = [eq for eq in derivation(name).backward if eq.name == variable]
    return found


CASES = [(name, variable) for name, lines in LINES.items() for variable in lines]


def test_every_file_has_its_line_and_its_loss():
    assert FILES.keys() == LINES.keys() == PRINTED.keys() == TORCH.keys()
    for name in FILES:
        assert derivation(name).gradients.keys() <= LINES[name].keys(), f"{name}: a gradient has no line"


@pytest.mark.parametrize("row", [10, 11, 30, 36, 38])
def test_every_intermediate_cotangent_has_its_line(row):
    (name,) = [name for name in FILES if name.startswith(f"p{row}")]
    assert {eq.name for eq in derivation(name).backward} == LINES[name].keys()


@pytest.mark.parametrize("name", FILES)
def test_every_step_is_proved(name):
    for eq in derivation(name).backward:
        assert eq.lines, f"∂L/∂{eq.name} has no line"
        assert eq.lines[-1].expression is eq.expression
        assert [line.proof.verdict for line in eq.lines] == [Verdict.PROVED] * len(eq.lines), eq.name
        assert eq.proof.verdict is Verdict.PROVED
        # One size alone cannot tell n from 3: every proof compares at two, none below 3.
        for line in eq.lines:
            assert all(size >= 3 for sizes in line.proof.sizes for size in sizes.values())
            assert len(line.proof.sizes) == 2 or not any(line.proof.sizes)


@pytest.mark.parametrize("name", FILES)
def test_the_whole_gradient_agrees_with_differences_of_the_loss(name):
    checked = derivation(name).end_to_end
    assert checked.points == 3
    assert checked.largest_error < 1e-20


@pytest.mark.parametrize(("name", "variable"), CASES)
def test_the_end_is_the_textbooks_line(name, variable):
    shown, expected = equation_for(name, variable).expression, line_of(name, LINES[name][variable])
    assert shown.shape == expected.shape
    # In the names of the page, or, where the two use different names, written out in the leaves.
    in_names = [expand(to_form(e)) for e in (shown, expected)]
    if None in in_names or in_names[0] != in_names[1]:
        assert normal_form(derivation(name), shown) == normal_form(derivation(name), expected)


@pytest.mark.parametrize(("name", "variable"), CASES)
def test_the_end_is_as_short_as_the_textbooks_line(name, variable):
    shown, expected = equation_for(name, variable).expression, line_of(name, LINES[name][variable])
    assert cost(shown) <= LONGEST * cost(expected), f"{shown} is longer than {expected}"


@pytest.mark.parametrize(("name", "variable"), CASES)
def test_written_out_in_the_leaves_it_is_as_short_as_the_textbooks_line(name, variable):
    shown, expected = equation_for(name, variable).expression, line_of(name, LINES[name][variable])
    assert cost(dissolved(derivation(name), shown)) <= LONGEST * cost(dissolved(derivation(name), expected))


def test_how_long_the_pages_are():
    """Lines of mathematics on the pages of all rows: a change that makes pages longer is seen here."""
    lines = {name: sum(len(eq.lines) for eq in derivation(name).backward) for name in FILES}
    assert lines == PAGE_LINES


@pytest.mark.parametrize("name", FILES)
def test_what_is_printed(name):
    assert {key: str(e) for key, e in derivation(name).gradients.items()} == PRINTED[name]


class Tensors:
    """Arrays as tensors that PyTorch differentiates by, each under its own name."""

    def __init__(self, torch, arrays):
        for name, a in arrays.items():
            setattr(self, name, torch.tensor(a, dtype=torch.float64, requires_grad=True))


def arrays_of(leaves, seed):
    """A random array for each leaf, with its facts; every size is a number of its own."""
    random = np.random.default_rng(seed)
    names = sorted({name for e in leaves for s in e.shape for name in s.names})
    sizes = {name: 7 + (k + seed) % len(names) for k, name in enumerate(names)}
    # A size that others are subtracted from is the largest.
    sizes |= {
        name: 12 for e in leaves for s in e.shape if len(s.terms) > 1 for name in s.names if "-" + name not in str(s)
    }
    return {e.name: array_of(e, tuple(s.at(sizes) for s in e.shape), random) for e in leaves}


def array_of(e, shape, random):
    a = random.normal(size=shape)
    if e.role is Role.HYPERPARAMETER:
        return random.uniform(0.2, 1.0)
    if "one_hot" in e.facts:
        return np.eye(shape[-1])[random.integers(shape[-1], size=shape[:-1])]
    if "sign" in e.facts:
        return np.where(a > 0, 1.0, -1.0)
    if "binary" in e.facts:
        return np.where(a > 0, 1.0, 0.0)
    if "nonnegative" in e.facts:
        return np.floor(abs(a) * 3)
    if "symmetric" in e.facts:
        # Squared distances of points: a kernel made of them is positive definite.
        points = random.normal(size=(*shape[:1], 2))
        return ((points[:, None] - points) ** 2).sum(axis=-1)
    # A square parameter is inverted here: far from singular, its determinant positive, and not symmetric.
    return a + 6 * np.eye(shape[0]) if len(shape) == 2 and shape[0] == shape[1] else a


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", FILES)
def test_values_and_gradients_agree_with_torch(name, seed):
    torch = pytest.importorskip("torch", reason="PyTorch is the outside oracle; install symgrad[oracle]")
    f, leaves = problem(name).compile(), derivation(name).leaves
    arrays = arrays_of(leaves, seed)
    value, gradients = f(**arrays)
    tensors = Tensors(torch, arrays)
    loss = TORCH[name](torch, tensors)
    loss.backward()
    np.testing.assert_allclose(value, loss.item(), rtol=1e-10)
    assert list(gradients) == [e.name for e in derivation(name).parameters]
    for key, g in gradients.items():
        expected = getattr(tensors, key).grad.numpy()
        assert np.abs(expected).max() > 1e-6, "where a gradient vanishes, agreement says nothing"
        np.testing.assert_allclose(g, expected, rtol=0, atol=1e-10 * np.abs(expected).max())


def test_an_array_that_would_stand_twice_is_taken_out_of_a_difference():
    d, n = sg.dims("d n")
    u, v, s = sg.parameter("u", d), sg.parameter("v", d), sg.data("s")
    p = sg.sigmoid(u @ v)
    # The logarithm of a probability: (p - 1) v, as word2vec is taught, and not p v - v.
    problem = sg.Problem(-sg.log(p), names={"p": p})
    assert {name: str(e) for name, e in problem.derive().gradients.items()} == {"u": "(p - 1) * v", "v": "(p - 1) * u"}
    W, H = sg.data("W", n, d), sg.data("H", n, d)
    written = {
        "(1 - s) * v": v - s * v,
        "W * (1 - H**2)": W - W * H**2,
        "(n - 1) * v / s": (n * v - v) / s,
        # Nothing is gained where a matrix would have to be subtracted from I, or a third term stands beside.
        "W.T @ W @ v - v": W.T @ W @ v - v,
        "s * u + v - u": s * u - u + v,
    }
    assert {line: str(simplify(e, Facts({}))) for line, e in written.items()} == {line: line for line in written}
