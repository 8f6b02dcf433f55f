"""Names of models behind APIs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from outdo.errors import EngineError
from outdo.models.reference import resolve
from outdo.models.served import is_remote, is_served, served

NOTHING: dict[str, str] = {}


def test_the_provider_the_model_and_the_address_are_in_the_name() -> None:
    own = served("openai/gpt-x", environment=NOTHING)
    assert (own.provider, own.model, own.keys) == ("openai", "gpt-x", ("OPENAI_API_KEY",))
    assert own.base_url == "https://api.openai.com/v1" and not own.is_local
    assert own.label == f"openai/gpt-x@{own.digest[:12]}"


def test_a_server_by_a_name_of_ones_own_reads_its_variables() -> None:
    environment = {"MY_BOX_BASE_URL": "http://127.0.0.1:8000/v1/"}
    mine = served("openai-api/my-box/org/model", environment=environment)
    assert (mine.provider, mine.model) == ("openai", "org/model")
    assert mine.base_url == "http://127.0.0.1:8000/v1"
    assert mine.keys == ("MY_BOX_API_KEY",) and not mine.key_needed and mine.is_local


def test_an_adapter_is_asked_for_by_its_own_name() -> None:
    tuned = served("vllm/org/base:mine", base_url="http://127.0.0.1:8000/v1")
    assert tuned.asked_for == "mine"
    assert served("vllm/org/base", base_url="http://127.0.0.1:8000/v1").asked_for == "org/base"


def test_an_option_goes_before_the_environment() -> None:
    environment = {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}
    assert served("openai/m", environment=environment).base_url == "http://127.0.0.1:1/v1"
    option = served("openai/m", base_url="http://127.0.0.1:2/v1", environment=environment)
    assert option.base_url == "http://127.0.0.1:2/v1"


def test_bedrock_is_where_its_region_is() -> None:
    found = served("bedrock/maker.model-v1:0", environment={"AWS_REGION": "eu-west-1"})
    assert found.base_url == "https://bedrock-runtime.eu-west-1.amazonaws.com"
    assert found.asked_for == "maker.model-v1:0"
    with pytest.raises(EngineError, match="AWS_REGION is not set"):
        served("bedrock/m", environment=NOTHING)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("opanai/m", "no such provider"),
        ("openai/", "the name of the model is missing"),
        ("openai", "the name of the model is missing"),
        ("openai-api/m", "of the server or of the model"),
        ("openai-api/box/m", "BOX_BASE_URL is not set"),
    ],
)
def test_a_name_that_leads_nowhere_is_told(name: str, problem: str) -> None:
    with pytest.raises(EngineError, match=problem) as caught:
        served(name, environment=NOTHING)
    assert caught.value.hint and caught.value.where == name


@pytest.mark.parametrize("address", ["ftp://a.test", "localhost:8000", "https://me:key@a.test/v1"])
def test_an_address_that_is_none_is_told_and_no_password_shown(address: str) -> None:
    with pytest.raises(EngineError) as caught:
        served("openai/m", base_url=address, environment=NOTHING)
    assert "me:key" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("http://localhost:1/v1", True),
        ("http://127.8.9.1/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://10.0.0.1/v1", False),
        ("https://localhost.example.test/v1", False),
    ],
)
def test_loopback_is_local_and_nothing_else_is(address: str, local: bool) -> None:
    assert is_remote("openai/m", base_url=address) is not local


def test_a_model_without_a_server_is_not_remote() -> None:
    assert not is_remote("embedded/seedling") and not is_remote("./folder")
    assert not is_served("hf/org/name") and is_served("anthropic/m")


def test_a_reference_is_named_by_provider_model_and_address(tmp_path: Path) -> None:
    one = resolve("openai/m", runs=tmp_path, base_url="http://127.0.0.1:1/v1")
    same = resolve("openai/m", runs=tmp_path / "x", base_url="http://127.0.0.1:1/v1/")
    other = resolve("openai/m", runs=tmp_path, base_url="http://127.0.0.1:2/v1")
    assert one.kind == "api" and one.digest == same.digest != other.digest
    assert one.label.startswith("openai/m@") and one.findable == "openai/m" and not one.adapters


def test_naming_one_loads_no_sdk() -> None:
    code = (
        "import sys, pathlib\n"
        "from outdo.models.reference import resolve\n"
        "resolve('openai/m', runs=pathlib.Path('.'), base_url='http://127.0.0.1:1/v1')\n"
        "assert not {'openai', 'httpx2', 'pydantic', 'anthropic', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
