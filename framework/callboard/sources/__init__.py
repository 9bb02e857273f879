"""What turns folders and command lines into events: the contract, and the door to it.

``collect`` and ``identify`` serve one-shot work; ``WatchSource`` watches a folder until it is cancelled.
"""

from callboard.sources.digest import identify
from callboard.sources.facts import Emit, Found, Identity, Note, Seen, SourceEvent, Stat
from callboard.sources.oneshot import collect
from callboard.sources.watch import WatchSource

__all__ = ["Emit", "Found", "Identity", "Note", "Seen", "SourceEvent", "Stat", "WatchSource", "collect", "identify"]
