"""A pytest plugin that gives tests of properties the same examples in every run.

Loaded by ``make test`` with ``-p tests.same_examples``. Hypothesis draws, beside others, constants that stand in the
project's own modules: of those that are loaded by then, which depends on the tests that the same process ran before.
Without it a run looks elsewhere than the one before; that is for those who search, not for those who compare.
"""

from __future__ import annotations

import pytest
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants


def pytest_configure(config: pytest.Config) -> None:
    """Have no constants of modules drawn; of those that Hypothesis itself knows some still are."""
    if hasattr(providers, "_get_local_constants"):  # since Hypothesis 6.131; before that there were none
        providers._get_local_constants = Constants
