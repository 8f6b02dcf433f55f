"""Commands typed in the test's own process, and what they said."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest

from outdo.cli import main


class Said(NamedTuple):
    """The exit code, and what went to both streams."""

    code: int
    out: str
    err: str


Type = Callable[..., Said]
"""Types a command with these arguments."""


def keyboard(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *verb: str
) -> Type:
    """What types `outdo`, the verb, and the arguments that it is called with."""

    def typed(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["outdo", *verb, *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        code = ended.value.code
        return Said(code if isinstance(code, int) else int(bool(code)), out, err)

    return typed
