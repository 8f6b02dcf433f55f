"""What a file is there for, by its name."""

from __future__ import annotations

import pytest

from outdo.diffs.roles import ROLES, is_test, role_of


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("tests/a.py", True),
        ("a/test_b.py", True),
        ("a/b_test.go", True),
        ("conftest.py", True),
        ("web/a.spec.ts", True),
        ("src/contest.py", False),
        ("latest/a.py", False),
        ("src/testing.py", False),
    ],
)
def test_tests_are_known_by_their_names(path: str, said: bool) -> None:
    assert is_test(path) is said


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("src/a.py", "code"),
        ("setup.py", "configuration"),
        ("tests/data.json", "tests"),
        ("docs/conf.py", "documentation"),
        ("docs/index.rst", "documentation"),
        ("CHANGES", "documentation"),
        ("README", "documentation"),
        (".github/workflows/main.yml", "configuration"),
        ("requirements/test.txt", "configuration"),
        ("pyproject.toml", "configuration"),
        ("poetry.lock", "other"),
        ("logo.png", "other"),
        ("lib/x_pb2.py", "other"),
    ],
)
def test_each_file_has_a_role(path: str, role: str) -> None:
    assert role_of(path) == role and role in ROLES
