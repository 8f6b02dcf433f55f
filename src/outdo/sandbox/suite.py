"""A verdict by pytest, in the very process that holds the untrusted objects.

Some tests need the object itself (a class, a generator), so program and tests share a process
here, and a hostile program could forge the verdict: signatures of such scores say so.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any


class SuiteFailed(AssertionError):
    """At least one test did not pass, or none ran."""


class _Counter:
    """A plugin that counts what passed, and keeps the first failure's name and last line."""

    def __init__(self) -> None:
        self.passed = 0
        self.failures: list[str] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.failures.append(f"{report.nodeid}: {_last_line(report)}")
        elif report.when == "call" and report.passed:
            self.passed += 1

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.failures.append(f"{report.nodeid or 'collection'}: {_last_line(report)}")


def _last_line(report: Any) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr)
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[0] if crash is not None and lines else lines[-1] if lines else ""


def verdict(files: Sequence[str]) -> str:
    """ "passed" if every test of `files` passed and there was one; else SuiteFailed says why."""
    import pytest

    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - what pytest itself puts there
    counter = _Counter()
    options = ["-q", "--color=no", "-p", "no:cacheprovider", "-p", "no:faulthandler"]
    options += ["--rootdir=.", "--confcutdir=.", "-c", os.devnull]
    status = pytest.main([*options, *files], plugins=[counter])
    if counter.failures:
        more = len(counter.failures) - 1
        raise SuiteFailed(counter.failures[0] + (f" (and {more} more)" if more else ""))
    if status != 0 or not counter.passed:
        raise SuiteFailed(f"no test passed (pytest ended with {int(status)})")
    return "passed"
