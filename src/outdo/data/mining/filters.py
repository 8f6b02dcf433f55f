"""Which commits, which files of them and which edits are worth a row; each refusal has a name.

Pure functions, in the order in which they are asked: what is cheap to know comes first, and what
needs a file's size comes before what needs the file.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from outdo import diffs
from outdo.data.mining.git import CHANGES, LINK, SUBMODULE, Change, Commit
from outdo.data.sifting import Drop
from outdo.diffs.languages import NAMES
from outdo.errors import DataError
from outdo.records import Json, to_json

ANY = "any"
"""Instead of a language: every file whose name tells one."""

LONGEST_LINE = 1_000
"""Characters of a line beyond which nobody wrote it."""

GATES: tuple[tuple[str, str], ...] = (
    ("history", "one parent, which is here"),
    ("author", "a person"),
    ("message", "it says what was done; no revert, no new version, no dependency"),
    ("files", "few changed files"),
    ("change", "a file that was there and still is; no link, no submodule"),
    ("name", "a file that somebody writes: not generated, vendored, locked, minified or binary"),
    ("language", "a language that is wanted"),
    ("size", "a size in bytes that is neither nothing nor too much"),
    ("content", "UTF-8 text that somebody wrote, of a bearable length"),
    ("edit", "more than layout, and not too much at once"),
)
"""The names of the gates in their order, and what each asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What commits, files and edits may be like."""

    languages: tuple[str, ...] = ("Python",)
    files: int = 1
    least_message: int = 12
    most_message: int = 5_000
    most_bytes: int = 100_000
    most_lines: int = 2_000
    most_changed: int = 200

    def checked(self) -> Filters:
        """These filters. Raises DataError for one that lets nothing through."""
        for name in ("files", "most_message", "most_bytes", "most_lines", "most_changed"):
            if getattr(self, name) < 1:
                raise DataError(f"{name} is {getattr(self, name)}", "at least 1")
        if self.files > CHANGES:
            raise DataError(f"files is {self.files}", f"at most {CHANGES}")
        known_languages(self.languages)
        return self

    def told(self) -> Mapping[str, Json]:
        """The filters as JSON."""
        told: dict[str, Json] = to_json(self)
        return told


def known_languages(languages: Sequence[str]) -> None:
    """Raises DataError for a language that isn't known."""
    for language in languages:
        if language not in NAMES and language != ANY:
            near = [name for name in NAMES if name.lower() == language.lower()]
            hint = f"say {near[0]}" if near else f"{ANY}, or one of {', '.join(sorted(NAMES))}"
            raise DataError(f"no language is called {language!r}", hint)


# ------------------------------------------------------------------ commits

_BOT = re.compile(
    r"\[bot\]|\bbot\b|[-_.]bot\b|\b(?:dependabot|renovate|pre-commit-ci|greenkeeper|snyk|pyup|mergify"
    r"|github-actions|allcontributors|imgbot|codecov|weblate|crowdin|transifex|scala-steward"
    r"|jenkins|travis|semantic-release|release-please|copybara|facebook-github|autoroll)",
    re.I,
)
_REVERT = re.compile(r"(?i)(?:revert|back(?:s|ed)? ?out|undo)\b|reapply \"")
_VERSION = re.compile(
    r"(?ix)(?:\W*\w{1,12}(?:\([^)]*\))?!?:\s*)?"
    r"(?: (?:bump|update|upgrade|set|increase|change|prepare(?:\ for)?|post|begin|start|back\ to)\b"
    r"    .{0,40}\b(?:version|release|dev(?:elopment)?\ cycle|copyright\ year)"
    r"  | (?:bump|upgrade|pin|unpin)s?\ [\w./@\[\]-]+\ (?:from|to|version)\b"
    r"  | (?:update|upgrade|bump|lock|pin)s?\ .{0,30}"
    r"    \b(?:dependenc|requirements|lock\ ?file|submodule)"
    r"  | (?:release[sd]?|version|tag|bump(?:\ to)?|prepare)\b[\s:]*(?:version\s*)?"
    r"    v?\d+\.\d[\w.+-]*"
    r"  | v?\d+\.\d+[\w.+-]*\W*(?:release)?\W*$"
    r"  | \[?(?:maven-release-plugin|pre-commit\.ci|automated|auto)\b )"
)
_EMPTY = (
    r"(?:wip|fix(?:es|ed)?|updates?|changes?|minor|cleanup|typos?|misc|tmp|temp|tests?|commit|stuff"
    r"|initial commit|first commit|save|checkpoint|work in progress|more|oops|various|things|again)"
)
_EMPTY_WORDS = re.compile(rf"(?i)\W*{_EMPTY}(?:\W+(?:{_EMPTY}|\d+))*\W*")
_PART = re.compile(r"Merged? (?:branch|pull|remote|tag|commit|in\b)|(?:fixup|squash|amend)!")
_PRESET = re.compile(r"(?i)(?:update|create|delete|add files via upload)(?:\s+[\w./-]+\.\w+)?\s*$")


def commit_fault(commit: Commit, filters: Filters, cut: Collection[str]) -> tuple[str, Drop] | None:
    """The gate that a commit as a whole doesn't come through, and why; None if it does."""
    if len(commit.parents) != 1:
        merge = bool(commit.parents)
        return "history", Drop("a merge" if merge else "a first commit: nothing came before")
    if commit.sha in cut:
        return "history", Drop("the history is cut off here")
    if is_bot(commit.author):
        return "author", Drop("a bot")
    if why := message_fault(commit.message, filters):
        return "message", Drop(why, commit.subject[:80])
    if commit.files == 0:
        return "files", Drop("no file is changed")
    if commit.files > filters.files:
        plural = "s" if filters.files > 1 else ""
        return "files", Drop(f"more than {filters.files} changed file{plural}", str(commit.files))
    return None


def message_fault(message: str, filters: Filters) -> str | None:
    """Why a message teaches nothing; None if it may."""
    subject = message.partition("\n")[0].strip()
    if "\ufffd" in message:
        return "the message is no UTF-8"
    if "This reverts commit" in message:
        return "a revert"
    if why := subject_fault(subject):
        return why
    if len(message) < filters.least_message:
        return f"less than {filters.least_message} characters"
    if len(message) > filters.most_message:
        return f"more than {filters.most_message:,} characters"
    return None


def subject_fault(subject: str) -> str | None:
    """Why a subject or a title teaches nothing; None if it may."""
    if _REVERT.match(subject):
        return "a revert"
    if _VERSION.match(subject):
        return "a new version, or other dependencies"
    if _PART.match(subject):
        return "a merge, or a part of another commit"
    if _EMPTY_WORDS.fullmatch(subject) or _PRESET.match(subject):
        return "the subject says nothing"
    return None


def is_bot(author: str) -> bool:
    """Whether a name, with its address or without, is that of a machine."""
    return bool(_BOT.search(author))


_TRAILER = re.compile(
    r"(?i)(?:[\w-]+-by|cc|change-id|git-svn-id|ghstack-source-id|reviewers?|differential revision"
    r"|pull request resolved|bug|issue|fbshipit-source-id|tested|co-authored-by)\s*:\s.*"
)


def plain_message(message: str) -> str:
    """A message without the lines at its end that name people or are there for tools."""
    lines = message.split("\n")
    while len(lines) > 1 and (not lines[-1].strip() or _TRAILER.fullmatch(lines[-1].strip())):
        lines.pop()
    return "\n".join(lines).rstrip()


# ------------------------------------------------------------------ files

_KINDS = {"A": "added", "D": "deleted", "T": "of another kind than before", "C": "copied"}


def change_fault(change: Change, filters: Filters) -> tuple[str, Drop] | None:
    """The gate that a file of a commit doesn't come through, by what git tells without reading."""
    if SUBMODULE in change.modes:
        return "change", Drop("a submodule")
    if LINK in change.modes:
        return "change", Drop("a link")
    if change.kind not in "MR":
        return "change", Drop(f"the file was {_KINDS.get(change.kind, 'not merged')}")
    if change.before == change.after:
        return "change", Drop("the file was renamed, or its mode changed, and nothing else")
    try:
        path = change.path.decode("utf-8")
        change.was.decode("utf-8")
    except UnicodeDecodeError:
        return "name", Drop("the name is no UTF-8")
    unwritten, language = _by_name(path)
    if unwritten:
        return "name", Drop(f"{unwritten} by its name", path)
    if language is None:
        return "language", Drop("the name tells no language", path)
    if ANY not in filters.languages and language not in filters.languages:
        return "language", Drop(language)
    return None


@functools.lru_cache(maxsize=2**14)
def _by_name(path: str) -> tuple[str | None, str | None]:
    """Why nobody wrote a file of this name, if so, and its language; names come again and again."""
    return diffs.unwritten(path), diffs.language_of(path)


def size_fault(sizes: tuple[int | None, int | None], filters: Filters) -> tuple[str, Drop] | None:
    """The gate that two versions of a file don't come through by their sizes in bytes."""
    if None in sizes:
        return "size", Drop("the content isn't in this clone")
    before, after = sizes
    if not before or not after:
        return "size", Drop("the file was or became empty")
    if (largest := max(before, after)) > filters.most_bytes:
        return "size", Drop(f"more than {filters.most_bytes:,} bytes", f"{largest:,} bytes")
    return None


_GENERATED = (
    *("@generated", "do not edit", "do not modify", "autogenerated", "auto-generated by"),
    *("auto-generated from", "auto-generated file", "auto-generated code", "code generated by"),
    *("generated by the protocol buffer", "generated by django", "generated by swig"),
    *(
        "generated by cython",
        "autogenerated by thrift",
        "generated by openapi",
        "generated by antlr",
    ),
)
"""What the head of a generated file says, in lower case."""

HEAD = 1_500
"""Characters of a file in which it says that it is generated."""


def text_of(content: bytes, filters: Filters) -> str | Drop:
    """The text of a file, or why nobody wrote it or nobody can read it."""
    if b"\0" in content:
        return Drop("binary")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return Drop("no UTF-8")
    head = text[:HEAD].lower()
    if ("generated" in head or "do not" in head) and any(mark in head for mark in _GENERATED):
        return Drop("it says that it is generated")
    lines = text.split("\n")
    if len(lines) > filters.most_lines:
        return Drop(f"more than {filters.most_lines:,} lines")
    if max(map(len, lines)) > LONGEST_LINE:
        return Drop(f"a line of more than {LONGEST_LINE:,} characters")
    return text


# ------------------------------------------------------------------ edits

_OF_VERSION = re.compile(
    r"(?i)\s*[\w.\[\]\"']*(?:version|release|copyright)[\w\]\"']*\s*[:=(]?\s*[(\"'v]*\d[\w.,+\s\"'()-]*"
)


def edit_fault(gone: Sequence[str], come: Sequence[str], filters: Filters) -> Drop | None:
    """Why an edit of these lines teaches nothing, or too much at once; None if it may be a row."""
    if not gone and not come:
        return Drop("no line is changed")
    if len(gone) + len(come) > filters.most_changed:
        return Drop(f"more than {filters.most_changed:,} changed lines")
    if _unblanked(gone) == _unblanked(come):
        return Drop("blanks alone")
    if all(_OF_VERSION.fullmatch(line) for line in (*gone, *come) if line.strip()):
        return Drop("a version's number alone")
    return None


def _unblanked(lines: Sequence[str]) -> list[str]:
    """Lines by their words and their indents, which mean something in some languages."""
    return [
        f"{line[: len(line) - len(line.lstrip())].expandtabs()}{' '.join(line.split())}"
        for line in lines
        if line.strip()
    ]


def changed_lines(diff: str) -> tuple[list[str], list[str]]:
    """The lines that a diff of one file takes away and adds, without their marks."""
    gone: list[str] = []
    come: list[str] = []
    body = diff[diff.find("\n@@") + 1 :] if "\n@@" in diff else ""
    for line in body.split("\n"):
        if line[:1] == "-":
            gone.append(line[1:])
        elif line[:1] == "+":
            come.append(line[1:])
    return gone, come
