from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdo.judging.families import FAMILIES, families, kin, warnings
from outdo.judging.panel import seated


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openai/gpt-4o-2024-08-06", {"openai"}),
        ("openai/o3-mini", {"openai"}),
        ("openai-api/openrouter/qwen-2.5-coder", {"qwen"}),
        ("openai-api/local/mistral-small", {"mistral"}),
        ("anthropic/claude-sonnet-4", {"anthropic"}),
        ("bedrock/anthropic.claude-3-haiku-v1:0", {"anthropic"}),
        ("google/gemini-2.5-pro", {"google"}),
        ("hf/google/gemma-2-9b-it", {"google"}),
        ("hf/meta-llama/Llama-3.1-8B-Instruct", {"llama"}),
        ("codellama/CodeLlama-7b-hf", {"llama"}),
        ("Qwen/Qwen2.5-Coder-7B-Instruct", {"qwen"}),
        ("mistralai/Codestral-22B-v0.1", {"mistral"}),
        ("deepseek-ai/deepseek-coder-6.7b-base", {"deepseek"}),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", {"deepseek", "qwen"}),
        ("nvidia/Llama-3.1-Nemotron-70B", {"nvidia", "llama"}),
        ("microsoft/Phi-3-mini-4k-instruct", {"phi"}),
        ("vllm/Qwen/Qwen3-8B:my-adapter", {"qwen"}),
        ("embedded/seedling", {"seedling"}),
        ("runs/tuned-1", set()),
        ("my-graphite-model", set()),
        ("", set()),
    ],
)
def test_a_family_is_read_from_the_name(name: str, expected: set[str]) -> None:
    assert families(name) == expected


@given(st.text())
def test_any_name_can_be_asked(name: str) -> None:
    assert families(name) <= set(FAMILIES)


CONTESTANTS = {
    "tuned": ["runs/tuned", "Qwen/Qwen2.5-Coder-7B"],
    "reference": ["openai/gpt-4o"],
    "own": ["runs/own"],
}


def test_kinship_counts_what_a_contestant_was_trained_from() -> None:
    assert kin("openai-api/x/qwen-max", CONTESTANTS) == {"tuned": "is of the judge's family, qwen"}
    assert kin("openai/gpt-4o", CONTESTANTS) == {
        "reference": "is judged by the same model, openai/gpt-4o"
    }
    assert kin("anthropic/claude-sonnet-4", CONTESTANTS) == {}
    assert kin(["runs/judge", "Qwen/Qwen3-8B"], CONTESTANTS)["tuned"].endswith("qwen")
    assert warnings("openai/gpt-5", CONTESTANTS) == ("reference is of the judge's family, openai",)


def test_a_kindred_judge_is_left_out_on_request() -> None:
    judges = {"gpt": ["openai/gpt-5"], "claude": ["anthropic/claude-sonnet-4"]}
    assert seated(judges, CONTESTANTS, leave_out_family=False) == ("gpt", "claude")
    assert seated(judges, CONTESTANTS, leave_out_family=True) == ("claude",)
