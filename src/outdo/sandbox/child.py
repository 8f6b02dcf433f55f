"""The untrusted program's own process: runs what the job says and writes what came of it.

All this module writes is the program's claim about itself. No expected value ever comes here, and
nothing that is decided here is believed elsewhere, except by a checker's process about a check.
"""

from __future__ import annotations

import builtins
import io
import json
import os
import sys
import types
from collections.abc import Callable, Iterable
from typing import Any, Final, TextIO

from outdo.sandbox import literal, suite, tape

MESSAGE: Final = 1_000
"""Characters that are kept of an exception's message."""

_print: Final = print


class OutputLimit(BaseException):
    """The program printed more than its limit."""


def perform(job: dict[str, Any], *, tape_fd: int, channel: int | None) -> None:
    """Do the job and write its frames: one for each call, CUT with a reason, DONE at the end."""
    stage = Stage(job)
    for frame in _frames(stage, job, channel):
        tape.write_all(tape_fd, frame)
    tape.write_all(tape_fd, tape.pack(tape.DONE, ""))


def _frames(stage: Stage, job: dict[str, Any], channel: int | None) -> Iterable[bytes]:
    role = job["role"]
    if role == "calls":
        for code, how, stdin in job["calls"]:
            yield stage.frame(lambda: stage.play(code, how, stdin))  # noqa: B023 - run at once
            if stage.cut:
                yield tape.pack(tape.CUT, stage.cut)
                return
    elif role == "suite":
        yield stage.frame(lambda: suite.verdict(job["suite"]))
    elif role == "check":
        assert channel is not None
        yield stage.frame(lambda: stage.check(channel))
    else:
        assert channel is not None
        stage.answer(channel)
    if stage.cut:
        yield tape.pack(tape.CUT, stage.cut)


def described(error: BaseException) -> str:
    """The exception's name and message on one line, as an Output tells it."""
    name = type(error).__name__
    try:
        message = str(error)
    except BaseException:  # a program's own exception may raise when it is shown
        message = ""
    return f"{name}: {message}"[:MESSAGE] if message else name


class Stage:
    """Where one program is played: its compiled main file, its streams and its limits."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.source: str = job["main"]
        self.entry: str = job["entry"]
        self.limit: int = job["output_bytes"]
        self.printed = 0
        self.cut = ""
        self.compiled: types.CodeType | None = None
        self.streams: Streams | None = None

    def frame(self, play: Callable[[], str]) -> bytes:
        """The frame of what `play` returns, or of whatever it raises."""
        try:
            text = play()
            self.spend(len(text))
            return tape.pack(tape.TEXT, text)
        except OutputLimit:
            self.cut = "output"
            return tape.pack(tape.ERROR, f"more than {self.limit} bytes of output")
        except MemoryError as error:
            self.cut = "memory"
            return tape.pack(tape.ERROR, described(error))
        except BaseException as error:  # SystemExit and KeyboardInterrupt are the program's too
            if os.fstat(1).st_size > self.limit:  # the kernel's word for it: file too large
                self.cut = "output"
            return tape.pack(tape.ERROR, described(error))

    def spend(self, count: int) -> None:
        self.printed += count
        if self.printed > self.limit:
            raise OutputLimit

    # -------------------------------------------------------------- calls

    def play(self, code: str, how: str, stdin: str) -> str:
        """The text of one call, in a namespace in which the main file was executed afresh."""
        if how != "value" or self.streams != (sys.stdin, sys.stdout, sys.stderr):
            self.streams = streams(stdin)
        if how == "script":
            self.main("__main__", exits=True)
            return self.shown()
        space = self.main("main")
        if how == "value":
            value = eval(compile(code, "<call>", "eval", dont_inherit=True), space)
            text = literal.write(value, limit=self.limit)
            self.shown()
            return text
        self.shown()  # what the main file printed belongs to no call
        if how == "session":
            session(code, space)
        else:
            printed(code, space)
        return self.shown()

    def main(self, name: str, *, exits: bool = False) -> dict[str, Any]:
        """The namespace of a new module `name` in which the main file was executed."""
        if self.compiled is None:
            self.compiled = compile(self.source, "main.py", "exec", dont_inherit=True)
        module = types.ModuleType(name)
        space = module.__dict__
        space["__builtins__"] = builtins
        space["__file__"] = "main.py"
        sys.modules[name] = module
        try:
            exec(self.compiled, space)
        except SystemExit as leaving:
            if not exits or leaving.code not in (None, 0):
                raise
        return space

    def shown(self) -> str:
        """What was printed since the last time; the streams' limits are checked."""
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        count = os.fstat(1).st_size
        if not count:
            return ""
        self.spend(count)
        text = os.pread(1, count, 0).decode("utf-8", "replace")
        os.ftruncate(1, 0)
        os.lseek(1, 0, os.SEEK_SET)
        return text

    # -------------------------------------------------------------- checks

    def answer(self, channel: int) -> None:
        """Serve a checker: for each question on the channel, the entry's value as a literal."""
        streams("")
        problem = self.frame(lambda: str(self.main("main") and ""))
        failed = None if problem[:1] == tape.TEXT else problem
        while not self.cut:
            try:
                _, question = tape.receive(channel, limit=1 << 26)
            except EOFError:
                return
            reply = failed or self.frame(lambda: self.called(question))  # noqa: B023 - run at once
            tape.write_all(channel, reply)

    def called(self, question: str) -> str:
        asked: Any = literal.read(question)
        arguments, options = asked
        space = sys.modules["main"].__dict__
        if self.entry not in space:
            raise NameError(f"name {self.entry!r} is not defined")
        function = space[self.entry]
        value = function(*arguments, **options)
        text = literal.write(value, limit=self.limit)
        self.shown()
        self.printed = 0
        return text

    def check(self, channel: int) -> str:
        """ "passed" if the checker's code finds no fault in the proxy; else it raises."""
        streams("")
        module = types.ModuleType("check")
        sys.modules["check"] = module
        space = module.__dict__
        candidate = Proxy(channel, limit=self.limit)
        space[self.entry] = candidate
        exec(compile(self.source, "check.py", "exec", dont_inherit=True), space)
        if "check" not in space:
            raise NameError("the checker's code defines no function check")
        space["check"](candidate)
        return "passed"


class Proxy:
    """The candidate as the checker sees it: arguments and results travel as literals.

    The program works on copies: what it changes in its arguments, the checker doesn't see.
    """

    def __init__(self, channel: int, *, limit: int) -> None:
        self._channel = channel
        self._limit = limit

    def __call__(self, *arguments: object, **options: object) -> object:
        question = literal.write((arguments, options), limit=1 << 26)
        kind, text = tape.ask(
            self._channel, tape.pack(tape.ASK, question), limit=self._limit + 6 * MESSAGE
        )
        if kind == tape.TEXT:
            return literal.read(text)
        raise _raised(text)


class CandidateError(Exception):
    """The candidate raised an exception that isn't a built-in one."""


def _raised(text: str) -> Exception:
    """The candidate's exception: of the same built-in class, else a CandidateError."""
    name, _, message = text.partition(": ")
    kind = getattr(builtins, name, None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        try:
            return kind(message)
        except TypeError:  # UnicodeDecodeError and its like want more than a message
            pass
    return CandidateError(text)


# ------------------------------------------------------------------ ways to use a program


Streams = tuple[TextIO, TextIO, TextIO]


def streams(stdin: str) -> Streams:
    """Fresh standard streams for the program, over its own descriptors 0, 1 and 2."""
    sys.stdin = sys.__stdin__ = _stream(0, "r")  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = _stream(1, "w")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _stream(2, "w")  # type: ignore[misc]
    # Only now, for what the streams before held back was written when they were let go.
    for place in (0, 1):
        os.ftruncate(place, 0)
        os.lseek(place, 0, os.SEEK_SET)
    if stdin:
        os.pwrite(0, stdin.encode("utf-8", "backslashreplace"), 0)
    return sys.stdin, sys.stdout, sys.stderr


def _stream(place: int, mode: str) -> io.TextIOWrapper:
    raw = io.FileIO(place, mode, closefd=False)
    buffer = io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw)
    return io.TextIOWrapper(buffer, encoding="utf-8", errors="backslashreplace", newline="\n")


def printed(code: str, space: dict[str, Any]) -> None:
    """Print the value of an expression, or run statements."""
    try:
        expression = compile(code, "<call>", "eval", dont_inherit=True)
    except SyntaxError:
        exec(compile(code, "<call>", "exec", dont_inherit=True), space)
        return
    _print(eval(expression, space), file=sys.stdout)


def session(code: str, space: dict[str, Any]) -> None:
    """Run statements as an interactive session does: values are displayed, exceptions too.

    An exception is displayed as doctest compares it, without the stack, and the session goes on.
    """
    import ast
    import traceback

    for statement in ast.parse(code).body:
        piece = ast.Interactive([statement])
        try:
            exec(compile(piece, "<session>", "single", dont_inherit=True), space)
        except (MemoryError, SystemExit, OutputLimit):
            raise
        except BaseException as error:
            lines = "".join(traceback.format_exception_only(type(error), error))
            _print(f"Traceback (most recent call last):\n{lines}", end="", file=sys.stdout)


def rehearse() -> None:
    """Do in the zygote what every program does: what is warm there, no child has to copy."""
    sample = "from typing import List\ndef first(of: List[int]) -> int:\n    return of[0]\n"
    for _ in range(20):
        space: dict[str, Any] = {}
        exec(compile(sample, "main.py", "exec", dont_inherit=True), space)
        value = eval(compile("[first([1]), {'a': (1.5,)}]", "<call>", "eval"), space)
        literal.read(literal.write(value, limit=100))
        json.loads(json.dumps({"calls": [["first([1])", "value", ""]]}))
        _stream(1, "w").flush()
