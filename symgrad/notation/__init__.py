"""Expressions in LaTeX: names, matrix form, index form."""
