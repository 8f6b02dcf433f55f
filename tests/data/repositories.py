"""Repositories made on the spot: a history is told, and git imports it at one go."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

MIT = (
    b"MIT License\n\nPermission is hereby granted, free of charge, to any person ...\n\nThe above"
    b" copyright notice and this permission notice shall be included in all copies.\n"
)
MODULE = (
    b"def double(number):\n    return number + number\n\n\n"
    b"def half(number):\n    return number / 2\n"
)
BETTER = MODULE.replace(b"number + number", b"2 * number")

Name = str | bytes


@dataclass
class Story:
    """A history as it is told, commit by commit, each with a mark by which others name it."""

    parts: list[bytes] = field(default_factory=list)
    marks: int = 0

    def commit(
        self,
        message: str | bytes,
        files: Mapping[Name, bytes | None] | None = None,
        *,
        branch: str = "refs/heads/main",
        author: str = "Ann Person <ann@people.example.org>",
        onto: Sequence[int] | None = None,
        moved: Mapping[Name, Name] | None = None,
        modes: Mapping[Name, tuple[str, str]] | None = None,
    ) -> int:
        """A commit, and its mark; `onto` are its parents, `modes` entries that are no files."""
        self.marks += 1
        said = message.encode() if isinstance(message, str) else message
        self.parts.append(f"commit {branch}\nmark :{self.marks}\n".encode())
        self.parts.append(f"author {author} {1_700_000_000 + 60 * self.marks} +0000\n".encode())
        self.parts.append(f"committer {author} {1_700_000_000 + 60 * self.marks} +0000\n".encode())
        self.parts.append(b"data %d\n%s\n" % (len(said), said))
        for place, parent in enumerate(onto or ()):
            self.parts.append(f"{'merge' if place else 'from'} :{parent}\n".encode())
        for old, new in (moved or {}).items():
            self.parts.append(b"R %s %s\n" % (quoted(old), quoted(new)))
        for name, content in (files or {}).items():
            if content is None:
                self.parts.append(b"D %s\n" % quoted(name))
            else:
                head = b"M 100644 inline %s\ndata %d\n" % (quoted(name), len(content))
                self.parts.append(head + content + b"\n")
        for name, (mode, sha) in (modes or {}).items():
            self.parts.append(f"M {mode} {sha} ".encode() + quoted(name) + b"\n")
        return self.marks

    def reference(self, name: str, mark: int) -> None:
        self.parts.append(f"reset {name}\nfrom :{mark}\n\n".encode())

    def told(self, folder: Path, *, packed: bool = False) -> Path:
        """The repository of the history, without a working tree."""
        git("init", "--quiet", "--bare", "--initial-branch=main", str(folder))
        return self._imported(folder, b"".join(self.parts), packed=packed)

    def added(self, folder: Path) -> Path:
        """The repository with this one commit more on its branch."""
        onto = b"from refs/heads/main^0\n"
        return self._imported(folder, b"".join([*self.parts[:4], onto, *self.parts[4:]]))

    def _imported(self, folder: Path, stream: bytes, *, packed: bool = False) -> Path:
        quick = ["-c", "core.compression=0", "-c", "core.bigFileThreshold=1m"]
        quick += ["-c", "fastimport.unpackLimit=1"] if packed else []
        command = ["git", "-C", str(folder), *quick, "fast-import", "--quiet"]
        subprocess.run(command, input=stream, check=True)
        return folder


def quoted(name: Name) -> bytes:
    """A file's name as `git fast-import` takes any."""
    data = name.encode() if isinstance(name, str) else name
    odd = (34, 92)
    return b'"%s"' % b"".join(
        bytes([byte]) if 32 <= byte < 127 and byte not in odd else b"\\%03o" % byte for byte in data
    )


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def begun(files: Mapping[Name, bytes] | None = None) -> Story:
    """A history that has begun: a licence and a module."""
    story = Story()
    story.commit("Begin with what is there", {"LICENSE": MIT, "double.py": MODULE, **(files or {})})
    return story
