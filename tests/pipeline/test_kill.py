"""A study that is killed again and again ends as one that never was, and nothing is made twice."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import outdo
from outdo.records import canonical

pytest.importorskip("torch", reason="training needs outdo[train]")

import tiny

PROBLEMS = ["balance-point", "running-total"]

STUDY = """
study: killed
task: repair
data:
  broken: {{source: inject, problems: problems, count: 120, test_per_problem: 8,
           test_per_held_out: 24}}
data_root: {root}
models: {{small: {root}/model}}
train:
  tuned: {{model: small, learning_rate: 2e-3, epochs: 3, rows_per_step: 4}}
answer:
  base: {{model: small, max_tokens: 24, temperature: 0.9, samples: 6}}
  tuned: {{model: tuned, max_tokens: 24, temperature: 0.9, samples: 6}}
compare:
  repair: {{answers: [tuned, base], floors: [unchanged, nearest, reference], against: [base]}}
"""


@dataclass
class Runner:
    """The process that forks: it is told a command, and says how that ended."""

    environment: dict[str, str]
    lines: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)

    def __enter__(self) -> Runner:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("forks.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
        )
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()
        assert self._said() == "ready", "".join(self.heard())
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(60)
        self.listener.join(60)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream
            stream.close()

    def _listen(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.lines.put(line)

    def _said(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def start(self, *arguments: str) -> int:
        """The process id of a command that has begun."""
        self.heard()
        assert self.process.stdin
        self.process.stdin.write(json.dumps(arguments) + "\n")
        self.process.stdin.flush()
        return int(self._said())

    def ended(self) -> int:
        """How the command ended."""
        return int(self._said())

    def heard(self) -> list[str]:
        """What was said since this was asked last."""
        found = []
        while not self.lines.empty():
            found.append(self.lines.get())
        return found


@dataclass(frozen=True)
class Kill:
    """One kill: during which kind of stage, and what was whole on disk just after it."""

    kind: str
    rows: dict[str, bytes]
    artifacts: dict[str, int]


def snapshot(runs: Path, kind: str) -> Kill:
    stages = runs / ".stages"
    rows = {
        path.parent.name: content[: content.rfind(b"\n") + 1]
        for path in stages.glob("*/rows.jsonl")
        for content in [path.read_bytes()]
    }
    artifacts = {
        path.parent.name: path.stat().st_mtime_ns
        for path in stages.glob("*/done.json")
        if not (path.parent / "rows.jsonl").exists() and path.parent.suffix != ".part"
    }
    return Kill(kind, rows, artifacts)


def progress(runs: Path) -> Counter[str]:
    """How many steps, answers and scores are on disk."""
    found: Counter[str] = Counter()
    for path in (runs / ".stages").glob("*/*.jsonl"):
        if path.name in ("rows.jsonl", "loss.jsonl"):
            with contextlib.suppress(FileNotFoundError):  # its folder was renamed meanwhile
                found[path.parent.name.partition("-")[0]] += path.read_bytes().count(b"\n")
    return found


def attempt(
    runner: Runner, study: Path, runs: Path, *, kind: str, more: int, delay: float
) -> Kill | None:
    """A run that is killed when it has made so much more of a kind, or much more of anything."""
    before = progress(runs)
    child = runner.start("run", str(study), "--log-dir", str(runs))
    ended: queue.SimpleQueue[int] = queue.SimpleQueue()
    waiter = threading.Thread(target=lambda: ended.put(runner.ended()))
    waiter.start()
    while ended.empty():
        grown = progress(runs) - before
        if grown[kind] >= more or grown.total() >= more + 40:
            time.sleep(delay)
            os.kill(child, signal.SIGKILL)
            break
        time.sleep(0.002)
    waiter.join()
    code, said = ended.get(), "".join(runner.heard())
    assert code in (0, -signal.SIGKILL), said
    begun = re.findall(r"^(train|generate|score|data|report) .*\.\.\.$", said, re.MULTILINE)
    return None if code == 0 else snapshot(runs, begun[-1])


def whole_run(runner: Runner, study: Path, runs: Path) -> None:
    """A run that nobody disturbs."""
    runner.start("run", str(study), "--log-dir", str(runs))
    code, said = runner.ended(), "".join(runner.heard())
    assert code == 0, said


def by_key(path: Path) -> dict[str, str]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert len({row["key"] for row in rows}) == len(rows)
    return {row["key"]: canonical(row) for row in rows}


def curve(path: Path) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in json.loads(line).items() if name != "seconds"}
        for line in path.read_text().splitlines()
    ]


def assert_alike(one: Path, other: Path) -> Counter[str]:
    """Row for row, weight for weight; how many stages of each kind there are."""
    names = sorted(path.name for path in (one / ".stages").iterdir())
    assert names == sorted(path.name for path in (other / ".stages").iterdir())
    for name in names:
        left, right = one / ".stages" / name, other / ".stages" / name
        assert (left / "done.json").is_file() == (right / "done.json").is_file()
        if (left / "rows.jsonl").is_file():
            assert by_key(left / "rows.jsonl") == by_key(right / "rows.jsonl")
            assert (left / "done.json").read_bytes() == (right / "done.json").read_bytes()
        elif name.startswith("train"):
            weights = "adapter_model.safetensors"
            assert (left / weights).read_bytes() == (right / weights).read_bytes()
            assert curve(left / "loss.jsonl") == curve(right / "loss.jsonl")
            assert not (left / "checkpoint").exists()
    return Counter(name.partition("-")[0] for name in names if not name.startswith("."))


def assert_nothing_made_twice(kills: Sequence[Kill], runs: Path) -> None:
    """What was whole when the process was killed stands byte for byte in the end."""
    stages = runs / ".stages"
    for kill in kills:
        for name, content in kill.rows.items():
            assert (stages / name / "rows.jsonl").read_bytes().startswith(content)
        for name, written in kill.artifacts.items():
            assert (stages / name / "done.json").stat().st_mtime_ns == written


def results(runs: Path) -> Any:
    """What was found, without what it took."""
    found = json.loads((runs / "killed" / "report" / "results.json").read_text())
    return found["tasks"]


@pytest.fixture
def runner() -> Iterator[Runner]:
    source = str(Path(outdo.__file__).parents[1])
    environment = {
        **os.environ,
        "PYTHONPATH": source,
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "OUTDO_CHECKPOINT_SECONDS": "0.05",
    }
    with Runner(environment) as running:
        yield running


def made_study(folder: Path) -> Path:
    problems = Path(outdo.__file__).parent / "embedded" / "problems"
    (folder / "problems").mkdir()
    for name in PROBLEMS:
        shutil.copy(problems / f"{name}.yaml", folder / "problems")
    tiny.save(folder / "model", max_position_embeddings=4096)
    study = folder / "study.yaml"
    study.write_text(STUDY.format(root=folder))
    return study


MORE = {"train": 4, "generate": 24, "score": 24}
"""At most so many steps, answers or scores are made between two kills."""


def killed_study(runner: Runner, study: Path, runs: Path, *, each: int) -> list[Kill]:
    """The kills of a study that is killed `each` times in training, answering and scoring."""
    chance = random.Random(20)
    kills: list[Kill] = []
    for kind in MORE:
        for _ in range(each):
            more, delay = chance.randint(1, MORE[kind]), chance.uniform(0, 0.01)
            kill = attempt(runner, study, runs, kind=kind, more=more, delay=delay)
            if kill is None:
                return kills
            kills.append(kill)
    whole_run(runner, study, runs)
    return kills


@pytest.mark.slow
def test_a_killed_study_ends_as_an_undisturbed_one(tmp_path: Path, runner: Runner) -> None:
    study = made_study(tmp_path)
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    whole_run(runner, study, undisturbed)
    kills = killed_study(runner, study, killed, each=8)
    during = Counter(kill.kind for kill in kills)
    print("killed during", during)
    stages = assert_alike(undisturbed, killed)
    assert stages == {"data": 1, "train": 1, "generate": 2, "score": 5}
    assert_nothing_made_twice(kills, killed)
    assert results(undisturbed) == results(killed)
    assert len(kills) >= 20
    assert min(during[kind] for kind in MORE) >= 4
