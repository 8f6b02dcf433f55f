"""The pairs of our own: made of a few problems, proved by running, and given away by nothing."""

from __future__ import annotations

from collections import Counter

import pytest

from outdo import tokens
from outdo.data.own_benchmark import made_of, own_pairs
from outdo.data.problems import embedded_problems
from outdo.data.trial import trials
from outdo.data.verified.evened import TYPED
from outdo.sandbox import Sandbox


@pytest.mark.slow
def test_pairs_of_our_own_are_proved_and_lengths_do_not_give_them_away(sandbox: Sandbox) -> None:
    problems = {one.name: one for one in embedded_problems()[:8]}
    dropped = Counter[str]()
    pairs = own_pairs([*problems.values()], seed=1, sandbox=sandbox, dropped=dropped)
    assert {one.criterion for one in pairs} >= {"correctness", "efficiency"}
    assert {one.split for one in pairs} == {"test"}
    assert len({one.id for one in pairs}) == len(pairs)
    for criterion in {one.criterion for one in pairs}:
        more = [
            len(tokens.code_tokens(one.better)) - len(tokens.code_tokens(one.worse))
            for one in pairs
            if one.criterion == criterion
        ]
        assert sum(one > 0 for one in more) == sum(one < 0 for one in more), criterion
    sides = Counter(one.evidence.get(TYPED) for one in pairs)
    assert sides["better"] == sides["worse"] > 0
    run = [one for one in pairs if one.problem in problems]
    asked = [(problems[one.problem], code) for one in run for code in (one.better, one.worse)]
    passed = [trial.passed for trial in trials(asked, sandbox=sandbox)]
    for one, better, worse in zip(run, passed[::2], passed[1::2], strict=True):
        assert better, one.id
        assert worse == (one.criterion == "efficiency"), one.id


def test_without_bandit_the_pairs_are_others(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = made_of()
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)
    assert made_of() == {**whole, "rules": "none"}
    assert whole["pairs"] and whole["programs"]
