"""What runs inside a plugin process: loads plugins, calls their hooks, and makes their answers and failures values.

``callboard.testing`` uses the same parts in process.
"""

__all__: list[str] = []
