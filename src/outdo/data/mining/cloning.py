"""A repository to mine: a folder, or a copy of what lies behind an address."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from outdo.data.mining.git import Repository, asked
from outdo.errors import DataError

_ADDRESS = re.compile(r"(?:https?|ssh|git|file)://\S+|[\w.-]+@[\w.-]+:[\w./~-]+")
_PROTOCOLS = {"GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh"}
_PULLS = "+refs/pull/*/head:refs/pull/*/head"


def is_address(place: str) -> bool:
    """Whether a place is somewhere to clone from, and no folder."""
    return bool(_ADDRESS.fullmatch(place)) and not Path(place).exists()


def repository_of(place: str, out: Path, *, pulls: bool = False) -> Repository:
    """The repository at a place; one behind an address is cloned beside `out`, and kept.

    A copy that is there already is used as it is, so that a run goes on with what it began with.
    With `pulls` it has the heads of pull requests too. Raises DataError if there is no repository,
    or if it can't be cloned.
    """
    if not is_address(place):
        return Repository.opened(place)
    copy = out.with_suffix(".git")
    if not copy.exists():
        _clone(place, copy, pulls=pulls)
    return Repository.opened(copy)


def _clone(address: str, copy: Path, *, pulls: bool) -> None:
    """Clone without a working tree, whole or not at all."""
    aside = copy.with_name(f".{copy.name}.part")
    if aside.exists():
        hint = "another process clones it, or was stopped: remove it then"
        raise DataError("a part of a clone is there", hint, where=str(aside))
    copy.parent.mkdir(parents=True, exist_ok=True)
    command = ["clone", "--quiet", "--bare", "--template=", "--", address, str(aside)]
    try:
        asked(command, seconds=None, variables=_PROTOCOLS)
        if pulls:
            fetch = ["fetch", "--quiet", "origin", _PULLS]
            asked(fetch, at=aside.resolve(), seconds=None, variables=_PROTOCOLS)
        aside.rename(copy)
    except DataError as error:
        where = re.sub(r"(?<=//)[^/@]*@", "", address)
        hint = "see that the address is right, and that you may read it"
        raise DataError(error.problem.replace(address, where), hint, where=where) from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
