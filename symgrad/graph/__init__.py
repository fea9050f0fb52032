"""The expression graph: nodes, sizes, walks, the model language written."""
