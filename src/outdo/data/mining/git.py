"""A repository as git tells of it: its history as a stream, and its objects by name.

Everything goes through `git` itself, in few long-running processes. What git prints is parted by
NUL bytes, so that no name and no message can be taken for something else. Nothing that the
repository's settings name is run, and nothing is fetched.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from outdo.errors import DataError

CHANGES = 100
"""Changed files of a commit that are told one by one; the rest are counted."""

PIECE = 1 << 16
"""Bytes that are read at once."""

SECONDS = 600
"""How long git may think about one short question."""

SUBMODULE, LINK = "160000", "120000"
NOBODY = "0" * 40
"""The name of what isn't there: a file before it was added."""


@dataclass(frozen=True, slots=True)
class Change:
    """A file of a commit: what kind of change (A, D, M, R, T), its modes and its contents' names.

    `path` is where it stands now, `was` where it stood before; both as git's bytes.
    """

    kind: str
    modes: tuple[str, str]
    before: str
    after: str
    path: bytes
    was: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit against its first parent; of many changes the first are here, and `files` counts.

    `author` is name and address in one, for telling machines from people.
    """

    sha: str
    parents: tuple[str, ...]
    date: str
    author: str
    message: str
    changes: tuple[Change, ...]
    files: int

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0].strip()


# ------------------------------------------------------------------ running git


def environment() -> dict[str, str]:
    """The variables under which git is run: no prompts, no language, no other repository."""
    kept = {name: value for name, value in os.environ.items() if not _of_repository(name)}
    calm = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    here = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1", "GIT_NO_REPLACE_OBJECTS": "1"}
    return {**kept, **calm, **here}


def _of_repository(name: str) -> bool:
    """Whether a variable leads git elsewhere or changes what it prints."""
    kept = ("GIT_SSH", "GIT_ASKPASS", "GIT_SSL", "GIT_CONFIG", "GIT_EXEC_PATH", "GIT_PROXY")
    return name.startswith("GIT_") and not name.startswith(kept)


def started(
    arguments: Sequence[str],
    *,
    at: Path | None = None,
    talking: bool = False,
    errors: IO[bytes] | int = subprocess.DEVNULL,
    variables: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """A git process whose output is read as it comes. Raises DataError where there is no git."""
    variables = {**environment(), **(variables or {})}
    if at is not None:
        variables["GIT_CEILING_DIRECTORIES"] = str(at.parent)
    try:
        return subprocess.Popen(
            ["git", *(["-C", str(at)] if at else []), *arguments],
            stdin=subprocess.PIPE if talking else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=variables,
            bufsize=PIECE,
        )
    except FileNotFoundError:
        raise DataError("git is not installed", "install git, and see that it is found") from None


def asked(
    arguments: Sequence[str],
    *,
    at: Path | None = None,
    seconds: float | None = SECONDS,
    variables: Mapping[str, str] | None = None,
) -> bytes:
    """What git prints for one short question. Raises DataError with git's own words."""
    with started(arguments, at=at, errors=subprocess.PIPE, variables=variables) as process:
        try:
            out, said = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            hint = "see whether its disk or its server answers"
            raise DataError(
                f"git took more than {seconds:g} seconds", hint, where=str(at)
            ) from None
    if process.returncode:
        raise _refused(said, at)
    return out


def _setting(at: Path, name: str) -> str:
    """A setting of the repository, empty where it isn't set."""
    with contextlib.suppress(DataError):
        return asked(["config", "--get", name], at=at).decode("utf-8", "replace").strip()
    return ""


def _refused(said: bytes, at: Path | None) -> DataError:
    lines = said.decode("utf-8", "replace").strip().splitlines() or ["git failed"]
    words = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1])
    words = re.sub(r"^(fatal|error): ", "", words)
    if "dubious ownership" in words:
        hint = f"if you trust it: git config --global --add safe.directory {at}"
        return DataError("the repository belongs to somebody else", hint, where=str(at))
    return DataError(f"git says: {words}", "see that git can read it", where=str(at or ""))


# ------------------------------------------------------------------ the repository


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository on this disk; `cut` names the commits at which a shallow history ends."""

    path: Path
    cut: frozenset[str] = frozenset()

    @classmethod
    def opened(cls, path: Path | str) -> Repository:
        """The repository in this very folder. Raises DataError if there is none, or no commit."""
        path = Path(path)
        if not path.is_dir():
            problem = "there is no such folder" if not path.exists() else "this is no folder"
            raise DataError(problem, "name a folder that holds a git repository", where=str(path))
        at = path.resolve()
        try:
            asked(["rev-parse", "--git-dir"], at=at)
        except DataError as error:
            if "not a git repository" not in error.problem:
                raise
            hint = "name the folder that git clone or git init made"
            raise DataError("this is no git repository", hint, where=str(path)) from None
        if _setting(at, "extensions.partialClone"):
            hint = "clone it without --filter"
            raise DataError("this clone holds a part of its files alone", hint, where=str(path))
        told = asked(["rev-parse", "--git-path", "shallow"], at=at).decode(
            "utf-8", "surrogateescape"
        )
        shallow = at / told.removesuffix("\n")
        cut = frozenset(shallow.read_text("ascii").split()) if shallow.is_file() else frozenset()
        return cls(at, cut)

    def ask(self, *arguments: str) -> bytes:
        """What git prints for one question about this repository."""
        return asked(arguments, at=self.path)

    def commit(self, revision: str = "HEAD") -> str:
        """The full name of the commit that a revision means. Raises DataError if there is none."""
        with contextlib.suppress(DataError):
            named = self.ask("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
            return named.decode("ascii").strip().splitlines()[-1]
        if revision == "HEAD" and not self.ask("rev-list", "--all", "--max-count=1"):
            raise DataError(
                "the repository is empty", "there is no commit yet", where=str(self.path)
            )
        hint = "name a branch, a tag or a commit"
        raise DataError(f"there is no commit {revision!r}", hint, where=str(self.path))

    def holds(self, sha: str) -> bool:
        """Whether a commit of this full name is here."""
        with contextlib.suppress(DataError):
            self.ask("cat-file", "-e", f"{sha}^{{commit}}")
            return True
        return False

    def name(self) -> str:
        """owner/name as the place says that it was cloned from, else the folder's name."""
        place = _setting(self.path, "remote.origin.url")
        found = re.search(r"([\w.-]+/[\w.-]+?)(?:\.git)?/*$", place)
        if found and ("://" in place or "@" in place):
            return found[1]
        return self.path.name.removesuffix(".git") or "repository"

    def count(self, tip: str, *, without: Sequence[str] = ()) -> int:
        """How many commits lead to `tip` and not to those `without`."""
        return int(self.ask("rev-list", "--count", tip, *(f"^{sha}" for sha in without)))

    def commits(
        self,
        tip: str,
        *,
        without: Sequence[str] = (),
        skip: int = 0,
        most: int | None = None,
        line: bool = False,
        changes: bool = True,
    ) -> Iterator[Commit]:
        """The commits that lead to `tip`, newest first, always in the same order.

        Renamed files are found by git. Memory doesn't grow with the history. `line` follows first
        parents alone, `most` stops at so many, and without `changes` files aren't looked at.
        """
        options = ["-z", "--no-color", *(["--first-parent"] if line else [])]
        options += [f"--max-count={most}"] if most is not None else []
        raw = ["--raw", "--no-abbrev", "--root", "-M", "-l200"]
        options += raw if changes else ["--no-patch"]
        options += ["--no-relative", "--no-show-signature", "--no-notes", "-O/dev/null"]
        options += ["--ignore-submodules=none"]
        form = "--format=%x01%H%x00%P%x00%aI%x00%an <%ae>%x00%B%x00"
        wanted = [f"--skip={skip}", tip, *(f"^{sha}" for sha in without), "--"]
        command = ["log", *options, "--encoding=UTF-8", form, *wanted]
        with tempfile.TemporaryFile() as said:
            process = started(command, at=self.path, errors=said)
            with ended(process):
                assert process.stdout is not None
                before_last = None
                for commit in _commits(_parts(process.stdout)):
                    if before_last is not None:
                        yield before_last
                    before_last = commit
                if process.wait():
                    said.seek(0)
                    raise _refused(said.read(), self.path)
                if before_last is not None:
                    yield before_last

    def base(self, one: str, other: str) -> str | None:
        """The best common ancestor of two commits, or None where they have none."""
        with contextlib.suppress(DataError):
            return self.ask("merge-base", one, other).decode("ascii").strip()
        return None

    def pulls(self) -> dict[int, str]:
        """The heads of pull requests that lie in `refs/pull`, by number."""
        told = self.ask("for-each-ref", "--format=%(objectname) %(refname)", "refs/pull/")
        found = re.findall(r"(?m)^([0-9a-f]{40,64}) refs/pull/(\d+)/head$", told.decode("ascii"))
        return {int(number): sha for sha, number in sorted(found, key=lambda one: int(one[1]))}

    def files(self, tip: str) -> list[tuple[str, str]]:
        """Names and contents' names of the regular files at the top of the tree."""
        found = []
        for entry in self.ask("ls-tree", "-z", tip).split(b"\0"):
            about, _, name = entry.partition(b"\t")
            mode, kind, sha = about.decode("ascii").split() if about else ("", "", "")
            if kind == "blob" and mode != LINK:
                found.append((name.decode("utf-8", "replace"), sha))
        return found


@contextlib.contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Leaves no process behind, whatever happens."""
    try:
        yield
    finally:
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        if process.poll() is None:
            process.kill()
        process.wait()


def _parts(stream: IO[bytes]) -> Iterator[bytes]:
    """What stands between NUL bytes, one after another."""
    rest = b""
    while piece := stream.read(PIECE):
        first, *others = piece.split(b"\0")
        rest += first
        if others:
            yield rest
            yield from others[:-1]
            rest = others[-1]
    if rest.strip():
        yield rest


def _commits(parts: Iterator[bytes]) -> Iterator[Commit]:
    """Commits of what `git log` prints under the format of `Repository.commits`."""
    head: list[bytes] = []
    changes: list[Change] = []
    files = 0
    for part in parts:
        if part[:1] == b"\x01":
            if head:
                yield _commit(head, changes, files)
            head = [part[1:], *(_next(parts) for _ in range(4))]
            changes, files = [], 0
        elif part[:1] == b":" or part[:2] == b"\n:":
            was = path = _next(parts)
            about = part.lstrip(b"\n:").split(b" ")
            if about[4][:1] in b"RC":
                path = _next(parts)
            files += 1
            if files <= CHANGES:
                changes.append(_change(about, was, path))
    if head:
        yield _commit(head, changes, files)


def _next(parts: Iterator[bytes]) -> bytes:
    """The next part; where git was cut off, nothing, and git's exit code says so."""
    return next(parts, b"")


def _change(about: Sequence[bytes], was: bytes, path: bytes) -> Change:
    old, new, before, after, kind = (each.decode("ascii") for each in about)
    return Change(kind[0], (old, new), before, after, path, was)


def _commit(head: Sequence[bytes], changes: Sequence[Change], files: int) -> Commit:
    sha, parents, date, author, message = (each.decode("utf-8", "replace") for each in head)
    return Commit(sha, tuple(parents.split()), date, author, message.strip(), tuple(changes), files)


# ------------------------------------------------------------------ objects


class Talk:
    """A git process that is asked and answers, again and again, until it is closed."""

    def __init__(self, repository: Repository, *arguments: str) -> None:
        self._process = started(arguments, at=repository.path, talking=True)
        self._where = str(repository.path)
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with ended(self._process):
            pass

    def say(self, lines: bytes) -> None:
        """Ask; what is asked at once must fit into a pipe."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(lines)
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self.lost() from None

    def line(self) -> bytes:
        """The next line of the answer."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self.lost()
        return line

    def read(self, size: int) -> bytes:
        """The next bytes of the answer."""
        assert self._process.stdout is not None
        found = self._process.stdout.read(size)
        if len(found) < size:
            raise self.lost()
        return found

    def until(self, mark: bytes, *, most: int | None = None) -> bytes:
        """The answer up to a mark that stands nowhere else in it, `most` bytes of it at most."""
        assert isinstance(self._process.stdout, io.BufferedReader)
        found, rest, overlap = bytearray(), self._rest, len(mark) - 1
        while (place := rest.find(mark)) < 0:
            found += rest[:-overlap]
            if most is not None:
                del found[most:]
            piece = self._process.stdout.read1(PIECE)
            if not piece:
                raise self.lost()
            rest = rest[-overlap:] + piece
        self._rest = rest[place + len(mark) :]
        found += rest[:place]
        return bytes(found[:most])

    def lost(self) -> DataError:
        hint = "git fsck tells what is wrong with the repository"
        return DataError("git stopped in the middle", hint, where=self._where)


ASKED_AT_ONCE = 256
"""Names that are written before answers are read: 10 KB, which every pipe holds."""


class Sizes(Talk):
    """How large objects are, without reading them."""

    def __init__(self, repository: Repository) -> None:
        super().__init__(repository, "cat-file", "--batch-check=%(objectname) %(objectsize)")

    def of(self, names: Sequence[str]) -> list[int | None]:
        """The sizes in bytes, None for an object that isn't here."""
        found: list[int | None] = []
        for start in range(0, len(names), ASKED_AT_ONCE):
            part = names[start : start + ASKED_AT_ONCE]
            self.say("".join(f"{name}\n" for name in part).encode("ascii"))
            for _ in part:
                size = self.line().split()[1]
                found.append(int(size) if size.isdigit() else None)
        return found


class Contents(Talk):
    """The contents of objects; ask `Sizes` first."""

    def __init__(self, repository: Repository) -> None:
        super().__init__(repository, "cat-file", "--batch")

    def of(self, names: Sequence[str]) -> Iterator[bytes | None]:
        """The contents one after another, None for an object that isn't here."""
        for start in range(0, len(names), ASKED_AT_ONCE):
            part = names[start : start + ASKED_AT_ONCE]
            self.say("".join(f"{name}\n" for name in part).encode("ascii"))
            for _ in part:
                about = self.line().split()
                yield self.read(int(about[2]) + 1)[:-1] if len(about) == 3 else None


class Patches(Talk):
    """Unified diffs of commits, or of two commits, with three lines of context.

    Files of more than `most_bytes` are told as binary, and git doesn't read them.
    """

    def __init__(self, repository: Repository, *, most_bytes: int) -> None:
        options = ["--stdin", "-r", "-p", "-M", "-l200", "-U3", "--no-commit-id", "--root"]
        options += ["--no-color", "--no-ext-diff", "--no-textconv", "--no-relative", "-O/dev/null"]
        options += ["--src-prefix=a/", "--dst-prefix=b/", "--submodule=short"]
        options += ["--ignore-submodules=none"]
        big = ["-c", f"core.bigFileThreshold={most_bytes}"]
        super().__init__(repository, *big, "diff-tree", *options)
        self._mark = f"={uuid.uuid4().hex}="

    def of(self, commits: Sequence[str], *, most: int | None = None) -> Iterator[bytes]:
        """The diff of each; one is a commit's name, or two names parted by a blank: new, old.

        Of a diff of more than `most` bytes the rest isn't kept. A line that is no commit's name
        comes back from git as it is, which ends a diff.
        """
        mark = f"{self._mark}\n".encode("ascii")
        for start in range(0, len(commits), ASKED_AT_ONCE):
            part = commits[start : start + ASKED_AT_ONCE]
            self.say("".join(f"{one}\n{self._mark}\n" for one in part).encode("ascii"))
            for _ in part:
                yield self.until(mark, most=most)
