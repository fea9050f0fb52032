"""Derivatives that the Matrix Cookbook prints, each with its number, its left side as a loss, and its right side.

K. B. Petersen and M. S. Pedersen, The Matrix Cookbook, version of November 15, 2012; where a number could not be confirmed,
the section alone is cited. What is not a scalar on the left is contracted with a data array G, or is a Jacobian or Hessian
(`kind`). A power Xᵏ is written out for one k, a Kronecker product by its indices.

`leaves` declares "name sizes… facts…", separated by commas: data, a bar, and the parameter. The right side is written over
the leaves by hand, the loss for JAX over jax.numpy alone.

Left out are rules without an array of their own (33-35, 41-43, 45, 73, 94, 96, 133-136), relations between derivatives
(47, 48, 50), and what the language cannot say: the Kronecker product as a matrix (39), the pseudo-inverse as a variable (56),
single eigenvalues and eigenvectors (67, 68), functions of matrices such as sin X (128), a full Toeplitz matrix (143).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import symgrad as sg


@dataclass(frozen=True)
class Identity:
    """One equation: `right` is the derivative of `left` by the only parameter among the leaves."""

    number: str
    section: str
    statement: str
    leaves: str
    left: Callable[..., Any]
    right: Callable[..., Any]
    jax: Callable[..., Any]
    kind: str = "gradient"

    @property
    def name(self) -> str:
        """How a test names it."""
        return f"{self.number or self.section} {self.statement}"


def trace_of(*matrices):
    """The trace of a product."""
    product = matrices[0]
    for m in matrices[1:]:
        product = product @ m
    return sg.trace(product)


# ---- 2, 2.1: differentials, determinants

BASICS = [
    Identity(
        "32",
        "2",
        "∂X_kl/∂X_ij = δ_ik δ_jl",
        "| X n d",
        lambda X: X,
        lambda X, n, d: sg.einsum("ki,lj->klij", sg.eye(n), sg.eye(d)),
        lambda jnp, X: X,
        "jacobian",
    ),
    Identity(
        "36",
        "2",
        "∂Tr(X) = Tr(∂X)",
        "| X n n",
        lambda X: sg.trace(X),
        lambda X, n: sg.eye(n),
        lambda jnp, X: jnp.trace(X),
    ),
    Identity(
        "37",
        "2",
        "∂(XY) = (∂X)Y + X(∂Y), both X",
        "G n n | X n n",
        lambda G, X: sg.sum(G * (X @ X)),
        lambda G, X: G @ X.T + X.T @ G,
        lambda jnp, G, X: jnp.einsum("ik,ij,jk", G, X, X),
    ),
    Identity(
        "38",
        "2",
        "∂(X∘Y) = (∂X)∘Y + X∘(∂Y)",
        "G n d, Y n d | X n d",
        lambda G, Y, X: sg.sum(G * (X * Y)),
        lambda G, Y, X: G * Y,
        lambda jnp, G, Y, X: jnp.vdot(G, X * Y),
    ),
    Identity(
        "40",
        "2",
        "∂(X⁻¹) = -X⁻¹(∂X)X⁻¹",
        "G n n | X n n",
        lambda G, X: sg.sum(G * sg.inv(X)),
        lambda G, X: -(sg.inv(X).T @ G @ sg.inv(X).T),
        lambda jnp, G, X: jnp.vdot(G, jnp.linalg.inv(X)),
    ),
    Identity(
        "44",
        "2",
        "∂(Xᵀ) = (∂X)ᵀ",
        "G d n | X n d",
        lambda G, X: sg.sum(G * X.T),
        lambda G, X: G.T,
        lambda jnp, G, X: jnp.vdot(G, X.T),
    ),
]

DETERMINANTS = [
    Identity(
        "46",
        "2.1.1",
        "∂det(Y)/∂x = det(Y) Tr[Y⁻¹ ∂Y/∂x], Y = A + xB",
        "A n n, B n n | x",
        lambda A, B, x: sg.det(A + x * B),
        lambda A, B, x: sg.det(A + x * B) * sg.trace(sg.inv(A + x * B) @ B),
        lambda jnp, A, B, x: jnp.linalg.det(A + x * B),
    ),
    Identity(
        "49",
        "2.1.2",
        "∂det(X)/∂X = det(X)(X⁻¹)ᵀ",
        "| X n n",
        lambda X: sg.det(X),
        lambda X: sg.det(X) * sg.inv(X).T,
        lambda jnp, X: jnp.linalg.det(X),
    ),
    Identity(
        "51",
        "2.1.2",
        "∂det(AXB)/∂X = det(AXB)(X⁻¹)ᵀ",
        "A n n, B n n | X n n",
        lambda A, B, X: sg.det(A @ X @ B),
        lambda A, B, X: sg.det(A @ X @ B) * sg.inv(X).T,
        lambda jnp, A, B, X: jnp.linalg.det(A @ X @ B),
    ),
    Identity(
        "52",
        "2.1.3",
        "∂det(XᵀAX)/∂X = 2 det(XᵀAX) X⁻ᵀ, X square",
        "A n n | X n n",
        lambda A, X: sg.det(X.T @ A @ X),
        lambda A, X: 2 * sg.det(X.T @ A @ X) * sg.inv(X).T,
        lambda jnp, A, X: jnp.linalg.det(X.T @ A @ X),
    ),
    Identity(
        "53",
        "2.1.3",
        "∂det(XᵀAX)/∂X = 2 det(XᵀAX) AX(XᵀAX)⁻¹, A symmetric",
        "A n n symmetric | X n d",
        lambda A, X: sg.det(X.T @ A @ X),
        lambda A, X: 2 * sg.det(X.T @ A @ X) * (A @ X @ sg.inv(X.T @ A @ X)),
        lambda jnp, A, X: jnp.linalg.det(X.T @ A @ X),
    ),
    Identity(
        "54",
        "2.1.3",
        "∂det(XᵀAX)/∂X = det(XᵀAX)(AX(XᵀAX)⁻¹ + AᵀX(XᵀAᵀX)⁻¹)",
        "A n n | X n d",
        lambda A, X: sg.det(X.T @ A @ X),
        lambda A, X: sg.det(X.T @ A @ X) * (A @ X @ sg.inv(X.T @ A @ X) + A.T @ X @ sg.inv(X.T @ A.T @ X)),
        lambda jnp, A, X: jnp.linalg.det(X.T @ A @ X),
    ),
    Identity(
        "55",
        "2.1.4",
        "∂ln det(XᵀX)/∂X = 2(X⁺)ᵀ",
        "| X n d",
        lambda X: sg.logdet(X.T @ X),
        lambda X: 2 * X @ sg.inv(X.T @ X),
        lambda jnp, X: jnp.linalg.slogdet(X.T @ X)[1],
    ),
    Identity(
        "57",
        "2.1.4",
        "∂ln|det(X)|/∂X = (X⁻¹)ᵀ",
        "| X n n",
        lambda X: sg.logdet(X),
        lambda X: sg.inv(X).T,
        lambda jnp, X: jnp.linalg.slogdet(X)[1],
    ),
    Identity(
        "58",
        "2.1.4",
        "∂det(Xᵏ)/∂X = k det(Xᵏ) X⁻ᵀ, k = 3",
        "| X n n",
        lambda X: sg.det(X @ X @ X),
        lambda X: 3 * sg.det(X @ X @ X) * sg.inv(X).T,
        lambda jnp, X: jnp.linalg.det(jnp.linalg.matrix_power(X, 3)),
    ),
]

# ---- 2.2, 2.3: inverses, eigenvalues (only their sum and their product can be said)

INVERSES = [
    Identity(
        "59",
        "2.2",
        "∂Y⁻¹/∂x = -Y⁻¹ ∂Y/∂x Y⁻¹, Y = A + xB",
        "A n n, B n n | x",
        lambda A, B, x: sg.inv(A + x * B),
        lambda A, B, x: -sg.inv(A + x * B) @ B @ sg.inv(A + x * B),
        lambda jnp, A, B, x: jnp.linalg.inv(A + x * B),
        "jacobian",
    ),
    Identity(
        "60",
        "2.2",
        "∂(X⁻¹)_kl/∂X_ij = -(X⁻¹)_ki (X⁻¹)_jl",
        "| X n n",
        lambda X: sg.inv(X),
        lambda X: -sg.einsum("ki,jl->klij", sg.inv(X), sg.inv(X)),
        lambda jnp, X: jnp.linalg.inv(X),
        "jacobian",
    ),
    Identity(
        "61",
        "2.2",
        "∂aᵀX⁻¹b/∂X = -X⁻ᵀabᵀX⁻ᵀ",
        "a n, b n | X n n",
        lambda a, b, X: a @ sg.inv(X) @ b,
        lambda a, b, X: -(sg.inv(X).T @ sg.outer(a, b) @ sg.inv(X).T),
        lambda jnp, a, b, X: jnp.dot(a, jnp.linalg.solve(X, b)),
    ),
    Identity(
        "62",
        "2.2",
        "∂det(X⁻¹)/∂X = -det(X⁻¹)(X⁻¹)ᵀ",
        "| X n n",
        lambda X: sg.det(sg.inv(X)),
        lambda X: -sg.det(sg.inv(X)) * sg.inv(X).T,
        lambda jnp, X: 1 / jnp.linalg.det(X),
    ),
    Identity(
        "63",
        "2.2",
        "∂Tr(AX⁻¹B)/∂X = -(X⁻¹BAX⁻¹)ᵀ",
        "A m n, B n m | X n n",
        lambda A, B, X: trace_of(A, sg.inv(X), B),
        lambda A, B, X: -(sg.inv(X) @ B @ A @ sg.inv(X)).T,
        lambda jnp, A, B, X: jnp.trace(A @ jnp.linalg.solve(X, B)),
    ),
    Identity(
        "64",
        "2.2",
        "∂Tr((X + A)⁻¹)/∂X = -((X + A)⁻¹(X + A)⁻¹)ᵀ",
        "A n n | X n n",
        lambda A, X: sg.trace(sg.inv(X + A)),
        lambda A, X: -(sg.inv(X + A) @ sg.inv(X + A)).T,
        lambda jnp, A, X: jnp.trace(jnp.linalg.inv(X + A)),
    ),
    Identity(
        "",
        "2.2, after 64",
        "∂J/∂A = -A⁻ᵀ ∂J/∂W A⁻ᵀ, W = A⁻¹, J = Σ W²/2",
        "| A n n",
        lambda A: sg.sum(sg.inv(A) ** 2) / 2,
        lambda A: -(sg.inv(A).T @ sg.inv(A) @ sg.inv(A).T),
        lambda jnp, A: jnp.square(jnp.linalg.inv(A)).sum() / 2,
    ),
]
EIGENVALUES = [
    Identity(
        "65",
        "2.3",
        "∂/∂X Σ eig(X) = ∂/∂X Tr(X) = I",
        "| X n n",
        lambda X: sg.trace(X),
        lambda X, n: sg.eye(n),
        lambda jnp, X: jnp.sum(jnp.diagonal(X)),
    ),
    Identity(
        "66",
        "2.3",
        "∂/∂X Π eig(X) = ∂/∂X det(X) = det(X) X⁻ᵀ",
        "| X n n",
        lambda X: sg.det(X),
        lambda X: sg.det(X) * sg.inv(X).T,
        lambda jnp, X: jnp.prod(jnp.linalg.slogdet(X)[0] * jnp.exp(jnp.linalg.slogdet(X)[1])),
    ),
]

# ---- 2.4: matrices, vectors and scalar forms

FIRST_ORDER = [
    Identity(
        "69", "2.4.1", "∂xᵀa/∂x = a", "a n | x n", lambda a, x: x @ a, lambda a, x: a, lambda jnp, a, x: jnp.sum(x * a)
    ),
    Identity(
        "70",
        "2.4.1",
        "∂aᵀXb/∂X = abᵀ",
        "a n, b d | X n d",
        lambda a, b, X: a @ X @ b,
        lambda a, b, X: sg.outer(a, b),
        lambda jnp, a, b, X: jnp.einsum("i,ij,j", a, X, b),
    ),
    Identity(
        "71",
        "2.4.1",
        "∂aᵀXᵀb/∂X = baᵀ",
        "a d, b n | X n d",
        lambda a, b, X: a @ X.T @ b,
        lambda a, b, X: sg.outer(b, a),
        lambda jnp, a, b, X: jnp.einsum("j,ij,i", a, X, b),
    ),
    Identity(
        "72",
        "2.4.1",
        "∂aᵀXa/∂X = aaᵀ",
        "a n | X n n",
        lambda a, X: a @ X @ a,
        lambda a, X: sg.outer(a, a),
        lambda jnp, a, X: jnp.einsum("i,ij,j", a, X, a),
    ),
    Identity(
        "74",
        "2.4.1",
        "∂(XA)_ij/∂X_mn = δ_im A_nj",
        "A d m | X n d",
        lambda A, X: X @ A,
        lambda A, X, n: sg.einsum("im,nj->ijmn", sg.eye(n), A),
        lambda jnp, A, X: jnp.einsum("ik,kj->ij", X, A),
        "jacobian",
    ),
    Identity(
        "75",
        "2.4.1",
        "∂(XᵀA)_ij/∂X_mn = δ_in A_mj",
        "A n m | X n d",
        lambda A, X: X.T @ A,
        lambda A, X, d: sg.einsum("in,mj->ijmn", sg.eye(d), A),
        lambda jnp, A, X: jnp.einsum("ki,kj->ij", X, A),
        "jacobian",
    ),
]
SECOND_ORDER = [
    Identity(
        "76",
        "2.4.2",
        "∂/∂X_ij Σ_klmn X_kl X_mn = 2 Σ_kl X_kl",
        "| X n d",
        lambda X: sg.sum(X) * sg.sum(X),
        lambda X, n, d: 2 * sg.sum(X) * sg.ones(n, d),
        lambda jnp, X: jnp.einsum("kl,mn->", X, X),
    ),
    Identity(
        "77",
        "2.4.2",
        "∂bᵀXᵀXc/∂X = X(bcᵀ + cbᵀ)",
        "b d, c d | X n d",
        lambda b, c, X: b @ X.T @ X @ c,
        lambda b, c, X: X @ (sg.outer(b, c) + sg.outer(c, b)),
        lambda jnp, b, c, X: jnp.dot(X @ b, X @ c),
    ),
    Identity(
        "78",
        "2.4.2",
        "∂(Bx + b)ᵀC(Dx + d)/∂x = BᵀC(Dx + d) + DᵀCᵀ(Bx + b)",
        "B m n, b m, C m k, D k n, e k | x n",
        lambda B, b, C, D, e, x: (B @ x + b) @ C @ (D @ x + e),
        lambda B, b, C, D, e, x: B.T @ C @ (D @ x + e) + D.T @ C.T @ (B @ x + b),
        lambda jnp, B, b, C, D, e, x: jnp.einsum("i,ij,j", B @ x + b, C, D @ x + e),
    ),
    Identity(
        "79",
        "2.4.2",
        "∂(XᵀBX)_kl/∂X_ij = δ_lj (XᵀB)_ki + δ_kj (BX)_il",
        "B n n | X n d",
        lambda B, X: X.T @ B @ X,
        lambda B, X, d: sg.einsum("lj,ki->klij", sg.eye(d), X.T @ B) + sg.einsum("kj,il->klij", sg.eye(d), B @ X),
        lambda jnp, B, X: jnp.einsum("ik,ij,jl->kl", X, B, X),
        "jacobian",
    ),
    Identity(
        "80",
        "2.4.2",
        "∂(XᵀBX)/∂X_ij = XᵀBJⁱʲ + JʲⁱBX, contracted with G",
        "B n n, G d d | X n d",
        lambda B, G, X: sg.sum(G * (X.T @ B @ X)),
        lambda B, G, X: B.T @ X @ G + B @ X @ G.T,
        lambda jnp, B, G, X: jnp.einsum("kl,ik,ij,jl", G, X, B, X),
    ),
    Identity(
        "81",
        "2.4.2",
        "∂xᵀBx/∂x = (B + Bᵀ)x",
        "B n n | x n",
        lambda B, x: x @ B @ x,
        lambda B, x: (B + B.T) @ x,
        lambda jnp, B, x: jnp.einsum("i,ij,j", x, B, x),
    ),
    Identity(
        "82",
        "2.4.2",
        "∂bᵀXᵀDXc/∂X = DᵀXbcᵀ + DXcbᵀ",
        "b d, c d, D n n | X n d",
        lambda b, c, D, X: b @ X.T @ D @ X @ c,
        lambda b, c, D, X: D.T @ X @ sg.outer(b, c) + D @ X @ sg.outer(c, b),
        lambda jnp, b, c, D, X: jnp.einsum("i,ij,j", X @ b, D, X @ c),
    ),
    Identity(
        "83",
        "2.4.2",
        "∂(Xb + c)ᵀD(Xb + c)/∂X = (D + Dᵀ)(Xb + c)bᵀ",
        "b d, c n, D n n | X n d",
        lambda b, c, D, X: (X @ b + c) @ D @ (X @ b + c),
        lambda b, c, D, X: (D + D.T) @ sg.outer(X @ b + c, b),
        lambda jnp, b, c, D, X: jnp.einsum("i,ij,j", X @ b + c, D, X @ b + c),
    ),
    Identity(
        "84",
        "2.4.2",
        "∂(x - As)ᵀW(x - As)/∂s = -2AᵀW(x - As)",
        "x n, A n d, W n n symmetric | s d",
        lambda x, A, W, s: (x - A @ s) @ W @ (x - A @ s),
        lambda x, A, W, s: -2 * A.T @ W @ (x - A @ s),
        lambda jnp, x, A, W, s: jnp.einsum("i,ij,j", x - A @ s, W, x - A @ s),
    ),
    Identity(
        "85",
        "2.4.2",
        "∂(x - s)ᵀW(x - s)/∂x = 2W(x - s)",
        "s n, W n n symmetric | x n",
        lambda s, W, x: (x - s) @ W @ (x - s),
        lambda s, W, x: 2 * W @ (x - s),
        lambda jnp, s, W, x: jnp.einsum("i,ij,j", x - s, W, x - s),
    ),
    Identity(
        "86",
        "2.4.2",
        "∂(x - s)ᵀW(x - s)/∂s = -2W(x - s)",
        "x n, W n n symmetric | s n",
        lambda x, W, s: (x - s) @ W @ (x - s),
        lambda x, W, s: -2 * W @ (x - s),
        lambda jnp, x, W, s: jnp.einsum("i,ij,j", x - s, W, x - s),
    ),
    Identity(
        "87",
        "2.4.2",
        "∂(x - As)ᵀW(x - As)/∂x = 2W(x - As)",
        "A n d, s d, W n n symmetric | x n",
        lambda A, s, W, x: (x - A @ s) @ W @ (x - A @ s),
        lambda A, s, W, x: 2 * W @ (x - A @ s),
        lambda jnp, A, s, W, x: jnp.einsum("i,ij,j", x - A @ s, W, x - A @ s),
    ),
    Identity(
        "88",
        "2.4.2",
        "∂(x - As)ᵀW(x - As)/∂A = -2W(x - As)sᵀ",
        "x n, s d, W n n symmetric | A n d",
        lambda x, s, W, A: (x - A @ s) @ W @ (x - A @ s),
        lambda x, s, W, A: -2 * W @ sg.outer(x - A @ s, s),
        lambda jnp, x, s, W, A: jnp.einsum("i,ij,j", x - A @ s, W, x - A @ s),
    ),
    Identity(
        "89",
        "2.4.2",
        "∂(a - xᴴb)²/∂x = -2b(a - xᴴb)*, real",
        "a, b n | x n",
        lambda a, b, x: (a - x @ b) ** 2,
        lambda a, b, x: -2 * b * (a - x @ b),
        lambda jnp, a, b, x: jnp.square(a - jnp.dot(x, b)),
    ),
]
HIGHER_ORDER = [
    Identity(
        "90",
        "2.4.3",
        "∂(Xⁿ)_kl/∂X_ij = Σ_r (XʳJⁱʲXⁿ⁻¹⁻ʳ)_kl, n = 2",
        "| X n n",
        lambda X: X @ X,
        lambda X, n: sg.einsum("ki,jl->klij", sg.eye(n), X) + sg.einsum("ki,jl->klij", X, sg.eye(n)),
        lambda jnp, X: jnp.linalg.matrix_power(X, 2),
        "jacobian",
    ),
    Identity(
        "91",
        "2.4.3",
        "∂aᵀXⁿb/∂X = Σ_r (Xʳ)ᵀabᵀ(Xⁿ⁻¹⁻ʳ)ᵀ, n = 3",
        "a n, b n | X n n",
        lambda a, b, X: a @ X @ X @ X @ b,
        lambda a, b, X: sg.outer(a, b) @ X.T @ X.T + X.T @ sg.outer(a, b) @ X.T + X.T @ X.T @ sg.outer(a, b),
        lambda jnp, a, b, X: a @ jnp.linalg.matrix_power(X, 3) @ b,
    ),
    Identity(
        "92",
        "2.4.3",
        "∂aᵀ(Xⁿ)ᵀXⁿb/∂X = Σ_r [Xⁿ⁻¹⁻ʳabᵀ(Xⁿ)ᵀXʳ + (Xʳ)ᵀXⁿabᵀ(Xⁿ⁻¹⁻ʳ)ᵀ], n = 1",
        "a d, b d | X n d",
        lambda a, b, X: a @ X.T @ X @ b,
        lambda a, b, X: X @ (sg.outer(b, a) + sg.outer(a, b)),
        lambda jnp, a, b, X: jnp.dot(X @ a, X @ b),
    ),
    Identity(
        "93",
        "2.4.3",
        "∂sᵀAr/∂x = [∂s/∂x]ᵀAr + [∂r/∂x]ᵀAᵀs, s = sin x, r = Bx",
        "A n m, B m n | x n",
        lambda A, B, x: sg.sin(x) @ A @ (B @ x),
        lambda A, B, x: sg.cos(x) * (A @ B @ x) + B.T @ A.T @ sg.sin(x),
        lambda jnp, A, B, x: jnp.einsum("i,ij,j", jnp.sin(x), A, B @ x),
    ),
    Identity(
        "95",
        "2.4.3",
        "∂/∂x (Ax)ᵀ(Ax)/(Bx)ᵀ(Bx)",
        "A m n, B k n | x n",
        lambda A, B, x: ((A @ x) @ (A @ x)) / ((B @ x) @ (B @ x)),
        lambda A, B, x: (
            2 * A.T @ A @ x / (x @ B.T @ B @ x) - 2 * (x @ A.T @ A @ x) * (B.T @ B @ x) / (x @ B.T @ B @ x) ** 2
        ),
        lambda jnp, A, B, x: jnp.square(A @ x).sum() / jnp.square(B @ x).sum(),
    ),
    Identity(
        "97",
        "2.4.4",
        "∇(xᵀAx + bᵀx) = (A + Aᵀ)x + b",
        "A n n, b n | x n",
        lambda A, b, x: x @ A @ x + b @ x,
        lambda A, b, x: (A + A.T) @ x + b,
        lambda jnp, A, b, x: jnp.einsum("i,ij,j", x, A, x) + jnp.dot(b, x),
    ),
    Identity(
        "98",
        "2.4.4",
        "∂²(xᵀAx + bᵀx)/∂x∂xᵀ = A + Aᵀ",
        "A n n, b n | x n",
        lambda A, b, x: x @ A @ x + b @ x,
        lambda A, b, x: A + A.T,
        lambda jnp, A, b, x: jnp.einsum("i,ij,j", x, A, x) + jnp.dot(b, x),
        "hessian",
    ),
]

# ---- 2.5: traces

TRACES = [
    Identity(
        "99",
        "2.5.1",
        "∂Tr(X)/∂X = I",
        "| X n n",
        lambda X: sg.trace(X),
        lambda X, n: sg.eye(n),
        lambda jnp, X: jnp.trace(X),
    ),
    Identity(
        "100",
        "2.5.1",
        "∂Tr(XA)/∂X = Aᵀ",
        "A d n | X n d",
        lambda A, X: trace_of(X, A),
        lambda A, X: A.T,
        lambda jnp, A, X: jnp.einsum("ij,ji", X, A),
    ),
    Identity(
        "101",
        "2.5.1",
        "∂Tr(AXB)/∂X = AᵀBᵀ",
        "A m n, B d m | X n d",
        lambda A, B, X: trace_of(A, X, B),
        lambda A, B, X: A.T @ B.T,
        lambda jnp, A, B, X: jnp.trace(A @ X @ B),
    ),
    Identity(
        "102",
        "2.5.1",
        "∂Tr(AXᵀB)/∂X = BA",
        "A m d, B n m | X n d",
        lambda A, B, X: trace_of(A, X.T, B),
        lambda A, B, X: B @ A,
        lambda jnp, A, B, X: jnp.trace(A @ X.T @ B),
    ),
    Identity(
        "103",
        "2.5.1",
        "∂Tr(XᵀA)/∂X = A",
        "A n d | X n d",
        lambda A, X: trace_of(X.T, A),
        lambda A, X: A,
        lambda jnp, A, X: jnp.vdot(X, A),
    ),
    Identity(
        "104",
        "2.5.1",
        "∂Tr(AXᵀ)/∂X = A",
        "A n d | X n d",
        lambda A, X: trace_of(A, X.T),
        lambda A, X: A,
        lambda jnp, A, X: jnp.trace(A @ X.T),
    ),
    Identity(
        "105",
        "2.5.1",
        "∂Tr(A⊗X)/∂X = Tr(A)I",
        "A m m | X n n",
        lambda A, X: sg.einsum("aa,ii->", A, X),
        lambda A, X, n: sg.trace(A) * sg.eye(n),
        lambda jnp, A, X: jnp.trace(jnp.kron(A, X)),
    ),
    Identity(
        "106",
        "2.5.2",
        "∂Tr(X²)/∂X = 2Xᵀ",
        "| X n n",
        lambda X: trace_of(X, X),
        lambda X: 2 * X.T,
        lambda jnp, X: jnp.trace(X @ X),
    ),
    Identity(
        "107",
        "2.5.2",
        "∂Tr(X²B)/∂X = (XB + BX)ᵀ",
        "B n n | X n n",
        lambda B, X: trace_of(X, X, B),
        lambda B, X: (X @ B + B @ X).T,
        lambda jnp, B, X: jnp.trace(X @ X @ B),
    ),
    Identity(
        "108",
        "2.5.2",
        "∂Tr(XᵀBX)/∂X = BX + BᵀX",
        "B n n | X n d",
        lambda B, X: trace_of(X.T, B, X),
        lambda B, X: B @ X + B.T @ X,
        lambda jnp, B, X: jnp.trace(X.T @ B @ X),
    ),
    Identity(
        "109",
        "2.5.2",
        "∂Tr(BXXᵀ)/∂X = BX + BᵀX",
        "B n n | X n d",
        lambda B, X: trace_of(B, X, X.T),
        lambda B, X: B @ X + B.T @ X,
        lambda jnp, B, X: jnp.trace(B @ X @ X.T),
    ),
    Identity(
        "110",
        "2.5.2",
        "∂Tr(XXᵀB)/∂X = BX + BᵀX",
        "B n n | X n d",
        lambda B, X: trace_of(X, X.T, B),
        lambda B, X: B @ X + B.T @ X,
        lambda jnp, B, X: jnp.trace(X @ X.T @ B),
    ),
    Identity(
        "111",
        "2.5.2",
        "∂Tr(XBXᵀ)/∂X = XBᵀ + XB",
        "B d d | X n d",
        lambda B, X: trace_of(X, B, X.T),
        lambda B, X: X @ B.T + X @ B,
        lambda jnp, B, X: jnp.trace(X @ B @ X.T),
    ),
    Identity(
        "112",
        "2.5.2",
        "∂Tr(BXᵀX)/∂X = XBᵀ + XB",
        "B d d | X n d",
        lambda B, X: trace_of(B, X.T, X),
        lambda B, X: X @ B.T + X @ B,
        lambda jnp, B, X: jnp.trace(B @ X.T @ X),
    ),
    Identity(
        "113",
        "2.5.2",
        "∂Tr(XᵀXB)/∂X = XBᵀ + XB",
        "B d d | X n d",
        lambda B, X: trace_of(X.T, X, B),
        lambda B, X: X @ B.T + X @ B,
        lambda jnp, B, X: jnp.trace(X.T @ X @ B),
    ),
    Identity(
        "114",
        "2.5.2",
        "∂Tr(AXBX)/∂X = AᵀXᵀBᵀ + BᵀXᵀAᵀ",
        "A d n, B d n | X n d",
        lambda A, B, X: trace_of(A, X, B, X),
        lambda A, B, X: A.T @ X.T @ B.T + B.T @ X.T @ A.T,
        lambda jnp, A, B, X: jnp.trace(A @ X @ B @ X),
    ),
    Identity(
        "115",
        "2.5.2",
        "∂Tr(XᵀX)/∂X = ∂Tr(XXᵀ)/∂X = 2X",
        "| X n d",
        lambda X: trace_of(X.T, X),
        lambda X: 2 * X,
        lambda jnp, X: jnp.trace(X @ X.T),
    ),
    Identity(
        "116",
        "2.5.2",
        "∂Tr(BᵀXᵀCXB)/∂X = CᵀXBBᵀ + CXBBᵀ",
        "B d m, C n n | X n d",
        lambda B, C, X: trace_of(B.T, X.T, C, X, B),
        lambda B, C, X: C.T @ X @ B @ B.T + C @ X @ B @ B.T,
        lambda jnp, B, C, X: jnp.trace(B.T @ X.T @ C @ X @ B),
    ),
    Identity(
        "117",
        "2.5.2",
        "∂Tr(XᵀBXC)/∂X = BXC + BᵀXCᵀ",
        "B n n, C d d | X n d",
        lambda B, C, X: trace_of(X.T, B, X, C),
        lambda B, C, X: B @ X @ C + B.T @ X @ C.T,
        lambda jnp, B, C, X: jnp.trace(X.T @ B @ X @ C),
    ),
    Identity(
        "118",
        "2.5.2",
        "∂Tr(AXBXᵀC)/∂X = AᵀCᵀXBᵀ + CAXB",
        "A m n, B d d, C n m | X n d",
        lambda A, B, C, X: trace_of(A, X, B, X.T, C),
        lambda A, B, C, X: A.T @ C.T @ X @ B.T + C @ A @ X @ B,
        lambda jnp, A, B, C, X: jnp.trace(A @ X @ B @ X.T @ C),
    ),
    Identity(
        "119",
        "2.5.2",
        "∂Tr[(AXB + C)(AXB + C)ᵀ]/∂X = 2Aᵀ(AXB + C)Bᵀ",
        "A m n, B d k, C m k | X n d",
        lambda A, B, C, X: sg.trace((A @ X @ B + C) @ (A @ X @ B + C).T),
        lambda A, B, C, X: 2 * A.T @ (A @ X @ B + C) @ B.T,
        lambda jnp, A, B, C, X: jnp.square(A @ X @ B + C).sum(),
    ),
    Identity(
        "120",
        "2.5.2",
        "∂Tr(X⊗X)/∂X = ∂Tr(X)Tr(X)/∂X = 2Tr(X)I",
        "| X n n",
        lambda X: sg.trace(X) * sg.trace(X),
        lambda X, n: 2 * sg.trace(X) * sg.eye(n),
        lambda jnp, X: jnp.trace(jnp.kron(X, X)),
    ),
    Identity(
        "121",
        "2.5.3",
        "∂Tr(Xᵏ)/∂X = k(Xᵏ⁻¹)ᵀ, k = 4",
        "| X n n",
        lambda X: trace_of(X, X, X, X),
        lambda X: 4 * (X @ X @ X).T,
        lambda jnp, X: jnp.trace(jnp.linalg.matrix_power(X, 4)),
    ),
    Identity(
        "122",
        "2.5.3",
        "∂Tr(AXᵏ)/∂X = Σ_r (XʳAXᵏ⁻ʳ⁻¹)ᵀ, k = 3",
        "A n n | X n n",
        lambda A, X: trace_of(A, X, X, X),
        lambda A, X: (A @ X @ X + X @ A @ X + X @ X @ A).T,
        lambda jnp, A, X: jnp.trace(A @ jnp.linalg.matrix_power(X, 3)),
    ),
    Identity(
        "123",
        "2.5.3",
        "∂Tr[BᵀXᵀCXXᵀCXB]/∂X",
        "B d m, C n n | X n d",
        lambda B, C, X: trace_of(B.T, K := sg.named("K", X.T @ C @ X), K, B),
        lambda B, C, X: (
            C @ X @ X.T @ C @ X @ B @ B.T
            + C.T @ X @ B @ B.T @ X.T @ C.T @ X
            + C @ X @ B @ B.T @ X.T @ C @ X
            + C.T @ X @ X.T @ C.T @ X @ B @ B.T
        ),
        lambda jnp, B, C, X: jnp.trace(B.T @ X.T @ C @ X @ X.T @ C @ X @ B),
    ),
    Identity(
        "124",
        "2.5.4",
        "∂Tr(AX⁻¹B)/∂X = -X⁻ᵀAᵀBᵀX⁻ᵀ",
        "A m n, B n m | X n n",
        lambda A, B, X: trace_of(A, sg.inv(X), B),
        lambda A, B, X: -(sg.inv(X).T @ A.T @ B.T @ sg.inv(X).T),
        lambda jnp, A, B, X: jnp.trace(A @ jnp.linalg.inv(X) @ B),
    ),
    Identity(
        "125",
        "2.5.4",
        "∂Tr[(XᵀCX)⁻¹A]/∂X = -CX(XᵀCX)⁻¹(A + Aᵀ)(XᵀCX)⁻¹",
        "A d d, C n n symmetric | X n d",
        lambda A, C, X: trace_of(sg.inv(X.T @ C @ X), A),
        lambda A, C, X: -(C @ X @ sg.inv(X.T @ C @ X) @ (A + A.T) @ sg.inv(X.T @ C @ X)),
        lambda jnp, A, C, X: jnp.trace(jnp.linalg.inv(X.T @ C @ X) @ A),
    ),
    Identity(
        "126",
        "2.5.4",
        "∂Tr[(XᵀCX)⁻¹(XᵀBX)]/∂X = -2CX(XᵀCX)⁻¹XᵀBX(XᵀCX)⁻¹ + 2BX(XᵀCX)⁻¹",
        "B n n symmetric, C n n symmetric | X n d",
        lambda B, C, X: sg.trace(sg.inv(X.T @ C @ X) @ (X.T @ B @ X)),
        lambda B, C, X: (
            -2 * C @ X @ sg.inv(X.T @ C @ X) @ X.T @ B @ X @ sg.inv(X.T @ C @ X) + 2 * B @ X @ sg.inv(X.T @ C @ X)
        ),
        lambda jnp, B, C, X: jnp.trace(jnp.linalg.solve(X.T @ C @ X, X.T @ B @ X)),
    ),
    Identity(
        "127",
        "2.5.4",
        "∂Tr[(A + XᵀCX)⁻¹(XᵀBX)]/∂X = -2CX(A + XᵀCX)⁻¹XᵀBX(A + XᵀCX)⁻¹ + 2BX(A + XᵀCX)⁻¹",
        "A d d symmetric, B n n symmetric, C n n symmetric | X n d",
        lambda A, B, C, X: sg.trace(sg.inv(A + X.T @ C @ X) @ (X.T @ B @ X)),
        lambda A, B, C, X: (
            -2 * C @ X @ sg.inv(A + X.T @ C @ X) @ X.T @ B @ X @ sg.inv(A + X.T @ C @ X)
            + 2 * B @ X @ sg.inv(A + X.T @ C @ X)
        ),
        lambda jnp, A, B, C, X: jnp.trace(jnp.linalg.solve(A + X.T @ C @ X, X.T @ B @ X)),
    ),
]

# ---- 2.6, 2.7: norms

NORMS = [
    Identity(
        "129",
        "2.6.1",
        "∂‖x - a‖/∂x = (x - a)/‖x - a‖",
        "a n | x n",
        lambda a, x: sg.norm(x - a),
        lambda a, x: (x - a) / sg.norm(x - a),
        lambda jnp, a, x: jnp.sqrt(jnp.sum((x - a) ** 2)),
    ),
    Identity(
        "130",
        "2.6.1",
        "∂/∂x (x - a)/‖x - a‖ = I/‖x - a‖ - (x - a)(x - a)ᵀ/‖x - a‖³",
        "a n | x n",
        lambda a, x: (x - a) / sg.norm(x - a),
        lambda a, x, n: sg.eye(n) / sg.norm(x - a) - sg.outer(x - a, x - a) / sg.norm(x - a) ** 3,
        lambda jnp, a, x: (x - a) / jnp.sqrt(jnp.sum((x - a) ** 2)),
        "jacobian",
    ),
    Identity(
        "131",
        "2.6.1",
        "∂‖x‖²/∂x = 2x",
        "| x n",
        lambda x: sg.norm(x) ** 2,
        lambda x: 2 * x,
        lambda jnp, x: jnp.dot(x, x),
    ),
    Identity(
        "132",
        "2.7.1",
        "∂‖X‖_F²/∂X = 2X",
        "| X n d",
        lambda X: sg.norm(X) ** 2,
        lambda X: 2 * X,
        lambda jnp, X: jnp.trace(X @ X.T),
    ),
]

# ---- 2.8: structured matrices, each by a free array that makes the structure

STRUCTURED = [
    Identity(
        "137",
        "2.8.1",
        "∂g(U)/∂X_ij = Tr[(∂g(U)/∂U)ᵀ ∂U/∂X_ij], U = AXB, g = Σ sin U",
        "A m n, B d k | X n d",
        lambda A, B, X: sg.sum(sg.sin(A @ X @ B)),
        lambda A, B, X: A.T @ sg.cos(A @ X @ B) @ B.T,
        lambda jnp, A, B, X: jnp.sin(A @ X @ B).sum(),
    ),
    Identity(
        "138",
        "2.8.2",
        "df/dA = [∂f/∂A] + [∂f/∂A]ᵀ - diag[∂f/∂A], A = S + Sᵀ - S∘I, f = Σ G∘A",
        "G n n | S n n",
        lambda G, S, n: sg.sum(G * (S + S.T - S * sg.eye(n))),
        lambda G, S, n: G + G.T - G * sg.eye(n),
        lambda jnp, G, S: jnp.vdot(G, S + S.T - jnp.diag(jnp.diagonal(S))),
    ),
    Identity(
        "139",
        "2.8.2",
        "∂Tr(AX)/∂X = A + Aᵀ - (A∘I), X symmetric",
        "A n n | S n n",
        lambda A, S, n: trace_of(A, S + S.T - S * sg.eye(n)),
        lambda A, S, n: A + A.T - A * sg.eye(n),
        lambda jnp, A, S: jnp.trace(A @ (S + S.T - jnp.diag(jnp.diagonal(S)))),
    ),
    Identity(
        "140",
        "2.8.2",
        "∂det(X)/∂X = det(X)(2X⁻¹ - (X⁻¹∘I)), X symmetric",
        "| S n n",
        lambda S, n: sg.det(sg.named("X", symmetric(S, n))),
        lambda S, n: sg.det(symmetric(S, n)) * (2 * sg.inv(symmetric(S, n)) - sg.inv(symmetric(S, n)) * sg.eye(n)),
        lambda jnp, S: jnp.linalg.det(S + S.T - jnp.diag(jnp.diagonal(S))),
    ),
    Identity(
        "141",
        "2.8.2",
        "∂ln det(X)/∂X = 2X⁻¹ - (X⁻¹∘I), X symmetric",
        "| S n n",
        lambda S, n: sg.logdet(sg.named("X", symmetric(S, n))),
        lambda S, n: 2 * sg.inv(symmetric(S, n)) - sg.inv(symmetric(S, n)) * sg.eye(n),
        lambda jnp, S: jnp.linalg.slogdet(S + S.T - jnp.diag(jnp.diagonal(S)))[1],
    ),
    Identity(
        "142",
        "2.8.3",
        "∂Tr(AX)/∂X = A∘I, X diagonal",
        "A n n | D n n",
        lambda A, D, n: trace_of(A, D * sg.eye(n)),
        lambda A, D, n: A * sg.eye(n),
        lambda jnp, A, D: jnp.trace(A @ jnp.diag(jnp.diagonal(D))),
    ),
    Identity(
        "144",
        "2.8.4",
        "∂Tr(AT)/∂T sums the diagonals of Aᵀ, T a band of s diagonals",
        "A t+1-s t | k s",
        lambda A, k, t, s: sg.einsum("bu,uba,a->", A, sg.window(t, s), k),
        lambda A, k, t, s: sg.einsum("bu,uba->a", A, sg.window(t, s)),
        lambda jnp, A, k: sum(A[b, b + a] * k[a] for b in range(A.shape[0]) for a in range(k.shape[0])),
    ),
]

# ---- 8: Gaussians

GAUSSIANS = [
    Identity(
        "",
        "8.1.1",
        "∂p(x)/∂x = -p(x) Σ⁻¹(x - m)",
        "m n, S n n positive_definite | x n",
        lambda m, S, x: sg.exp(-(x - m) @ sg.inv(S) @ (x - m) / 2),
        lambda m, S, x: -sg.exp(-(x - m) @ sg.inv(S) @ (x - m) / 2) * (sg.inv(S) @ (x - m)),
        lambda jnp, m, S, x: jnp.exp(-(x - m) @ jnp.linalg.solve(S, x - m) / 2),
    ),
    Identity(
        "",
        "8.1.1",
        "∂²p/∂x∂xᵀ = p(x)(Σ⁻¹(x - m)(x - m)ᵀΣ⁻¹ - Σ⁻¹)",
        "m n, S n n positive_definite | x n",
        lambda m, S, x: sg.exp(-(x - m) @ sg.inv(S) @ (x - m) / 2),
        lambda m, S, x: (
            sg.exp(-(x - m) @ sg.inv(S) @ (x - m) / 2) * (sg.inv(S) @ sg.outer(x - m, x - m) @ sg.inv(S) - sg.inv(S))
        ),
        lambda jnp, m, S, x: jnp.exp(-(x - m) @ jnp.linalg.solve(S, x - m) / 2),
        "hessian",
    ),
]


def symmetric(S, n):
    """The symmetric matrix whose entry (i, j), i ≠ j, is s_ij + s_ji and (i, i) is s_ii: a change of s_ij moves both."""
    return S + S.T - S * sg.eye(n)


IDENTITIES = [
    *BASICS, *DETERMINANTS, *INVERSES, *EIGENVALUES, *FIRST_ORDER, *SECOND_ORDER, *HIGHER_ORDER, *TRACES, *NORMS,
    *STRUCTURED, *GAUSSIANS,
]  # fmt: skip
