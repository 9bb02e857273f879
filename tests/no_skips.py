"""A pytest plugin that fails the run when a test was skipped or not selected: every check runs, or we say so.

Loaded by ``make test`` with ``-p tests.no_skips``; a plain ``pytest`` does without it. It works where pytest-xdist has
several processes run the tests: each tells the first one what it left out.
"""

from __future__ import annotations

from typing import Any

import pytest

_left_out: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note a test that was skipped while it was set up or run."""
    if report.skipped and not hasattr(report, "wasxfail"):
        _left_out.append(f"{report.nodeid}: {_why(report)}")


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Note a module that was skipped as a whole."""
    if report.skipped:
        _left_out.append(f"{report.nodeid}: {_why(report)}")


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Note tests that a filter left out."""
    _left_out.extend(f"{item.nodeid}: deselected" for item in items)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a run that would have passed without them."""
    told: dict[str, list[str]] | None = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["left_out"] = list(_left_out)
    if _left_out and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear from a process of pytest-xdist what it left out."""
    told = getattr(node, "workeroutput", {}).get("left_out", ())
    _left_out.extend(line for line in told if line not in _left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what did not run."""
    if _left_out:
        terminalreporter.section("tests that did not run, which fails this run", sep="=", red=True)
        for line in _left_out:
            terminalreporter.line(line)


def _why(report: pytest.TestReport | pytest.CollectReport) -> str:
    return str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else "skipped"
