"""What honest programs see of the sandbox, and what is told of them."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import signal
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from outdo.data.asserts import calls_of_check, self_contained
from outdo.errors import SandboxError
from outdo.records import Call, Limits, Outcome, Output, Program
from outdo.sandbox import Sandbox, literal, probe

ROOMY = Limits(seconds=60.0, cpu_seconds=30.0)


def program(main: str, *calls: Call, **more: object) -> Program:
    files = {"main.py": textwrap.dedent(main), **more.pop("files", {})}  # type: ignore[dict-item]
    return Program(files=files, calls=calls, limits=ROOMY, **more)  # type: ignore[arg-type]


def texts(outcome: Outcome) -> list[str | None]:
    assert outcome.cut is None, outcome
    return [output.text for output in outcome.outputs]


# ------------------------------------------------------------------ the four ways to call


def test_values_come_back_as_literals(sandbox: Sandbox) -> None:
    main = "def f(x):\n    print('not this')\n    return {x: [x]}\n"
    outcome = sandbox.run_one(program(main, Call(code="f(1)"), Call(code="f(None)")))
    assert outcome.outputs == (Output(text="{1: [1]}"), Output(text="{None: [None]}"))
    assert outcome.tier == sandbox.tier
    assert outcome.usage.cpu_seconds > 0
    assert outcome.usage.seconds > 0
    assert outcome.usage.peak_bytes > 2**20


def test_exceptions_come_back_by_name_and_message(sandbox: Sandbox) -> None:
    main = "def f(x):\n    return 1 // x\n"
    calls = (
        Call(code="f(0)"),
        Call(code="f(1)"),
        Call(code="g"),
        Call(code="f("),
        Call(code="x = 1"),
    )
    outcome = sandbox.run_one(program(main, *calls))
    assert outcome.cut is None
    assert [output.error and output.error.split(" (")[0] for output in outcome.outputs] == [
        "ZeroDivisionError: integer division or modulo by zero",
        None,
        "NameError: name 'g' is not defined",
        "SyntaxError: '(' was never closed",
        "SyntaxError: invalid syntax",
    ]


def test_each_call_has_a_namespace_of_its_own(sandbox: Sandbox) -> None:
    main = "seen = []\ndef f(x):\n    seen.append(x)\n    return seen\n"
    assert texts(sandbox.run_one(program(main, Call(code="f(1)"), Call(code="f(2)")))) == [
        "[1]",
        "[2]",
    ]


def test_printed_is_what_is_printed_and_then_the_value(sandbox: Sandbox) -> None:
    main = "print('while imported')\ndef f(x):\n    print('in f')\n    return [x]\n"
    calls = [
        Call(code=code, how="printed") for code in ("f(1)", "print(f(2))", "y = f(3)\nprint(y)")
    ]
    assert texts(sandbox.run_one(program(main, *calls))) == [
        "in f\n[1]\n",
        "in f\n[2]\nNone\n",
        "in f\n[3]\n",
    ]


def test_what_a_failing_call_printed_is_not_the_next_ones(sandbox: Sandbox) -> None:
    main = "def f():\n    print('half', end='')\n    raise ValueError\n"
    calls = (Call(code="f()", how="printed"), Call(code="1", how="printed"), Call(code="f()"),
             Call(code="2", how="printed"))  # fmt: skip
    outcome = sandbox.run_one(program(main, *calls))
    assert [output.text for output in outcome.outputs] == [None, "1\n", None, "2\n"]


def test_a_session_displays_as_the_interpreter_does(sandbox: Sandbox) -> None:
    code = "x = f(2)\nx\nNone\nprint('a')\nfor i in range(2):\n    i\n\n1 / 0\nx + 1\n_"
    outcome = sandbox.run_one(program("def f(n): return n * 2", Call(code=code, how="session")))
    assert texts(outcome) == [
        "4\na\n0\n1\n"
        "Traceback (most recent call last):\nZeroDivisionError: division by zero\n"
        "5\n5\n"
    ]


def test_a_script_reads_and_prints(sandbox: Sandbox) -> None:
    main = """
        import sys
        if __name__ == "__main__":
            n = int(input("n? "))
            print(n, sys.stdin.readline().strip(), sys.stdin.read())
            sys.exit(0)
    """
    calls = (
        Call(how="script", stdin="3\nfoo\nbär\n"),
        Call(how="script", stdin="4\n"),
        Call(how="script"),
    )
    outcome = sandbox.run_one(program(main, *calls))
    assert [output.text for output in outcome.outputs] == ["n? 3 foo bär\n\n", "n? 4  \n", None]
    assert outcome.outputs[2].error == "EOFError: EOF when reading a line"


def test_a_script_may_use_the_bare_descriptors(sandbox: Sandbox) -> None:
    main = "import os\nos.write(1, os.read(0, os.fstat(0).st_size).upper())\n"
    assert texts(sandbox.run_one(program(main, Call(how="script", stdin="abc")))) == ["ABC"]


def test_a_script_that_leaves_with_an_error_has_none(sandbox: Sandbox) -> None:
    outcome = sandbox.run_one(program("import sys\nsys.exit('bad')", Call(how="script")))
    assert outcome.outputs == (Output(error="SystemExit: bad"),)


def test_standard_error_is_kept_apart(sandbox: Sandbox) -> None:
    main = "import sys\ndef f():\n    print('oh', file=sys.stderr)\n    return 1\n"
    outcome = sandbox.run_one(program(main, Call(code="f()", how="printed")))
    assert (outcome.outputs[0].text, outcome.stderr) == ("1\n", "oh\n")


def test_a_program_without_calls_has_no_outputs(sandbox: Sandbox) -> None:
    outcome = sandbox.run_one(program("1 / 0"))
    assert (outcome.outputs, outcome.cut) == ((), None)


# ------------------------------------------------------------------ files and modules


def test_a_program_may_have_several_files(sandbox: Sandbox) -> None:
    main = """
        from pack.part import double
        import data_of
        def f():
            return double(data_of.X), open("in.txt").read()
    """
    files = {"pack/__init__.py": "", "pack/part.py": "def double(x): return 2 * x\n",
             "data_of.py": "X = 21\n", "in.txt": "tëxt\r\n"}  # fmt: skip
    outcome = sandbox.run_one(program(main, Call(code="f()"), files=files))
    assert texts(outcome) == ["(42, 'tëxt\\n')"]


def test_files_may_be_written_in_the_scratch_folder(sandbox: Sandbox) -> None:
    main = """
        import os, tempfile
        def f():
            with open("out.txt", "w") as file:
                file.write("kept")
            os.mkdir("folder")
            os.rename("out.txt", "folder/out.txt")
            with tempfile.TemporaryFile() as file:
                file.write(b"x")
            return os.listdir("folder"), open("folder/out.txt").read()
    """
    assert texts(sandbox.run_one(program(main, Call(code="f()")))) == ["(['out.txt'], 'kept')"]


def test_a_file_outside_the_folder_is_refused_at_once(sandbox: Sandbox) -> None:
    for name in ("../up.py", "/etc/up.py", "a/../../up.py", ""):
        with pytest.raises(SandboxError, match="is no path inside the program's folder"):
            sandbox.run_one(program("", Call(code="1"), files={name: ""}))


def test_the_standard_library_works(sandbox: Sandbox) -> None:
    main = """
        import asyncio, collections, csv, dataclasses, datetime, decimal, hashlib, sqlite3
        import threading, time, zoneinfo, concurrent.futures as futures
        @dataclasses.dataclass(order=True)
        class Point:
            x: "int"
        async def work():
            await asyncio.sleep(0)
            return 1
        def f():
            with futures.ThreadPoolExecutor(2) as pool:
                squares = list(pool.map(lambda n: n * n, range(4)))
            rows = sqlite3.connect(":memory:").execute("select 1 + 1").fetchall()
            berlin = datetime.datetime(2024, 7, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))
            return (asyncio.run(work()), squares, rows, max(Point(1), Point(2)).x,
                    hashlib.sha256(b"").hexdigest()[:8], str(decimal.Decimal(1) / 8))
    """
    assert texts(sandbox.run_one(program(main, Call(code="f()")))) == [
        "(1, [0, 1, 4, 9], [(2,)], 2, 'e3b0c442', '0.125')"
    ]


def test_draws_and_hashes_are_the_same_on_every_run(sandbox: Sandbox) -> None:
    main = """
        import random
        def f():
            return random.random(), hash("text"), list({"a", "b", "c", "d"})
    """
    one = program(main, Call(code="f()"))
    with Sandbox(sandbox.tier, workers=1) as other:  # type: ignore[arg-type]
        assert texts(other.run_one(one)) == texts(sandbox.run_one(one))


# ------------------------------------------------------------------ checks and suites


def test_a_check_calls_the_program_through_a_proxy(sandbox: Sandbox) -> None:
    check = """
        import math
        def check(candidate):
            assert candidate(2, by=3) == 6
            assert double(2, by=2) is not None
            assert math.isclose(candidate(0.1, by=3), 0.3)
            try:
                candidate("a", by="b")
            except TypeError as error:
                assert "can't multiply" in str(error)
            else:
                assert False
    """
    made = program(
        "def double(x, by=2):\n    return x * by\n", check=textwrap.dedent(check), entry="double"
    )
    assert sandbox.run_one(made).outputs == (Output(text="passed"),)


def test_a_check_tells_why_it_failed(sandbox: Sandbox) -> None:
    cases = {
        "def check(candidate):\n    assert candidate(1) == 2, 'one'": "AssertionError: one",
        "x = 1": "NameError: the checker's code defines no function check",
        "def check(candidate):\n    candidate(object())": "LiteralError: not a literal: object",
        "def check(candidate):\n    candidate(0)": "CandidateError: Own: mine",
    }
    main = "class Own(Exception): pass\ndef f(x):\n    if x == 0: raise Own('mine')\n    return 3\n"
    for check, error in cases.items():
        outcome = sandbox.run_one(program(main, check=check, entry="f"))
        assert outcome.outputs == (Output(error=error),)
        assert outcome.cut is None


def test_a_check_of_a_program_that_cannot_be_imported(sandbox: Sandbox) -> None:
    check = "def check(candidate):\n    candidate(1)"
    outcome = sandbox.run_one(program("1 / 0", check=check, entry="f"))
    assert outcome.outputs == (Output(error="ZeroDivisionError: division by zero"),)
    outcome = sandbox.run_one(program("", check=check, entry="f"))
    assert outcome.outputs == (Output(error="NameError: name 'f' is not defined"),)


def test_the_program_works_on_copies_of_the_arguments(sandbox: Sandbox) -> None:
    check = """
        def check(candidate):
            x = [2, 1]
            assert candidate(x) == [1, 2]
            assert x == [2, 1]
    """
    outcome = sandbox.run_one(
        program("def f(x):\n    x.sort()\n    return x\n", check=textwrap.dedent(check), entry="f")
    )
    assert outcome.outputs == (Output(text="passed"),)


def test_a_suite_runs_in_one_process_with_the_program(sandbox: Sandbox) -> None:
    main = "class Stack(list):\n    def top(self):\n        return self[-1]\n"
    good = "from main import Stack\ndef test_top():\n    assert Stack([1, 2]).top() == 2\n"
    bad = (
        good
        + "def test_more():\n    assert Stack([1]).top() == 3\ndef test_yet():\n    Stack().top()\n"
    )

    def verdict(test: str) -> Output:
        made = program(main, files={"test_main.py": test}, suite=("test_main.py",))
        return sandbox.run_one(made).outputs[0]

    assert verdict(good) == Output(text="passed")
    assert verdict(bad) == Output(
        error="SuiteFailed: test_main.py::test_more: assert 1 == 3 (and 1 more)"
    )
    assert verdict("x = 1") == Output(error="SuiteFailed: no test passed (pytest ended with 5)")
    assert str(verdict("import nothing_like_it").error).startswith("SuiteFailed: test_main.py: ")


def test_a_suite_is_fenced_too(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    test = f"""
        import os, pytest, socket
        def test_fence():
            for act in (lambda: open({str(tmp_path / "secret")!r}), os.fork, socket.socket):
                with pytest.raises(OSError):
                    act()
    """
    made = program("", files={"test_it.py": textwrap.dedent(test)}, suite=("test_it.py",))
    assert sandbox.run_one(made).outputs == (Output(text="passed"),)


# ------------------------------------------------------------------ many programs


def numbered(n: int) -> Program:
    return program("", Call(code=str(n)))


def test_many_programs_come_back_with_their_places(linux: Sandbox) -> None:
    found = dict(linux.run(numbered(n) for n in range(40)))
    assert {index: texts(outcome) for index, outcome in found.items()} == {
        n: [str(n)] for n in range(40)
    }


def test_programs_are_drawn_as_they_are_needed(linux: Sandbox) -> None:
    drawn = []

    def endless() -> Iterator[Program]:
        for n in itertools.count():
            drawn.append(n)
            yield numbered(n)

    assert len(list(itertools.islice(linux.run(endless()), 10))) == 10
    assert len(drawn) <= 10 + linux.workers


def test_runs_may_be_interleaved_and_left(linux: Sandbox) -> None:
    first, second = linux.run(map(numbered, range(5))), linux.run(map(numbered, range(5)))
    places = [index for pair in zip(first, second, strict=True) for index, _ in pair]
    assert sorted(places) == sorted(2 * list(range(5)))
    left = linux.run(map(numbered, range(100)))
    next(left)
    left.close()  # type: ignore[attr-defined]
    assert texts(linux.run_one(numbered(7))) == ["7"]


def test_an_error_of_the_iterator_passes_through(linux: Sandbox) -> None:
    def failing() -> Iterator[Program]:
        yield numbered(1)
        raise OSError("the disk")

    with pytest.raises(OSError, match="the disk"):
        list(linux.run(failing()))
    assert texts(linux.run_one(numbered(7))) == ["7"]


def test_a_zygote_that_dies_is_replaced(linux: Sandbox) -> None:
    assert texts(linux.run_one(numbered(1))) == ["1"]
    for worker in linux._idle:
        for zygote in worker._zygotes.values():
            os.kill(zygote.process.pid, signal.SIGKILL)
            zygote.process.wait()
    assert texts(linux.run_one(numbered(2))) == ["2"]


def test_a_zygote_that_dies_twice_on_a_program_is_a_crash() -> None:
    with Sandbox("linux", workers=1) as sandbox:
        slow = program(
            "import time\ndef f():\n    time.sleep(60)\n", Call(code="f()"), Call(code="1")
        )
        from outdo.sandbox.run import Worker

        worker = Worker(sandbox.tier)
        worker.begin(3, slow)
        for _ in range(2):
            tries, zygote = worker.tries, worker.zygote("program")
            zygote.process.kill()  # which may have died of the first already
            zygote.process.wait()
            result = worker.hear()
            while result is None and worker.tries == tries:
                time.sleep(0.01)  # its child holds the socket until it has died too
                result = worker.hear()
        gone = Output(error="the sandbox's own process died")
        assert result == Outcome(outputs=(gone, gone), cut="crash", tier="linux")


def test_closing_leaves_no_process_and_no_folder() -> None:
    with Sandbox("linux", workers=1) as sandbox:
        sandbox.run_one(numbered(1))
        (zygote,) = sandbox._idle[0]._zygotes.values()
        assert zygote.folder.exists()
    assert zygote.process.returncode is not None
    assert not zygote.folder.exists()


# ------------------------------------------------------------------ tiers


def test_the_signature_says_what_must_be_equal() -> None:
    python = f"{os.sys.version_info.major}.{os.sys.version_info.minor}"  # type: ignore[attr-defined]
    with Sandbox("auto", workers=1) as sandbox:
        assert sandbox.signature == f"sandbox 1, linux, CPython {python}"
        assert sandbox.signature_for(numbered(1)) == sandbox.signature
        one_process = program("", suite=("test_main.py",))
        assert sandbox.signature_for(one_process) == f"{sandbox.signature}, one process"
    with Sandbox("none", workers=1) as sandbox:
        assert sandbox.signature == f"sandbox 1, none, CPython {python}"
        assert texts(sandbox.run_one(numbered(1))) == ["1"]


def test_the_probe_names_every_tier() -> None:
    assert list(probe()) == ["linux", "namespaces"]


def test_an_unknown_tier_is_refused_with_a_hint() -> None:
    with pytest.raises(SandboxError) as refusal:
        Sandbox("container")  # type: ignore[arg-type]
    assert refusal.value.problem == (
        "the sandbox tier 'container' can't be had here: "
        "there is no such tier (there are linux, namespaces)"
    )
    assert "tier 'none'" in refusal.value.hint


# ------------------------------------------------------------------ HumanEval


def test_humaneval_solutions_pass(linux: Sandbox, shared_data: Path) -> None:
    with gzip.open(shared_data / "humaneval" / "HumanEval.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines]
    programs, wanted = [], []
    for row in rows:
        pairs = calls_of_check(row["test"], entry=row["entry_point"])
        files = {"main.py": row["prompt"] + row["canonical_solution"]}
        if pairs:
            calls = tuple(Call(code=code) for code, _ in pairs)
            programs.append(Program(files=files, calls=calls, limits=ROOMY))
            wanted.append([literal.read(value) for _, value in pairs])
        else:
            check = self_contained(row["test"], prompt=row["prompt"], entry=row["entry_point"])
            programs.append(
                Program(files=files, check=check, entry=row["entry_point"], limits=ROOMY)
            )
            wanted.append(["passed"])
    assert sum(made.check is not None for made in programs) == 17
    failed = []
    for index, outcome in linux.run(programs):
        found = [output.text for output in outcome.outputs]
        got = found if programs[index].check else [literal.read(str(text)) for text in found]
        if got != wanted[index] or outcome.cut:
            failed.append((rows[index]["task_id"], outcome))
    assert failed == []
