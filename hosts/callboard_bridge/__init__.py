"""The client that runs inside an application: standard library only, Python 3.7 syntax, no threads."""

from callboard_bridge.bridge import Bridge

__all__ = ["Bridge"]
