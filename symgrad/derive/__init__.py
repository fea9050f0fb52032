"""From a loss to its proved derivation: names, reverse sweep, steps, proofs, checks."""
