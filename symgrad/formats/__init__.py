"""A document as the text or the bytes of a format: one table of formats, each a module or a template of its own."""
