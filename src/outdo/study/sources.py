"""Where rows come from: the data entries of a study, told apart by their `source`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from outdo.records import How
from outdo.study.part import Part


class Examples(Part):
    """An entry that gives examples; of those to test with only those of a `frozen` set stay.

    The set is a file of `outdo data pick`; its path starts where the command is given.
    """

    seed: int | None = None
    frozen: str | None = None


class Comparable(Examples):
    """An entry that gives the task `prefer` pairs of programs.

    `criterion` says what counts: what each pair is known for, how good a program is in general, or
    nothing. With `comments: strip` both programs stand without comments and docstrings. With
    `lengths: even` the better program is as often the longer one as the shorter.
    """

    criterion: Literal["given", "general", "absent"] = "given"
    comments: Literal["keep", "strip"] = "keep"
    lengths: Literal["any", "even"] = "any"


ForTasks = list[Literal["repair", "hint"]] | None
"""Tasks that buggy programs are examples of, each of all of them; none: that of the study."""

OfPrograms = list[Literal["repair", "hint", "write", "critique"]] | None
"""The same where right programs are known too: what to write, and drafts to be criticised."""


class Injected(Comparable):
    """Correct programs, broken on purpose; each bug verified by running."""

    source: Literal["inject"]
    tasks: OfPrograms = None
    problems: str = "embedded"
    count: int = Field(default=2000, ge=1)
    test_per_problem: int = Field(default=2, ge=0)
    test_per_held_out: int = Field(default=5, ge=0)
    double: float = Field(default=0.0, ge=0, le=1)


class Programs(Comparable):
    """Real programs of students, some right and some wrong, with the problems they solve."""

    source: Literal["programs"]
    tasks: OfPrograms = None
    problems: str
    programs: str
    problem_columns: dict[str, str] | None = None
    program_columns: dict[str, str] | None = None
    correct: list[str] = Field(default=[])
    buggy: list[str] = Field(default=[])
    how: How = "value"
    hold_out: int = Field(default=25, ge=1)
    inject: int = Field(default=0, ge=0)


class Rows(Examples):
    """Rows of a JSONL, CSV or Parquet file, their columns mapped to what the task needs."""

    source: Literal["rows"]
    path: str
    tasks: ForTasks = None
    columns: dict[str, str] | None = None
    how: How = "value"
    hold_out: int = Field(default=25, ge=1)
    drop: bool = False


class Folder(Comparable):
    """A folder of `.py` files by student, with doctests, pytest files or stdin/stdout pairs."""

    source: Literal["folder"]
    path: str
    tasks: OfPrograms = None
    hold_out: int = Field(default=25, ge=1)
    inject: int = Field(default=0, ge=0)


class Conversations(Part):
    """Conversations of a file in a form that people have: chats, instructions, completions."""

    source: Literal["conversations"]
    path: str
    format: str = "auto"
    columns: dict[str, str] | None = None
    drop: bool = False


class PairRows(Comparable):
    """Pairs of a file: a prompt with a chosen and a rejected reply, or (`code`) two programs.

    Two programs are an example of the task `prefer`, and taken for what "auto" means in its
    studies. Where no pair of them is to test with, those of `hold_out` groups are, at most a third.
    """

    source: Literal["pairs"]
    path: str
    format: str = "auto"
    columns: dict[str, str] | None = None
    hold_out: int = Field(default=0, ge=0)
    drop: bool = False

    def of_programs(self, tasks: Sequence[str]) -> bool:
        """Whether the pairs are of programs, in a study of these tasks."""
        return self.format == "code" or (self.format == "auto" and list(tasks) == ["prefer"])


class Pulls(Examples):
    """Pull requests: the authors' titles and bodies, and bugs put into lines that they add."""

    source: Literal["pulls"]
    path: str
    tasks: list[Literal["describe", "review", "improve"]] | None = None
    columns: dict[str, str] | None = None
    licences: list[str] | None = None
    hold_out: int = Field(default=6, ge=0)
    newest: float = Field(default=0.1, ge=0, lt=1)
    inject: float = Field(default=0.5, ge=0, le=1)
    count: int | None = Field(default=None, ge=1)
    sizes: list[Literal["small", "medium", "large"]] | None = None
    drop: bool = False


class Reviews(Examples):
    """Pull requests with comments that people accepted or rejected, for testing alone."""

    source: Literal["reviews"]
    path: str
    columns: dict[str, str] | None = None
    drop: bool = False


class Commits(Comparable):
    """Commits that changed one function: that function after the commit against before it."""

    source: Literal["commits"]
    path: str
    hold_out: int = Field(default=6, ge=0)
    count: int | None = Field(default=None, ge=1)
    drop: bool = False


class Instructions(Examples):
    """Instructions with code: Alpaca's rows, HumanEval, MBPP, EvalPlus, functions with doctests.

    All rows are for testing if `hold_out` is `all`, and for training if it is 0.
    `plus` is how many inputs EvalPlus may add to each problem's own, all if it isn't said. Problems
    of the files `apart` aren't trained on.
    """

    source: Literal["instructions"]
    path: str
    form: str = "auto"
    columns: dict[str, str] | None = None
    hold_out: Annotated[int, Field(ge=0)] | Literal["all"] = 100
    plus: int | None = Field(default=None, ge=0)
    apart: list[str] = Field(default=[])
    drop: bool = False


SOURCES: dict[str, type[Part]] = {
    "inject": Injected,
    "programs": Programs,
    "rows": Rows,
    "folder": Folder,
    "pulls": Pulls,
    "reviews": Reviews,
    "commits": Commits,
    "instructions": Instructions,
    "conversations": Conversations,
    "pairs": PairRows,
}

Data = Annotated[
    Injected
    | Programs
    | Rows
    | Folder
    | Pulls
    | Reviews
    | Commits
    | Instructions
    | Conversations
    | PairRows,
    Field(discriminator="source"),
]

Kind = Literal["examples", "conversation", "pair"]
"""What a data entry gives: examples of the task, or rows to learn from as they are."""


def kind_of(data: Data, tasks: Sequence[str]) -> Kind:
    """What comes out of a data entry, in a study of these tasks."""
    match data:
        case Conversations():
            return "conversation"
        case PairRows() if not data.of_programs(tasks):
            return "pair"
        case _:
            return "examples"
