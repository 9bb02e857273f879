"""Runs plugins from the supervisor's side: processes that may crash, hang or leak, and a pool that outlives them."""

from callboard.worker.pool import PluginPool, ProcessStatus

__all__ = ["PluginPool", "ProcessStatus"]
