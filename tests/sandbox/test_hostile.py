"""Hostile programs: none passes, none harms, none spoils the next one's run.

Each runs in both tiers, followed by an honest program on the same worker.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from outdo.records import Call, Limits, Outcome, Program
from outdo.sandbox import Sandbox, literal

HONEST = Program(
    files={"main.py": "def double(n):\n    return 2 * n\n"}, calls=(Call(code="double(21)"),)
)
QUICK = Limits(seconds=1.0, cpu_seconds=0.7)


def attack(sandbox: Sandbox, main: str, *calls: str, limits: Limits = QUICK) -> Outcome:
    """What the hostile program did; an honest one must run as ever right after it."""
    program = Program(
        files={"main.py": textwrap.dedent(main)},
        calls=tuple(Call(code=code) for code in calls or ("f()",)),
        limits=limits,
    )
    outcome = sandbox.run_one(program)
    assert len(outcome.outputs) == len(program.calls)
    assert_honest(sandbox)
    return outcome


def assert_honest(sandbox: Sandbox) -> None:
    after = sandbox.run_one(HONEST)
    assert (after.outputs[0].text, after.cut) == ("42", None)


def value(outcome: Outcome) -> object:
    assert outcome.outputs[0].text is not None, outcome
    return literal.read(outcome.outputs[0].text)


TRY = """
    def tried(*actions):
        succeeded = []
        for number, action in enumerate(actions):
            try:
                action()
            except OSError:
                continue
            succeeded.append(number)
        return succeeded
"""


def trying(*actions: str) -> str:
    """A program whose f() lists the numbers of the actions that the kernel did not refuse."""
    listed = ", ".join(f"lambda: {action}" for action in actions)
    return f"import os, socket\n{textwrap.dedent(TRY)}\ndef f():\n    return tried({listed})\n"


# ------------------------------------------------------------------ forging a verdict


def test_leaving_early_is_no_answer(sandbox: Sandbox) -> None:
    outcome = attack(sandbox, "import os\ndef f():\n    os._exit(0)\n", "1 + 1", "f()", "2 + 2")
    assert outcome.outputs[0].text == "2"
    assert outcome.cut == "crash"
    errors = [output.error for output in outcome.outputs[1:]]
    assert errors == ["the program ended without an answer"] * 2


def test_leaving_early_when_imported(sandbox: Sandbox) -> None:
    outcome = attack(sandbox, "import os\nos._exit(0)\n")
    assert (outcome.outputs[0].text, outcome.cut) == (None, "crash")


def test_an_object_that_equals_everything_is_no_literal(sandbox: Sandbox) -> None:
    main = """
        class Any:
            def __eq__(self, other): return True
            def __hash__(self): return 0
            def __repr__(self): return "42"
        class AnyInt(int):
            __eq__ = Any.__eq__
            __hash__ = Any.__hash__
            __repr__ = Any.__repr__
        class AnyList(list):
            __eq__ = Any.__eq__
            def __iter__(self): return iter([42])
    """
    outcome = attack(sandbox, main, "Any()", "[Any()]", "AnyInt(7)", "AnyList([7])", "type(7)")
    assert [output.error for output in outcome.outputs] == [
        "LiteralError: not a literal: Any",
        "LiteralError: not a literal: Any",
        None,
        None,
        "LiteralError: not a literal: type",
    ]
    assert [output.text for output in outcome.outputs[2:4]] == ["7", "[7]"]


def test_an_object_that_equals_everything_fails_a_check(sandbox: Sandbox) -> None:
    main = (
        "class Any:\n    def __eq__(self, other): return True\n"
        "    def __ne__(self, other): return False\n"
        "def f(x): return Any()\n"
    )
    program = Program(
        files={"main.py": main},
        entry="f",
        check="def check(candidate):\n    assert candidate(1) == 2",
    )
    outcome = sandbox.run_one(program)
    assert outcome.outputs[0].text is None
    assert "not a literal: Any" in str(outcome.outputs[0].error)


def test_no_frame_object_or_descriptor_holds_the_checker(sandbox: Sandbox) -> None:
    main = """
        import gc, os, sys
        CONTROL = "MARK_OF_MAIN"
        def f(reversed_mark):
            seen = []
            frame = sys._getframe()
            while frame:
                seen.append(repr(frame.f_locals) + repr(frame.f_globals))
                frame = frame.f_back
            seen += [repr(it) for it in gc.get_objects() if isinstance(it, (list, dict, tuple))]
            for place in range(64):
                try:
                    seen.append(os.pread(place, 1 << 16, 0).decode("utf-8", "replace"))
                except OSError:
                    pass
            return any(reversed_mark in text[::-1] for text in seen)
    """
    check = """
        SECRET = "MARK_OF_CHECK"
        def check(candidate):
            assert candidate("NIAM_FO_KRAM") is True, "the search finds nothing at all"
            assert candidate("KCEHC_FO_KRAM") is False, "it has seen the checker"
    """
    outcome = sandbox.run_one(
        Program(files={"main.py": textwrap.dedent(main)}, entry="f", check=textwrap.dedent(check))
    )
    assert outcome.outputs[0].text == "passed", outcome


def test_frames_forged_on_every_descriptor_pass_no_check(sandbox: Sandbox) -> None:
    main = """
        import os, struct
        def f(x):
            for kind, text in ((b"t", b"passed"), (b"t", b"3"), (b"d", b"")):
                for place in range(64):
                    try:
                        os.write(place, struct.pack("<cI", kind, len(text)) + text)
                    except OSError:
                        pass
            return 2
    """
    program = Program(
        files={"main.py": textwrap.dedent(main)},
        entry="f",
        check="def check(candidate):\n    assert candidate(1) == 3\n    assert candidate(2) == 4\n",
    )
    outcome = sandbox.run_one(program)
    assert outcome.outputs[0].text is None
    assert_honest(sandbox)


def test_garbage_on_the_tape_is_a_crash_and_no_answer(sandbox: Sandbox) -> None:
    main = """
        import os
        def f():
            for place in range(3, 64):
                try:
                    os.write(place, b"\\xff" * 100)
                except OSError:
                    pass
            return 42
    """
    outcome = attack(sandbox, main)
    assert (outcome.outputs[0].text, outcome.cut) == (None, "crash")


def test_patching_the_interpreter_changes_nothing_outside(sandbox: Sandbox) -> None:
    main = """
        import builtins, io, json, sys
        def f():
            json.dumps = json.loads = lambda *a, **k: "42"
            builtins.repr = builtins.len = builtins.isinstance = lambda *a: True
            builtins.print = lambda *a, **k: None
            sys.stdout = sys.stderr = sys.stdin = None
            return 41
    """
    outcome = attack(sandbox, main)
    assert outcome.outputs[0].text != "42"


def test_a_check_survives_a_candidate_that_dies(sandbox: Sandbox) -> None:
    for ending, cut in (("os._exit(0)", "crash"), ("os.abort()", "crash"), ("g()", "time")):
        main = f"import os\ndef g():\n    while True: pass\ndef f(x):\n    {ending}\n"
        check = "def check(candidate):\n    assert candidate(1) == 2\n"
        outcome = sandbox.run_one(
            Program(files={"main.py": main}, entry="f", check=check, limits=QUICK)
        )
        assert outcome.outputs[0].text is None
        assert outcome.cut == cut
        assert_honest(sandbox)


# ------------------------------------------------------------------ using up the machine


def test_fork_bombs_do_not_go_off(sandbox: Sandbox) -> None:
    main = """
        import os, subprocess, multiprocessing
        def f():
            refused = 0
            for _ in range(100):
                try:
                    os.fork()
                except PermissionError:
                    refused += 1
            try:
                subprocess.run(["true"])
            except PermissionError:
                refused += 1
            try:
                os.posix_spawn("/bin/true", ["true"], {})
            except PermissionError:
                refused += 1
            return refused, os.system("true") == 0
    """
    assert value(attack(sandbox, main)) == (102, False)


def test_ten_gigabytes_of_memory_are_refused(sandbox: Sandbox) -> None:
    outcome = attack(sandbox, "def f():\n    return len(bytearray(10 * 2**30))\n")
    assert (outcome.outputs[0].error, outcome.cut) == ("MemoryError", "memory")


def test_memory_that_grows_is_stopped(sandbox: Sandbox) -> None:
    main = "def f():\n    held = []\n    while True:\n        held.append(bytes(10**7))\n"
    outcome = attack(sandbox, main, "f()", "1", limits=Limits(memory_bytes=128 * 2**20))
    assert outcome.cut == "memory"
    assert [output.text for output in outcome.outputs] == [None, None]
    assert outcome.outputs[1].error == "stopped: out of memory"


def test_ten_gigabytes_in_one_file_are_refused(sandbox: Sandbox) -> None:
    main = """
        def f():
            with open("big", "wb") as file:
                for _ in range(10_000):
                    file.write(bytes(2**20))
    """
    outcome = attack(sandbox, main)
    assert outcome.outputs[0].text is None
    assert "OSError" in str(outcome.outputs[0].error) or outcome.cut == "output"


def test_ten_gigabytes_in_many_files_are_stopped(sandbox: Sandbox) -> None:
    main = """
        import os
        def f():
            n = 0
            while True:
                n += 1
                with open(f"file{n}", "wb") as file:
                    file.write(bytes(2**19))
    """
    outcome = attack(sandbox, main, limits=Limits(seconds=5.0))
    assert outcome.outputs[0].text is None
    assert outcome.cut == "output" or "No space left" in str(outcome.outputs[0].error)


def test_folders_nested_beyond_any_path_are_removed(sandbox: Sandbox) -> None:
    main = """
        import os
        def f():
            depth = 0
            for _ in range(300):
                try:
                    os.mkdir("d", 0o000 if depth == 299 else 0o700)
                    os.chdir("d")
                    depth += 1
                except OSError:
                    break
            return depth > 100
    """
    attack(sandbox, main)
    left = Program(
        files={"main.py": "import os\ndef f():\n    return os.listdir()\n"},
        calls=(Call(code="f()"),),
    )
    assert sandbox.run_one(left).outputs[0].text == "[]"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_printing_for_ever_is_stopped(sandbox: Sandbox, stream: str) -> None:
    main = f"import sys\ndef f():\n    while True:\n        sys.{stream}.write('x' * 1000)\n"
    outcome = attack(sandbox, main, limits=Limits(seconds=5.0))
    assert outcome.cut == "output"
    assert outcome.outputs[0].text is None
    assert len(outcome.stderr) <= Limits().output_bytes


def test_looping_and_sleeping_for_ever_are_stopped(sandbox: Sandbox) -> None:
    looping = """
        def f():
            while True:
                try:
                    while True: pass
                except BaseException: pass
    """
    sleeping = "import time\ndef f():\n    time.sleep(1000)\n"
    for main in (looping, sleeping):
        outcome = attack(sandbox, main, limits=Limits(seconds=0.5, cpu_seconds=0.3))
        assert (outcome.cut, outcome.outputs[0].error) == ("time", "stopped: out of time")


def test_cpu_time_is_bounded_apart_from_wall_time(sandbox: Sandbox) -> None:
    main = "def f():\n    while True: pass\n"
    outcome = attack(sandbox, main, limits=Limits(seconds=60.0, cpu_seconds=0.2))
    assert outcome.cut == "time"
    assert outcome.usage.cpu_seconds < 5


def test_signals_and_alarms_do_not_lengthen_a_life(sandbox: Sandbox) -> None:
    main = """
        import resource, signal, time
        def f():
            for number in range(1, 65):
                try:
                    signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError):
                    pass
            try:
                resource.setrlimit(resource.RLIMIT_CPU, (1000, 1000))
            except (OSError, ValueError):
                pass
            while True:
                signal.alarm(1000)
    """
    assert attack(sandbox, main).cut == "time"


def test_threads_end_with_their_program(sandbox: Sandbox) -> None:
    main = """
        import threading, time
        def spin():
            while True: pass
        def f():
            for _ in range(3):
                threading.Thread(target=spin).start()
            return 42
    """
    assert attack(sandbox, main, limits=Limits(seconds=5.0)).outputs[0].text == "42"


# ------------------------------------------------------------------ reaching out


def test_files_outside_are_out_of_reach(sandbox: Sandbox, tmp_path: Path) -> None:
    secret = tmp_path / "expected.txt"
    secret.write_text("the answers")
    actions = [
        f"open({str(secret)!r}).read()",
        f"open({str(tmp_path / 'new')!r}, 'w')",
        f"open({str(secret)!r}, 'a')",
        f"os.remove({str(secret)!r})",
        f"os.rename({str(secret)!r}, 'here')",
        f"os.link({str(secret)!r}, 'here')",
        f"os.symlink({str(secret)!r}, 'here')",
        f"os.chmod({str(secret)!r}, 0o777)",
        f"os.truncate({str(secret)!r}, 0)",
        f"os.utime({str(secret)!r})",
        f"os.listdir({str(tmp_path)!r})",
        "os.listdir('/')",
        "open('/etc/passwd').read()",
        f"open('/proc/{os.getpid()}/environ').read()",
        f"open('/proc/{os.getpid()}/mem', 'rb').read(1)",
        "open('/proc/self/mem', 'rb').read(1)",
        f"open({__file__!r}).read()",
        f"open({str(Path(literal.__file__))!r}).read()",
        "open('/dev/mem', 'rb').read(1)",
        "os.mkfifo('pipe')",
        "os.mknod('device', 0o600)",
        "os.chown('.', 1, 1)",
    ]
    assert value(attack(sandbox, trying(*actions))) == []
    assert secret.read_text() == "the answers"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["expected.txt"]


def test_nothing_of_the_parent_is_inherited(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = """
        import os, sys
        def f():
            open_places = []
            for place in range(3, 64):
                try:
                    os.fstat(place)
                    open_places.append(place)
                except OSError:
                    pass
            return sorted(os.environ), len(open_places), "torch" in sys.modules
    """
    environment, places, torch = value(attack(sandbox, main))  # type: ignore[misc]
    assert environment == ["LC_ALL", "PYTHONHASHSEED"]
    assert places == 1  # the tape
    assert torch is False


def test_sockets_are_refused(sandbox: Sandbox) -> None:
    actions = [
        "socket.socket(socket.AF_INET, socket.SOCK_STREAM)",
        "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_UNIX)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
        "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
        "socket.create_connection(('127.0.0.1', 80), 1)",
        "socket.create_server(('127.0.0.1', 0))",
    ]
    assert value(attack(sandbox, trying(*actions))) == []


def test_nobody_connects_to_a_listener_of_the_parent(sandbox: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        assert (
            value(attack(sandbox, trying(f"socket.create_connection(('127.0.0.1', {port}))"))) == []
        )
        with pytest.raises(BlockingIOError):
            server.accept()


KILLS = {
    "the parent": "os.kill(PARENT, signal.SIGKILL)",
    "the zygote": "os.kill(os.getppid(), signal.SIGKILL)",
    "its group": "os.killpg(0, signal.SIGKILL)",
    "every process": "os.kill(-1, signal.SIGKILL)",
    "by thread": "syscall(200, PARENT, 9)",
    "by queue": "syscall(129, PARENT, 9, None)",
    "by limits": "resource.prlimit(PARENT, resource.RLIMIT_CPU, (0, 0))",
}


@pytest.mark.parametrize("way", KILLS)
def test_killing_others_kills_the_program(sandbox: Sandbox, way: str) -> None:
    main = f"""
        import ctypes, os, resource, signal
        syscall = ctypes.CDLL(None).syscall
        PARENT = {os.getpid()}
        def f():
            {KILLS[way]}
            return 42
    """
    outcome = attack(sandbox, main)
    assert (outcome.outputs[0].text, outcome.cut) == (None, "policy")
    assert outcome.outputs[0].error == "stopped: tried what the sandbox forbids"


def test_asynchronous_input_signals_nobody(sandbox: Sandbox) -> None:
    actions = [f"__import__('fcntl').fcntl(1, {command}, {os.getpid()})" for command in (8, 10, 15)]
    assert value(attack(sandbox, trying(*actions))) == []


SYSTEM_CALLS = {
    "ptrace": (101, "policy"),
    "process_vm_readv": (310, "policy"),
    "unshare": (272, "policy"),
    "mount": (165, "policy"),
    "io_uring_setup": (425, "policy"),
    "bpf": (321, "policy"),
    "pidfd_getfd": (438, "policy"),
    "keyctl": (250, "policy"),
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, None),
    "socket": (41, None),
    "connect": (42, None),
    "memfd_create": (319, None),
    "setuid": (105, None),
    "seccomp": (317, None),
    "shmget": (29, None),
    "a number that is none": (9999, None),
}


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers are those of x86_64")
@pytest.mark.parametrize("name", SYSTEM_CALLS)
def test_system_calls_by_number(sandbox: Sandbox, name: str) -> None:
    number, cut = SYSTEM_CALLS[name]
    main = f"""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        def f():
            return libc.syscall({number}, 0, 0, 0, 0, 0), ctypes.get_errno()
    """
    outcome = attack(sandbox, main)
    assert outcome.cut == cut
    if cut is None:
        assert value(outcome) == (-1, 1)


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="i386 and x32 are x86's own")
def test_other_calling_conventions_are_fatal(sandbox: Sandbox) -> None:
    main = f"""
        import ctypes
        def f():
            return ctypes.CDLL(None).syscall({0x40000000 + 39})
    """
    assert attack(sandbox, main).cut == "policy"


def test_clone_with_namespaces_is_refused(sandbox: Sandbox) -> None:
    main = """
        import ctypes, os
        def f():
            libc = ctypes.CDLL(None, use_errno=True)
            return libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0), ctypes.get_errno()
    """
    if os.uname().machine == "x86_64":
        assert value(attack(sandbox, main)) == (-1, 1)


def test_nothing_outlives_its_program(sandbox: Sandbox) -> None:
    main = """
        import os, subprocess, sys
        def f():
            ways = [
                lambda: os.fork(),
                lambda: os.forkpty(),
                lambda: subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]),
            ]
            born = 0
            for way in ways:
                try:
                    way()
                    born += 1
                except OSError:
                    pass
            return born
    """
    assert value(attack(sandbox, main)) == 0
    zygotes = psutil.Process().children(recursive=True)
    assert not [process for process in zygotes if "sleep(60)" in " ".join(process.cmdline())]


def test_what_one_program_leaves_the_next_does_not_find(sandbox: Sandbox) -> None:
    attack(
        sandbox,
        """
        import builtins, os, random, sys
        def f():
            open("left", "w").write("behind")
            os.mkdir("folder")
            builtins.left = sys.modules["left"] = 1
            random.seed(5)
            os.environ["LEFT"] = "1"
            return 1
        """,
    )
    main = """
        import builtins, os, random, sys
        def f():
            return (os.listdir(), hasattr(builtins, "left"), "left" in sys.modules,
                    "LEFT" in os.environ, random.random())
    """
    first = value(attack(sandbox, main))
    assert first[:4] == ([], False, False, False)  # type: ignore[index]
    assert value(attack(sandbox, main)) == first  # draws, too, are the same for everybody


# ------------------------------------------------------------------ odd sources and values


def test_sources_that_do_not_compile_are_errors(sandbox: Sandbox) -> None:
    null = attack(sandbox, "x = 1\0\n")
    assert str(null.outputs[0].error) == "SyntaxError: source code string cannot contain null bytes"
    broken = attack(sandbox, "def f(:\n")
    assert str(broken.outputs[0].error).startswith("SyntaxError: ")
    nested = attack(sandbox, "x = " + "(" * 5_000 + ")" * 5_000 + "\n")
    assert nested.outputs[0].text is None


def test_ten_megabytes_of_text_run_or_end_within_the_limits(sandbox: Sandbox) -> None:
    text = "# " + "x" * (10 * 2**20) + "\ndef f():\n    return 42\n"
    outcome = attack(sandbox, text, limits=Limits())
    assert outcome.outputs[0].text == "42"
    heavy = attack(sandbox, "x = [\n" + "1,\n" * 1_500_000 + "]\n" + "while True: pass\n")
    assert heavy.outputs[0].text is None
    assert heavy.cut in ("time", "memory")


@pytest.mark.parametrize(
    "ending",
    [
        "sys.exit(0)",
        "raise KeyboardInterrupt",
        "raise SystemExit(3)",
        "raise GeneratorExit",
        "raise BaseException('x')",
    ],
)
def test_leaving_by_exception_is_an_error(sandbox: Sandbox, ending: str) -> None:
    outcome = attack(sandbox, f"import sys\ndef f():\n    {ending}\n", "f()", "40 + 2")
    assert outcome.outputs[0].text is None
    assert outcome.outputs[1].text == "42"


def test_recursion_without_end(sandbox: Sandbox) -> None:
    gentle = attack(sandbox, "def f():\n    return f()\n")
    assert str(gentle.outputs[0].error).startswith("RecursionError: maximum recursion depth")
    rude = "import sys\nsys.setrecursionlimit(10**9)\ndef f(n=0):\n    return max([n], key=f)\n"
    outcome = attack(sandbox, rude)
    assert outcome.outputs[0].text is None
    assert outcome.cut in ("crash", "memory", "time")


def test_values_that_are_hard_to_write(sandbox: Sandbox) -> None:
    main = """
        def nest(n):
            value = []
            for _ in range(n):
                value = [value]
            return value
        def loop():
            value = []
            value.append(value)
            return value
    """
    calls = (
        "nest(1000)",
        "loop()",
        "10 ** 5000 == 10 ** 5000",
        "10 ** 5000",
        "'\\ud800\\0'",
        "[0] * 10**6",
        "float('nan')",
        "[float('inf'), -float('inf')]",
    )
    outputs = attack(sandbox, main, *calls, limits=Limits()).outputs
    deep = "LiteralError: not a literal: nested deeper than 100"
    assert [output.error for output in outputs[:2]] == [deep, deep]
    assert literal.read(str(outputs[3].text)) == 10**5000
    assert literal.read(str(outputs[4].text)) == "\ud800\0"
    assert outputs[5].error == "LiteralError: not a literal: longer than 262144 characters"
    assert outputs[6].text == "nan"
    assert literal.read(str(outputs[7].text)) == [float("inf"), -float("inf")]


def test_exceptions_that_fight_back(sandbox: Sandbox) -> None:
    main = """
        class Rude(Exception):
            def __str__(self):
                raise ValueError("no")
        class Long(Exception):
            pass
        def f(kind, *arguments):
            raise kind(*arguments)
    """
    outputs = attack(sandbox, main, "f(Rude)", "f(Long, 'x' * 10**5)").outputs
    assert outputs[0].error == "Rude"
    assert len(str(outputs[1].error)) == 1000


# ------------------------------------------------------------------ the parent's end


PARENT = """
import signal
import sys
from outdo.records import Call, Limits, Program
from outdo.sandbox import Sandbox
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
program = Program(files={"main.py": "import time\\ndef f():\\n    time.sleep(60)\\n"},
                  calls=(Call(code="f()"),), limits=Limits(seconds=60.0))
with Sandbox(sys.argv[1], workers=2) as sandbox:
    list(sandbox.run([program, program]))
"""


def family(parent: psutil.Process, wanted: int) -> list[psutil.Process]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = parent.children(recursive=True)
        if len(found) >= wanted:
            return found
        time.sleep(0.05)
    raise AssertionError(f"only {len(found)} processes of {wanted}")


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_all_processes_end_with_the_parent(sandbox: Sandbox, end: signal.Signals) -> None:
    if (sandbox.tier, end) == ("namespaces", signal.SIGINT):
        pytest.skip("the tiers differ in how the kernel ends them, not in how Python does")
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, sandbox.tier],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    wanted = 4 if sandbox.tier == "linux" else 6
    processes = family(psutil.Process(parent.pid), wanted)
    parent.send_signal(end)
    parent.wait(30)
    _, alive = psutil.wait_procs(processes, timeout=30)
    assert alive == []
