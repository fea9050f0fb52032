"""The model language as text, and SymPy's expressions as the model language."""
