"""Whether the tests notice when the code is broken: a random sample of mutants, one test run each.

mutmut's operators make the mutants. Its runner is not used: it puts every mutant of a file behind
a switch that is read from the environment at each call, and the sandbox's child, a bare interpreter
without packages or environment, would neither find the switch nor survive it. So each mutant is
written into a copy of the tree, one at a time, and what its room's tests say is its fate.

    python scripts/mutants.py [--count 100] [--seed 1] [--floor 0.75] [--rooms stats store]
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import libcst
from mutmut.mutation.file_mutation import Mutation, create_mutations

ROOT = Path(__file__).parent.parent
SOURCE = Path("src/outdo")

TESTS = {
    "stats": ("tests/stats",),
    "scorers": ("tests/scorers", "tests/tasks"),
    "store": ("tests/test_store.py", "tests/store"),
    "sandbox": ("tests/sandbox",),
}
"""A room, and the tests that answer for it; paths that don't exist are passed over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One file of one room with one place changed."""

    room: str
    path: Path
    code: str

    def diff(self, root: Path = ROOT) -> str:
        """What was changed, as a unified diff with one line of context."""
        before = (root / self.path).read_text("utf-8").splitlines()
        lines = difflib.unified_diff(before, self.code.splitlines(), lineterm="", n=1)
        return "\n".join([str(self.path), *list(lines)[2:]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of a mutant: killed, survived, or timeout, which counts as killed."""

    mutant: Mutant
    word: str
    seconds: float


def files_of(room: str) -> list[Path]:
    """The room's modules, relative to the root, in a fixed order."""
    folder = ROOT / SOURCE / room
    found = folder.rglob("*.py") if folder.is_dir() else [folder.with_suffix(".py")]
    return sorted(path.relative_to(ROOT) for path in found)


def sample(rooms: Sequence[str], *, count: int, seed: int) -> tuple[list[Mutant], int]:
    """`count` mutants drawn evenly from all of these rooms' mutants, and how many there are.

    Only those that are drawn are written out: to replace a node copies a whole file.
    """
    every = []
    for room in rooms:
        for path in files_of(room):
            module, mutations, *_ = create_mutations(str(path), (ROOT / path).read_text("utf-8"))
            every += [(room, path, module, mutation) for mutation in mutations]
    drawn = random.Random(seed).sample(every, min(count, len(every)))
    return [written(*one) for one in drawn], len(every)


def written(room: str, path: Path, module: libcst.Module, mutation: Mutation) -> Mutant:
    """The mutant as a whole file."""
    changed = module.deep_replace(mutation.original_node, mutation.mutated_node)
    return Mutant(room=room, path=path, code=libcst.ensure_type(changed, libcst.Module).code)


def copy_tree(to: Path) -> Path:
    """A copy of all that the tests read, with the real data beside it where there is any."""
    tree = to / "tree"
    skipped = shutil.ignore_patterns(
        ".*", "runs", "mutants", "benchmarks", "__pycache__", "*.egg-info", "build"
    )
    shutil.copytree(ROOT, tree, ignore=skipped, symlinks=True)
    shared = ROOT.parent / "shared"
    if shared.is_dir():
        (to / "shared").symlink_to(shared)
    return tree


def run_tests(tree: Path, room: str, *, limit: float | None) -> str:
    """`passed`, `failed` or `timeout`, for this room's tests in this tree."""
    paths = [path for path in TESTS[room] if (tree / path).exists()]
    if not paths:
        return "passed"
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *paths]
    environment = os.environ | {
        "PYTHONPATH": str(tree / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HYPOTHESIS_STORAGE_DIRECTORY": str(tree.parent / "hypothesis"),
        "TMPDIR": str(tree.parent),
    }
    # A session of its own, so that whatever a broken sandbox leaves behind ends with it.
    running = subprocess.Popen(
        command,
        cwd=tree,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return "passed" if running.wait(limit) == 0 else "failed"
    except subprocess.TimeoutExpired:
        return "timeout"
    finally:
        end_session(running)


def end_session(running: subprocess.Popen[bytes]) -> None:
    """None, once no process of this session's group is left."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
    running.wait()


class Trees:
    """Copies of the tree, each lent to one mutant at a time."""

    def __init__(self, folder: Path, *, count: int) -> None:
        self._free: SimpleQueue[Path] = SimpleQueue()
        for number in range(count):
            self._free.put(copy_tree(folder / str(number)))

    def try_out(self, mutant: Mutant, *, limit: float) -> Fate:
        """What the tests say of this mutant; its tree is as before afterwards."""
        tree = self._free.get()
        target = tree / mutant.path
        before = target.read_bytes()
        begun = time.monotonic()
        try:
            target.write_text(mutant.code, "utf-8")
            said = run_tests(tree, mutant.room, limit=limit)
        finally:
            target.write_bytes(before)
            self._free.put(tree)
        word = {"passed": "survived", "failed": "killed"}.get(said, said)
        return Fate(mutant=mutant, word=word, seconds=time.monotonic() - begun)

    def limits(self, rooms: Sequence[str]) -> dict[str, float]:
        """Seconds that a room's tests may take: five times what they take unbroken.

        Raises SystemExit if they fail unbroken, since then every mutant would seem killed.
        """
        tree = self._free.get()
        limits = {}
        for room in rooms:
            begun = time.monotonic()
            if run_tests(tree, room, limit=None) != "passed":
                raise SystemExit(f"{room}: the tests fail before anything is broken")
            seconds = time.monotonic() - begun
            limits[room] = 10 + 5 * seconds
            print(f"{room}: unbroken tests pass in {seconds:.0f} s", flush=True)
        self._free.put(tree)
        return limits


def carry_out(chosen: Sequence[Mutant], *, workers: int) -> list[Fate]:
    """Every mutant's fate, in the order of the sample, with a line of progress for each."""
    rooms = [room for room in TESTS if any(mutant.room == room for mutant in chosen)]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        trees = Trees(Path(folder), count=workers)
        limits = trees.limits(rooms)
        say = progress(len(chosen))
        with ThreadPoolExecutor(workers) as pool:
            futures = {
                pool.submit(trees.try_out, mutant, limit=limits[mutant.room]): number
                for number, mutant in enumerate(chosen)
            }
            fates = {}
            for future in as_completed(futures):
                fates[futures[future]] = future.result()
                say(future.result())
    return [fates[number] for number in range(len(chosen))]


def progress(total: int) -> Callable[[Fate], None]:
    """A function that prints one fate, how far we are, and how long the rest will take."""
    begun, done = time.monotonic(), 0

    def say(fate: Fate) -> None:
        nonlocal done
        done += 1
        left = (time.monotonic() - begun) / done * (total - done)
        print(
            f"{done:4}/{total}  {fate.word:8} {fate.seconds:5.1f} s  "
            f"{fate.mutant.path.relative_to(SOURCE)!s:28} {left / 60:4.1f} min left",
            flush=True,
        )

    return say


def tell(fates: Sequence[Fate], *, floor: float) -> int:
    """The exit code: 0 if enough were killed. Prints the survivors and a table by room."""
    for fate in fates:
        if fate.word == "survived":
            print(f"\nsurvived: {fate.mutant.diff()}")
    print(f"\n{'room':10}{'killed':>8}{'timeout':>9}{'survived':>10}{'share':>8}")
    for room in [*TESTS, "all"]:
        words = Counter(fate.word for fate in fates if room in (fate.mutant.room, "all"))
        if total := words.total():
            share = 1 - words["survived"] / total
            cells = f"{words['killed']:8}{words['timeout']:9}{words['survived']:10}{share:8.0%}"
            print(f"{room:10}{cells}")
    killed = sum(fate.word != "survived" for fate in fates)
    print(f"\n{killed} of {len(fates)} mutants killed; the floor is {floor:.0%}")
    return 0 if killed >= floor * len(fates) else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=100, help="mutants in the sample")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--floor", type=float, default=0.75, help="share that must be killed")
    parser.add_argument("--workers", type=int, default=2, help="test runs at a time")
    parser.add_argument("--rooms", nargs="+", choices=TESTS, default=list(TESTS), metavar="ROOM")
    return parser.parse_args()


def main() -> int:
    asked = arguments()
    chosen, every = sample(asked.rooms, count=asked.count, seed=asked.seed)
    print(f"{len(chosen)} of {every} mutants of {', '.join(asked.rooms)}", flush=True)
    return tell(carry_out(chosen, workers=asked.workers), floor=asked.floor)


if __name__ == "__main__":
    sys.exit(main())
