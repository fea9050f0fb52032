"""What a careful NumPy programmer writes: stable, in place, every intermediate used again. One function for each model.

A function takes the arrays that the model declares and gives the loss and its gradients. Nothing is hoisted out of the
call: that takes a second function and a promise that the data do not change. If you find a better hand, replace the old one.
"""

from __future__ import annotations

import math

import numpy as np


def linear(X, y, w, b):
    """mean((Xw + b - y)²) / 2."""
    r = X @ w
    r += b
    r -= y
    n = len(r)
    value = r @ r / (2 * n)
    r /= n
    return value, {"w": r @ X, "b": r.sum()}


def logistic(X, y, w, b):
    """-mean(y log p + (1 - y) log(1 - p)), p = σ(Xw + b)."""
    z = X @ w
    z += b
    n = len(z)
    e = np.abs(z)
    np.negative(e, out=e)
    np.exp(e, out=e)
    p = np.where(z >= 0, 1.0, e)
    value = (np.log1p(e).sum() + np.maximum(z, 0).sum() - y @ z) / n
    e += 1
    p /= e
    p -= y
    p /= n
    return value, {"w": p @ X, "b": p.sum()}


def huber(X, y, w, b, delta=1.0):
    """mean(huber(Xw + b - y, δ)): with c = clip(r, -δ, δ) each term is c (r - c / 2), and its slope c."""
    r = X @ w
    r += b
    r -= y
    n = len(r)
    c = np.clip(r, -delta, delta)
    value = (c @ r - (c @ c) / 2) / n
    c /= n
    return value, {"w": c @ X, "b": c.sum()}


def poisson(X, y, w, b):
    """mean(exp(Xw + b) - y (Xw + b))."""
    z = X @ w
    z += b
    n = len(z)
    linear_part = y @ z
    np.exp(z, out=z)
    value = (z.sum() - linear_part) / n
    z -= y
    z /= n
    return value, {"w": z @ X, "b": z.sum()}


def softmax(X, Y, W, b):
    """-mean(log softmax(XW + b) of the true class)."""
    z = X @ W
    z += b
    n = len(z)
    z -= z.max(axis=1, keepdims=True)
    linear_part = np.vdot(Y, z)
    np.exp(z, out=z)
    s = z.sum(axis=1, keepdims=True)
    value = (np.log(s).sum() - linear_part) / n
    z /= s
    z -= Y
    z /= n
    return value, {"W": X.T @ z, "b": z.sum(axis=0)}


def network(X, y, W1, b1, W2, b2, w3, b3):
    """mean((tanh(tanh(X W1 + b1) W2 + b2) w3 + b3 - y)²) / 2."""
    h1 = X @ W1
    h1 += b1
    np.tanh(h1, out=h1)
    h2 = h1 @ W2
    h2 += b2
    np.tanh(h2, out=h2)
    r = h2 @ w3
    r += b3
    r -= y
    n = len(r)
    value = r @ r / (2 * n)
    r /= n
    gradients = {"w3": r @ h2, "b3": r.sum()}
    np.multiply(h2, h2, out=h2)
    np.subtract(1, h2, out=h2)
    h2 *= w3
    h2 *= r[:, None]
    gradients["W2"], gradients["b2"] = h1.T @ h2, h2.sum(axis=0)
    back = h2 @ W2.T
    np.multiply(h1, h1, out=h1)
    np.subtract(1, h1, out=h1)
    h1 *= back
    gradients["W1"], gradients["b1"] = X.T @ h1, h1.sum(axis=0)
    return value, gradients


def factorisation(M, U, V, lam=0.1):
    """(‖M - U Vᵀ‖² + λ ‖U‖² + λ ‖V‖²) / 2."""
    r = U @ V.T
    r -= M
    value = (np.vdot(r, r) + lam * (np.vdot(U, U) + np.vdot(V, V))) / 2
    by_u, by_v = r @ V, r.T @ U
    by_u += lam * U
    by_v += lam * V
    return value, {"U": by_u, "V": by_v}


def gaussian_process(D, y, s, q):
    """(yᵀ K⁻¹ y + log det K) / 2, K = e^(2s) exp(-D / 2) + e^(2q) I."""
    n = len(y)
    K = D * -0.5
    np.exp(K, out=K)
    K *= np.exp(2 * s)
    noise = np.exp(2 * q)
    K.flat[:: n + 1] += noise
    log_det = 2 * np.log(np.diagonal(np.linalg.cholesky(K))).sum()
    inverse = np.linalg.inv(K)
    a = inverse @ y
    ya = y @ a
    value = (ya + log_det) / 2
    # Σ (K⁻¹ - a aᵀ) ⊙ K is n - yᵀ a, of which the noise is the part on the diagonal.
    by_noise = noise * (np.trace(inverse) - a @ a)
    return value, {"s": n - ya - by_noise, "q": by_noise}


def gaussian(X, mu, S):
    """Σ (x - μ)ᵀ S⁻¹ (x - μ) / 2 + n log det S / 2."""
    n = len(X)
    log_det = 2 * np.log(np.diagonal(np.linalg.cholesky(S))).sum()
    inverse = np.linalg.inv(S)
    r = X - mu
    solved = r @ inverse
    value = np.vdot(r, solved) / 2 + n * log_det / 2
    by_s = solved.T @ solved
    by_s *= -0.5
    by_s += (n / 2) * inverse
    return value, {"mu": -solved.sum(axis=0), "S": by_s}


def attention(T, Q, K, V):
    """‖softmax(Q Kᵀ / √d) V - T‖² / 2."""
    scale = 1 / math.sqrt(Q.shape[1])
    P = Q @ K.T
    P *= scale
    P -= P.max(axis=1, keepdims=True)
    np.exp(P, out=P)
    P /= P.sum(axis=1, keepdims=True)
    r = P @ V
    r -= T
    value = np.vdot(r, r) / 2
    by_v = P.T @ r
    back = r @ V.T
    back -= np.einsum("ij,ij->i", back, P)[:, None]
    back *= P
    back *= scale
    return value, {"Q": back @ K, "K": back.T @ Q, "V": by_v}
