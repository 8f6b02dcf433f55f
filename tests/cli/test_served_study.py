"""Studies whose models are behind an API on loopback: what they cost, and where they stop."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import outdo
from outdo.cli.remote import Remote
from outdo.cli.studies import run_study
from outdo.data.problems import read_problem
from outdo.errors import EngineError, StudyError

PROBLEM = Path(outdo.__file__).parent / "embedded" / "problems" / "running-total.yaml"

STUDY = """\
study: served
task: repair
data:
  broken: {source: inject, problems: problems, count: 8, test_per_problem: 6}
models:
  good: {model: openai-api/here/good, size: 7, licence: MIT}
  bad: scripted/bad.jsonl
answer:
  good: {model: good, max_tokens: 100}
  bad: {model: bad}
compare:
  repair: {answers: [good, bad], against: [bad]}
"""


class _Server(ThreadingHTTPServer):
    """Answers every chat with the right program, and counts."""

    daemon_threads = True
    calls = 0
    seeds = True


class _Chat(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if "seed" in asked and not self.server.seeds:  # type: ignore[attr-defined]
            self.send(400, {"error": {"message": "seed is not supported", "param": "seed"}})
            return
        self.server.calls += 1  # type: ignore[attr-defined]
        said = f"```python\n{read_problem(PROBLEM).reference}\n```"
        self.send(
            200,
            {
                "id": "1",
                "object": "chat.completion",
                "created": 0,
                "model": "good",
                "choices": [
                    {
                        "index": 0,
                        "finish_reason": "stop",
                        "message": {"role": "assistant", "content": said},
                    }
                ],
                "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
            },
        )

    def send(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[_Server]:
    made = _Server(("127.0.0.1", 0), _Chat)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def study(tmp_path: Path, server: _Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("HERE_BASE_URL", f"http://127.0.0.1:{server.server_address[1]}/v1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "problems").mkdir()
    shutil.copy(PROBLEM, tmp_path / "problems")
    (tmp_path / "bad.jsonl").write_text(json.dumps({"match": "", "reply": "no"}) + "\n")
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "prices.yaml").write_text("prices:\n  openai-api/here/good: {in: 10, out: 100}\n")
    return tmp_path / "study.yaml"


def test_a_served_model_answers_and_its_cost_is_told(study: Path, server: _Server) -> None:
    remote = Remote(prices=Path("prices.yaml"), local_only=True)  # loopback is this machine
    assert run_study(study, log_dir=Path("runs"), expect="better", remote=remote) == 0
    assert server.calls == 6
    results = Path("runs/served/report/results.json").read_text()
    assert '"licence": "MIT"' in results
    lines = Path("runs/served/calls.jsonl").read_text().splitlines()
    assert sum(json.loads(line).get("cost", 0) for line in lines) == pytest.approx(6 * 0.02)
    run_study(study, log_dir=Path("runs"), remote=remote)
    assert server.calls == 6


def test_a_budget_stops_before_it_is_passed_and_goes_on_when_raised(
    study: Path, server: _Server
) -> None:
    prices = Path("prices.yaml")
    with pytest.raises(EngineError, match="raise --budget to go on") as told:
        run_study(study, log_dir=Path("runs"), remote=Remote(prices=prices, budget=0.07))
    assert "the budget of $0.07 leaves no room" in str(told.value)
    before = server.calls
    assert 0 < before < 6
    with pytest.raises(EngineError, match="leaves no room"):
        run_study(study, log_dir=Path("runs"), remote=Remote(prices=prices, budget=0.07))
    assert server.calls == before, "what earlier runs spent counts"
    assert run_study(study, log_dir=Path("runs"), remote=Remote(prices=prices, budget=9)) == 0
    assert server.calls == 6, "nothing that has arrived is paid for again"


def test_a_budget_without_a_price_is_refused(study: Path, server: _Server) -> None:
    remote = Remote(base_url="http://localhost.example:1/v1", budget=1.0)
    with pytest.raises(EngineError, match="no price is known"):
        run_study(study, log_dir=Path("runs"), remote=remote)
    assert server.calls == 0


def test_nothing_leaves_the_machine_where_nothing_may(study: Path, server: _Server) -> None:
    remote = Remote(base_url="http://models.example/v1", local_only=True)
    with pytest.raises(EngineError) as told:
        run_study(study, log_dir=Path("runs"), remote=remote)
    assert str(told.value) == (
        f"{study}:6: openai-api/here/good: its prompts would leave this machine "
        "(take a model that runs here, or leave --local-only out)"
    )
    assert server.calls == 0
    assert not Path("runs/served/stages").exists()


def test_a_served_model_is_not_trained(study: Path) -> None:
    with pytest.raises(StudyError, match="served by a provider"):
        run_study(study, log_dir=Path("runs"), overrides=["train={more: {model: good}}"])


def test_a_dry_run_tells_calls_tokens_and_cost_of_each_provider(
    study: Path, server: _Server, capsys: pytest.CaptureFixture[str]
) -> None:
    overrides = [
        "models.strong=openai/gpt-4o",
        "judges={strict: {model: strong, known: 10}}",
        "compare.repair.judges=[strict]",
        "compare.repair.judge_against=bad",
    ]
    remote = Remote(prices=Path("prices.yaml"))
    assert (
        run_study(study, log_dir=Path("runs"), overrides=overrides, dry_run=True, remote=remote)
        == 0
    )
    out = capsys.readouterr().out
    assert server.calls == 0
    stored = {stage.name.partition("-")[0] for stage in Path("runs/.stages").glob("[!.]*")}
    assert stored == {"data"}, "the run finds the data made, and nothing else"
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines()]
    told = {tuple(row[:3]): row[3:] for row in rows if len(row) == 7}
    calls, _, tokens_out, cost = told["openai", "openai-api/here/good", "good"]
    assert (calls, tokens_out) == ("6", "600")
    assert cost.startswith("$0.")
    assert told["openai", "openai/gpt-4o", "strict judges repair"][0] == "12"
    assert told["openai", "openai/gpt-4o", "strict, known task"][0] == "12"
    assert told["this machine", "scripted/bad.jsonl", "bad"][0] == "6"
    assert told["openai", "", "in all"][0] == "30"


def test_what_a_server_refuses_is_told_in_the_report(study: Path, server: _Server) -> None:
    server.seeds = False
    for _ in range(2):
        assert run_study(study, log_dir=Path("runs")) == 0
        report = Path("runs/served/report/report.md").read_text()
        assert report.count("takes no seed: the same request may be answered otherwise") == 1
    assert server.calls == 6, "the second report is made of what is stored"


def test_a_dry_run_counts_the_calls_of_a_rubric(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rubric = "{model: strong, way: rubric, known: 10, attributes: {right: Is it so}}"
    overrides = [
        "models.strong=openai/gpt-4o",
        f"judges={{check: {rubric}}}",
        "compare.repair.judges=[check]",
    ]
    assert run_study(study, log_dir=Path("runs"), overrides=overrides, dry_run=True) == 0
    rows = [line.split("│")[1:-1] for line in capsys.readouterr().out.splitlines()]
    told = {row[2].strip(): row[3].strip() for row in rows if len(row) == 7}
    assert told["check judges repair"] == "12", "both contestants' replies to six examples"
    assert told["check, known task"] == "12", "a good and a bad reply to each"


def test_a_dry_run_without_the_data_tells_the_plan(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree("problems")
    assert run_study(study, log_dir=Path("runs"), dry_run=True) == 0
    out = capsys.readouterr().out
    assert "what would be done" in out
    assert "calls can't be counted" in out
