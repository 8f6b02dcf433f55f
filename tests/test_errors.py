"""What a person is told, in one line."""

from __future__ import annotations

import pickle

import pytest

from outdo import errors
from outdo.errors import MissingExtra, OutdoError, StoreError


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OutdoError("it broke"), "it broke"),
        (OutdoError("it broke", "mend it"), "it broke (mend it)"),
        (OutdoError("it broke", where="file:3"), "file:3: it broke"),
        (StoreError("it broke", "mend it", where="file:3"), "file:3: it broke (mend it)"),
        (MissingExtra.of("torch", "train"), "torch is not installed (pip install 'outdo[train]')"),
    ],
)
def test_an_error_says_where_what_and_what_to_do(error: OutdoError, line: str) -> None:
    assert str(error) == line


def test_an_error_crosses_processes_whole() -> None:
    sent = StoreError("it broke", "mend it", where="file:3")
    came = pickle.loads(pickle.dumps(sent))
    assert type(came) is StoreError
    assert (came.problem, came.hint, came.where) == ("it broke", "mend it", "file:3")


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    told = {
        line.split()[1]
        for line in (errors.__doc__ or "").splitlines()
        if line.startswith(("├", "└"))
    }
    assert told == {kind.__name__ for kind in OutdoError.__subclasses__()}
    assert not issubclass(errors.TransientError, OutdoError)
    assert not issubclass(errors.PermanentError, OutdoError)
