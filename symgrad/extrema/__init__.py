"""Stationary points: the equations ∂L/∂θ = 0, their solutions where a law gives one, and what the Hessian says of them."""
