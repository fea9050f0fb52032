"""Derivation → plan → NumPy source that stands alone → function."""
