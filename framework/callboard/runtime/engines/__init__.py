"""The engines: one module each, imported when a model first asks for it."""
