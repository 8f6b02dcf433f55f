"""Safe and unsafe code: each weakness put in and taken out, told by the rule that is named."""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from outdo.data.verified import Code, safer
from outdo.data.verified import findings as rules
from outdo.data.verified.safer import MOST_LINES, NO_PLACE, NO_TREE, OTHER_FAULT, readable
from outdo.data.verified.spots import Source
from outdo.data.verified.weakening import WEAKNESSES
from outdo.errors import MissingExtra

SAFE = {
    "yaml-load": "import yaml\ndef f(p):\n    return yaml.safe_load(p)  # kept\n",
    "eval": "import ast\ndef f(s):\n    return ast.literal_eval(s)\n",
    "pickle": "import json\ndef f(x):\n    return json.loads(json.dumps(x))\n",
    "extract-all": (
        "import tarfile\ndef f(p):\n    with tarfile.open(p) as t:\n"
        "        t.extractall('out', filter='data')\n"
    ),
    "whole-pickle": "import torch\ndef f(p):\n    return torch.load(p, weights_only=True)\n",
    "shell": "import subprocess\ndef f(name):\n    subprocess.run(['ls', name], check=True)\n",
    "formatted-query": (
        "def f(cur, name):\n    cur.execute('SELECT a FROM t WHERE b = ?', (name,))\n"
    ),
    "weak-hash": "import hashlib\ndef f(b):\n    return hashlib.sha256(b).hexdigest()\n",
    "guessable-draw": "import secrets\ndef f():\n    return secrets.token_hex(8)\n",
    "password-in-code": "import os\ndef f():\n    token = os.environ['P']\n    return token\n",
    "no-certificate-check": "import requests\ndef f(u):\n    return requests.put(u, timeout=5)\n",
    "no-timeout": "import requests\ndef f(u):\n    return requests.get(u, timeout=5)\n",
    "open-to-all": "def f(s):\n    s.bind(('127.0.0.1', 80))\n",
    "unchecked-context": "import ssl\ndef f():\n    return ssl.create_default_context()\n",
    "unknown-hosts": (
        "import paramiko\ndef f(c):\n    c.set_missing_host_key_policy(paramiko.RejectPolicy())\n"
    ),
    "guessable-name": "import tempfile\ndef f():\n    return tempfile.mkstemp()[1]\n",
    "shared-folder": "import tempfile\ndef f():\n    return tempfile.gettempdir()\n",
    "open-file": "import os\ndef f(p):\n    os.chmod(p, 0o600)\n",
    "unescaped-page": "import jinja2\ndef f():\n    return jinja2.Environment(autoescape=True)\n",
    "debugger": "from flask import Flask\napp = Flask('a')\napp.run(debug=False)\n",
}


def codes(texts: dict[str, str]) -> list[Code]:
    return [Code(id=name, group=name, code=code) for name, code in texts.items()]


@pytest.mark.slow  # one process of Bandit takes seconds on a busy machine
def test_every_weakness_is_put_in_and_told_by_its_rule() -> None:
    pairs = safer(codes(SAFE), per_program=9)
    found = {(pair.group, pair.evidence["weakness"]): pair for pair in pairs}
    by_rule = {weakness.name: weakness.rule for weakness in WEAKNESSES}
    assert set(SAFE) == {name for name in by_rule if name != "system"}
    for name in SAFE:
        pair = found[name, name]
        assert pair.evidence["rule"] == by_rule[name]
        assert by_rule[name] not in pair.evidence["safe_findings"]
        assert pair.evidence["cwe"].startswith("CWE-") and pair.evidence["cwe"] != "CWE-0"
        lines = pair.worse.split("\n")
        assert lines[pair.evidence["line"] - 1] not in pair.better.split("\n"), "that line changed"
    kept = found["yaml-load", "yaml-load"]
    assert kept.worse.endswith("yaml.load(p, Loader=yaml.Loader)  # kept")
    assert kept.preamble == "import yaml"
    draw = found["guessable-draw", "guessable-draw"]
    assert draw.preamble.split("\n") == ["import random", "import secrets"]


UNSAFE = {
    "yaml-load": ("yaml.load(s)", "yaml.safe_load(s)"),
    "eval": ("eval(s)", "ast.literal_eval(s)"),
    "shell": ("subprocess.run(f'ls {s}', shell=True)", 'subprocess.run(["ls", f"{s}"])'),
    "system": ("os.system(s)", "subprocess.run(shlex.split(s)).returncode"),
    "weak-hash": ("hashlib.md5(s)", "hashlib.sha256(s)"),
    "guessable-draw": ("random.choice(s)", "random.SystemRandom().choice(s)"),
    "no-certificate-check": (
        "requests.get(s, verify=False, timeout=1)",
        "requests.get(s, timeout=1)",
    ),
    "formatted-query": (
        "c.execute(\"SELECT a FROM t WHERE b = '%s'\" % s)",
        'c.execute("SELECT a FROM t WHERE b = %s", (s,))',
    ),
    "guessable-name": ("tempfile.mktemp(s)", "tempfile.mkstemp(s)[1]"),
}


@pytest.mark.slow
def test_weaknesses_are_taken_out_of_unsafe_code() -> None:
    named = {name: f"def f(c, s):\n    return {code}\n" for name, (code, _) in UNSAFE.items()}
    heads = "import hashlib, os, random, requests, subprocess, tempfile, yaml\n"
    pairs = safer(codes({name: heads + code for name, code in named.items()}), way="mend")
    found = {pair.group: pair for pair in pairs if pair.evidence["weakness"] == pair.group}
    assert set(found) == set(UNSAFE)
    for name, (before, after) in UNSAFE.items():
        assert before in found[name].worse
        assert after in found[name].better


@pytest.mark.parametrize(
    "code",
    [
        "import os\nos.system('a | b > %s' % x)",  # needs a shell
        "c.execute('select * from %s' % table)",  # a table can't be handed over
        "import subprocess\nsubprocess.run(['ls'])",  # nothing is open
        "import json\njson.loads(x)",  # what others wrote as JSON is no pickle
        "import random\nrandom.seed(1)\nrandom.random()",  # meant to be the same each time
    ],
)
def test_what_would_not_work_any_more_is_left(code: str) -> None:
    source = Source.of(code)
    assert source is not None
    for weakness in WEAKNESSES:
        for find in (weakness.weaken, weakness.mend):
            assert [source.changed(changes) for changes in find(source)] == []


def test_cut_code_is_read_without_what_was_cut() -> None:
    cut = "      b)\n    def f(self):\n        return 1\n    x = 2\n    y = 3\n    z = (\n"
    found = readable(cut)
    assert found is not None and found.code.startswith("def f(self):")
    assert readable("((((\n" * 5) is None


def test_nothing_is_dropped_in_silence() -> None:
    dropped: Counter[str] = Counter()
    long = "def f():\n" + "    x = 1\n" * (MOST_LINES + 1) + "    return eval(input())\n"
    given = {"none": "x = 1\n", "broken": "def (\n" * 4, "long": long}
    assert safer(codes(given), way="mend", dropped=dropped) == []
    assert dropped == {NO_PLACE: 2, NO_TREE: 1}


@pytest.mark.parametrize(("severity", "kept"), [("low", 1), ("medium", 0)])
def test_a_safe_side_with_a_fault_of_its_own_is_left_out(
    monkeypatch: pytest.MonkeyPatch, severity: str, kept: int
) -> None:
    told = {"name": "n", "cwe": 7, "line": 1, "confidence": "high"}
    other = rules.Finding(rule="B999", severity=severity, **told)  # type: ignore[arg-type]
    known = rules.Finding(rule="B506", severity="medium", **told)  # type: ignore[arg-type]
    monkeypatch.setattr(
        sys.modules[safer.__module__],
        "findings",
        lambda codes: [[known] if "Loader" in code else [other] for code in codes],
    )
    dropped: Counter[str] = Counter()
    assert len(safer(codes({"a": SAFE["yaml-load"]}), dropped=dropped)) == kept
    assert dropped[OTHER_FAULT] == 1 - kept


def test_a_keyword_goes_with_its_comma() -> None:
    source = Source.of("f(a, verify=False)\nf(verify=False, b=1)\n")
    assert source is not None
    changes = [source.without(call, call.keywords[0]) for _, call in source.calls]
    assert source.changed(changes) == "f(a)\nf(b=1)\n"


def test_without_bandit_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match="security"):
        safer(codes(SAFE))
