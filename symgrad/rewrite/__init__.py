"""The normal form and its rule sets: recognising, expanding, using facts, collecting, raising to matrices."""
