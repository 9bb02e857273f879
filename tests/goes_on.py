"""A pytest plugin that lets a run go on when a process of pytest-xdist has ended in the middle of it.

Loaded by ``make test`` with ``-p tests.goes_on``. Without it pytest-xdist 3.8 waits for ever then: it hands the files
that the process had done to its successor once more, one at a time, and to hand nothing but those brings no answer.
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]  # it does not say that it has types
from xdist.workermanage import WorkerController  # type: ignore[import-untyped]  # as above


class _Files(LoadFileScheduling):  # type: ignore[misc]  # as above
    def _reschedule(self, node: WorkerController) -> None:
        """Hand out until there are two tests, or no more files: a process with less does not go on."""
        while node in self.registered_collections and not node.shutting_down:
            super()._reschedule(node)
            if self._pending_of(self.assigned_work[node]) > 1:
                return


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Deal out whole files that way."""
    return _Files(config, log) if config.getvalue("dist") == "loadfile" else None
