"""Losses with known minima, spectra and trajectories."""

import numpy as np


def symmetric(eigenvalues, seed=0):
    """A symmetric matrix with the given spectrum and random eigenvectors."""
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(eigenvalues),) * 2))
    return q @ np.diag(eigenvalues) @ q.T


def quadratic(matrix, centre=None):
    """L(w) = (w − c)ᵀ H (w − c)/2."""
    centre = np.zeros(len(matrix)) if centre is None else centre

    def loss(w):
        return float((w - centre) @ matrix @ (w - centre)) / 2, {"w": matrix @ (w - centre)}

    return loss


def least_squares(x, y):
    """L(w, b) = ‖Xw + b − y‖²/n."""

    def loss(w, b):
        r = x @ w + b - y
        return float(r @ r) / len(y), {"w": 2 * x.T @ r / len(y), "b": np.asarray(2 * r.mean())}

    return loss


def logistic(x, y, penalty):
    """L(w) = Σ (log(1 + eᶻ) − yz)/n + λ‖w‖², z = Xw, y in {0, 1}."""

    def loss(w):
        z = x @ w
        value = np.mean(np.logaddexp(0, z) - y * z) + penalty * (w @ w)
        return value, {"w": x.T @ (np.exp(-np.logaddexp(0, -z)) - y) / len(y) + 2 * penalty * w}

    return loss


def rosenbrock(w):
    """(1 − w₀)² + 100(w₁ − w₀²)²: a curved valley, its minimum 0 at (1, 1)."""
    a, b = w
    gradient = np.array([-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)])
    return float((1 - a) ** 2 + 100 * (b - a * a) ** 2), {"w": gradient}
