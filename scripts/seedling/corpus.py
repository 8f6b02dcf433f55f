"""The stream of training rows: chats about programs, and plain text, as token ids.

Pool number i of a seed is always the same rows, whatever came before it: a run that stops can go
on without having stored what it had read. Rows come from generated exercises, from the problems
that are not held out, and from the standard library.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from chores import CHORES, SYSTEMS, Chore, Piece, Turn, fenced, piece_of, told_tests, with_docstring
from classics import classic
from cleanroom import Cleanroom
from exercise import Exercise, bound_names, renamed
from folds import fold
from library import Library
from transformers import PreTrainedTokenizerFast
from vocabulary import BOS, CONTEXT, DOCUMENT_END, EOS, ROLES, SPECIAL
from words import TAKEN, identifier

from outdo.data.problems import Problem

POOL_ROWS = 240
USUAL = 640
"""Tokens of the longest row that isn't one of the few long ones."""


@dataclass(frozen=True, slots=True)
class Row:
    """Token ids, and which of them are learnt."""

    kind: str
    ids: list[int]
    learnt: list[bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What rows are made of; only problems that may be seen stand here."""

    problems: Sequence[Problem]
    library: Library
    cleanroom: Cleanroom

    def exercise(self, rng: Random) -> Exercise:
        """A generated exercise, or a problem's, that the clean room admits."""
        while True:
            draw = rng.random()
            if draw < 0.27 and self.problems:
                return of_problem(rng, rng.choice(self.problems))
            exercise = fold(rng) if draw < 0.68 else classic(rng)
            if exercise is not None and self.cleanroom.admits(exercise):
                return exercise

    def piece(self, rng: Random) -> Piece:
        """A program to do chores with: one of an exercise's, or a bare function."""
        if rng.random() < 0.06:
            return Piece(code=self._clean(rng, self.library.bare))
        return piece_of(rng, self.exercise(rng))

    def function(self, rng: Random) -> str:
        return self._clean(rng, self.library.functions)

    def _clean(self, rng: Random, codes: Sequence[str]) -> str:
        while True:
            code = rng.choice(codes)
            if self.cleanroom.admits_code(code):
                return code


def sources(problems: Sequence[Problem], library: Library) -> Sources:
    """Sources over the problems that are not held out, with the others kept out."""
    held_out = [problem for problem in problems if problem.held_out]
    cleanroom = Cleanroom(held_out)
    seen = [
        problem
        for problem in problems
        if not problem.held_out and cleanroom.admits_text(problem.statement)
    ]
    return Sources(problems=seen, library=library, cleanroom=cleanroom)


def of_problem(rng: Random, problem: Problem) -> Exercise:
    """The problem as an exercise, at times under other names, its first tests shown mostly."""
    assert problem.entry is not None
    codes = rng.sample(problem.solutions, min(2, len(problem.solutions)))
    if rng.random() < 0.4:
        codes = [_other_names(rng, code, keep=problem.entry) for code in codes]
    tests = [(test.call, test.expected) for test in problem.tests if len(test.call) < 120]
    if rng.random() < 0.4:
        rng.shuffle(tests)
    statement = " ".join(problem.statement.split()) if rng.random() < 0.3 else problem.statement
    return Exercise(
        entry=problem.entry,
        statement=statement.strip(),
        programs=tuple(code.strip() for code in codes),
        tests=tuple(tests[:4]),
    )


def _other_names(rng: Random, code: str, *, keep: str) -> str:
    names: dict[str, str] = {}
    used = set(bound_names(code))
    for name in used - {keep}:
        if rng.random() < 0.6:
            names[name] = identifier(rng, role=name, avoid=TAKEN | used | set(names.values()))
    return renamed(code, dict(sorted(names.items())))


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Rows from `sources`, encoded by `tokenizer`."""

    sources: Sources
    tokenizer: PreTrainedTokenizerFast
    seed: int

    def pool(self, index: int, *, nursery: float | None = None) -> list[Row]:
        """Pool number `index`. In the nursery rows are copies of random tokens and nothing else.

        `nursery`, from 0 to 1, is how far it has come: the tokens grow more various. A model
        that has learnt to copy there reads programs with that skill from their first day.
        """
        rng = Random(f"{self.seed}/{index}")
        rows: list[Row] = []
        while len(rows) < POOL_ROWS:
            if nursery is not None:
                rows.append(self.random_copy(rng, variety=nursery))
            elif rng.random() < 0.04:
                rows.append(self.random_copy(rng))
            elif row := self.row(rng):
                rows.append(row)
        return rows

    def row(self, rng: Random) -> Row | None:
        """One row of the usual mixture, or None if the draw gave nothing."""
        draw = rng.random()
        if draw < 0.80:
            return self.chat(rng)
        if draw < 0.806:
            return self.chat(rng, turns=rng.randint(6, 14), longest=CONTEXT)
        if draw < 0.81:
            text = rng.choice(self.sources.library.modules)
            start = rng.randrange(max(1, len(text) - 9000))
            return self.document(text[start : start + rng.randint(2000, 9000)], longest=CONTEXT)
        makers: tuple[Callable[[Random], str], ...] = (
            self._worked, self._worked, self.sources.function, self.sources.function, self._prose,
        )  # fmt: skip
        return self.document(rng.choice(makers)(rng))

    def chat(self, rng: Random, *, turns: int | None = None, longest: int = USUAL) -> Row | None:
        """A conversation of mostly one turn, with or without a system message."""
        wanted = turns or (1 if rng.random() < 0.95 else 2)
        done: list[Turn] = []
        kinds = []
        while len(done) < wanted:
            kind, turn = chore(rng, self.sources.piece(rng))
            if turn is not None:
                done.append(turn)
                kinds.append(kind)
        system = rng.choice(SYSTEMS) if rng.random() < 0.75 else None
        return self.conversation(
            done, system=system, all_learnt=rng.random() < 0.25, kind=kinds[0], longest=longest
        )

    def conversation(
        self,
        turns: Sequence[Turn],
        *,
        system: str | None,
        kind: str,
        all_learnt: bool = False,
        longest: int = USUAL,
    ) -> Row | None:
        """The turns as ids, as the chat template renders them; None if they are too long."""
        parts = [(ROLES["system"], system, False)] if system else []
        for user, assistant in turns:
            parts += [(ROLES["user"], user, all_learnt), (ROLES["assistant"], assistant, True)]
        ids, learnt = [self._id(BOS)], [False]
        for role, text, wanted in parts:
            body = [*self._encode(text), self._id(EOS)]
            ids += [self._id(role), *body]
            learnt += [False, *[wanted] * len(body)]
        return Row(kind, ids, learnt) if len(ids) <= longest else None

    def reply_learnt(self, row: Row) -> Row:
        """The row with its first reply and what follows learnt, nothing else."""
        known = row.ids.index(self._id(ROLES["assistant"]))
        return Row(row.kind, row.ids, [place > known for place in range(len(row.ids))])

    def document(self, text: str, *, longest: int = USUAL) -> Row | None:
        """Plain text, learnt from its first token on."""
        if not self.sources.cleanroom.admits_text(text):
            return None
        ids = [self._id(BOS), *self._encode(text)[: longest - 2], self._id(DOCUMENT_END)]
        return Row("document", ids, [False] + [True] * (len(ids) - 1))

    def random_copy(self, rng: Random, *, variety: float = 1.0) -> Row:
        """A chat that repeats tokens drawn at random: nothing but copying helps.

        Most are short: where few tokens stand, which of them comes next is soon learnt.
        """
        known = self._shuffled[: 300 + round(variety * (len(self._shuffled) - 300))]
        count = round(2 ** rng.uniform(1, 5.5 if variety < 1 else 6.8))
        ids, learnt = [self._id(BOS)], [False]
        for _ in range(max(1, 120 // (2 * count + 7))):
            body = rng.choices(known, k=count)
            ask = [self._id(ROLES["user"]), *self._encode("Repeat:\n"), *body, self._id(EOS)]
            reply = [*body, self._id(EOS)]
            ids += [*ask, self._id(ROLES["assistant"]), *reply]
            learnt += [False] * (len(ask) + 1) + [True] * len(reply)
        return Row("random copy", ids, learnt)

    @functools.cached_property
    def _shuffled(self) -> list[int]:
        """All ordinary tokens in a random order."""
        tokens = list(range(len(SPECIAL), len(self.tokenizer)))
        Random(self.seed).shuffle(tokens)
        return tokens

    def _worked(self, rng: Random) -> str:
        """A statement with its program, as a documented function or as a worked solution."""
        piece = piece_of(rng, self.sources.exercise(rng))
        if rng.random() < 0.5:
            examples = told_tests(rng, piece.tests)
            return f"{piece.statement}\n\n{examples}\n\n{fenced(piece.code)}"
        return with_docstring(piece, piece.statement) or piece.code

    def _prose(self, rng: Random) -> str:
        return rng.choice(self.sources.library.prose)[:1500]

    def _encode(self, text: str) -> list[int]:
        encoded: list[int] = self.tokenizer.backend_tokenizer.encode(
            text, add_special_tokens=False
        ).ids
        return encoded

    def _id(self, token: str) -> int:
        number = self.tokenizer.convert_tokens_to_ids(token)
        assert isinstance(number, int)
        return number


def chore(rng: Random, piece: Piece) -> tuple[str, Turn | None]:
    """The name of a chore drawn by its share, and its turn over the piece."""
    names = list(CHORES)
    (name,) = rng.choices(names, weights=[CHORES[name][1] for name in names])
    make: Chore = CHORES[name][0]
    return name, make(rng, piece)


def tokenizer_texts(sources: Sources, *, seed: int, rows: int = 9000) -> list[str]:
    """Texts to train a tokenizer on: chores with their diffs, functions, English prose."""
    rng = Random(f"{seed}/tokenizer")
    texts: list[str] = []
    while len(texts) < rows:
        _, turn = chore(rng, sources.piece(rng))
        if turn is not None:
            texts.append("\n".join(turn))
    texts += rng.sample(sources.library.functions, min(1500, len(sources.library.functions)))
    texts += rng.sample(sources.library.prose, min(2500, len(sources.library.prose)))
    return [text for text in texts if sources.cleanroom.admits_text(text)]
