"""What tests of several rooms share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Machines are shared: how long a case took says nothing about what it tests, and a test that fails
# must fail again.
settings.register_profile(
    "outdo", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("outdo")

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session")
def llama_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a tiny Llama with random weights, a tokenizer and a chat template."""
    import tiny

    return tiny.save(tmp_path_factory.mktemp("models") / "llama")
