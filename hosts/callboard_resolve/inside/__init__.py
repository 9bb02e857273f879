"""What runs inside Resolve: standard library only, Python 3.6 syntax, no threads."""
