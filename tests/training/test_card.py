from __future__ import annotations

from typing import Any

import pytest
import yaml

from outdo.records import to_json
from outdo.training import Lora, Settings
from outdo.training.card import card

STUDY = {
    "study": "quickstart",
    "about": "Does it learn?\n",
    "data": {"broken": {"source": "inject", "problems": "/home/anna/problems"}, "talk": {}},
    "pairs": {"own": {"from": "broken"}},
    "train": {
        "tuned": {"data": ["broken", "talk"]},
        "tuned more": {"data": {"broken": 2, "own": 1.0}},
    },
}


def report(**changes: Any) -> dict[str, Any]:
    return {
        "base": {"name": "hf/org/model@0123abcd", "digest": "0" * 64},
        "settings": to_json(Settings(lora=Lora(rank=8), learning_rate=3e-3, epochs=2)),
        "seconds": 3723.4,
        "peak_bytes": 3 * 2**30,
        "baseline_bytes": 2**29,
        "trainable": 1234,
        "total": 4_803_328,
        "steps": 106,
        "epochs": 2.0,
        "tokens": 987_654,
        "tokens_per_second": 2345.6,
        "rows": 1700,
        "rows_cut": 0,
        "rows_dropped": 3,
        "loss": 0.12346,
        "validation": [{"step": 50, "loss": 0.2}, {"step": 106, "loss": 0.25}],
        "best_step": 50,
        "precision": "bfloat16",
        "device": "cpu",
        "hardware": "A chip, 2 cores",
        **changes,
    }


def front(text: str) -> Any:
    _, head, _ = text.split("---\n", 2)
    return yaml.safe_load(head)


def test_the_front_matter_is_what_hubs_read() -> None:
    text = card(report(), name="tuned", base="hf/org/model@0123abcd", licence="apache-2.0")
    assert text.startswith("---\n")
    assert front(text) == {
        "base_model": "org/model",
        "base_model_relation": "finetune",
        "library_name": "transformers",
        "license": "apache-2.0",
        "pipeline_tag": "text-generation",
        "tags": ["outdo", "sft", "lora"],
    }


def test_the_card_says_what_the_run_says() -> None:
    text = card(
        report(),
        name="tuned",
        base="hf/org/model@0123abcd",
        study=STUDY,
        run="tuned 3e-3",
        versions={"torch": "2.13.0"},
    )
    for said in (
        "# tuned",
        "hf/org/model@0123abcd, fine-tuned by sft.",
        "Does it learn?",
        "| method | sft, LoRA of rank 8 |",
        "| data | broken (inject), talk |",
        "| rows | 1,700, 3 dropped |",
        "| steps, epochs | 106, 2 |",
        "| parameters | 1,234 trained of 4,803,328 |",
        "| loss | 0.1235 |",
        "| validation loss, last (step 106) | 0.25 |",
        "| validation loss, kept (step 50) | 0.2 |",
        "| time | 1 h 2 min, 2,346 tokens/s |",
        "| memory | 3.00 GiB at most, 0.50 GiB before the model |",
        "| hardware | A chip, 2 cores, cpu, bfloat16 |",
        "learning_rate 0.003",
        "lora.rank 8",
        'AutoModelForCausalLM.from_pretrained("tuned", dtype="auto")',
        "torch 2.13.0.",
    ):
        assert said in text
    assert "how." not in text and "/home" not in text


def test_the_longest_name_that_fits_is_the_entry() -> None:
    text = card(report(), name="x", base="embedded/seedling", study=STUDY, run="tuned more")
    assert "| data | 2 × broken (inject), 1 × own (pairs of a model's own replies) |" in text
    assert "| data | not told |" in card(report(), name="x", base="embedded/seedling")


def test_folders_of_this_machine_are_not_told() -> None:
    text = card(report(), name="x", base="/home/anna/models/starling")
    assert "starling" in text and "anna" not in text
    assert "base_model" not in front(text)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"lora": None}, "sft, all weights"),
        ({"lora": {"rank": 4, "dora": True}}, "sft, DoRA of rank 4"),
        ({"lora": {"rank": 4}, "quantise": "nf4"}, "sft, LoRA of rank 4 on weights of 4 bits"),
    ],
)
def test_how_weights_were_trained(changes: dict[str, Any], said: str) -> None:
    settings = {**report()["settings"], **changes}
    assert f"| method | {said} |" in card(report(settings=settings), name="x", base="./model")


def test_a_model_that_scores_is_told_as_such() -> None:
    settings = {**report()["settings"], "method": "reward"}
    text = card(report(settings=settings), name="x", base="./model", scores=True)
    assert front(text)["pipeline_tag"] == "text-classification"
    assert "AutoModelForSequenceClassification" in text and "generate(" not in text
    assert "model, fine-tuned to rate replies." in text


def test_an_average_names_its_parts() -> None:
    parts = [("hf/org/a@1", 2 / 3), ("hf/org/b@1", 1 / 3)]
    text = card({}, name="x", base="hf/org/a@1", parts=parts, notes=["Written in float32."])
    assert front(text)["base_model"] == ["org/a", "org/b"]
    assert front(text)["base_model_relation"] == "merge" and "merge" in front(text)["tags"]
    assert "- 0.6667 × hf/org/a@1\n- 0.3333 × hf/org/b@1\n- Written in float32.\n" in text
    assert "## Training" not in text


def test_without_a_template_prompts_are_written_out() -> None:
    text = card({}, name="x", base="./model", template=False)
    assert "### Assistant:" in text and "apply_chat_template" not in text


def test_a_short_run_is_told_in_seconds() -> None:
    assert "| time | 4.2 s," in card(report(seconds=4.21), name="x", base="./model")
    assert "| time | 2 min 5 s," in card(report(seconds=125.0), name="x", base="./model")
