"""What a file is there for, by its name: tests, documentation, configuration, or code."""

from __future__ import annotations

from typing import Literal, get_args

from outdo.diffs.languages import language_of, unwritten

Role = Literal["code", "tests", "documentation", "configuration", "other"]
ROLES: tuple[Role, ...] = get_args(Role)

_TEST_FOLDERS = {"test", "tests", "testing", "__tests__", "spec", "specs"}
_DOCUMENTATION_FOLDERS = {"doc", "docs", "documentation", "changelog.d", "newsfragments", "changes"}
_CONFIGURATION_FOLDERS = {".github", ".circleci", ".gitlab", "requirements", ".azure-pipelines"}
_DOCUMENTATION = {"Markdown", "reStructuredText", "TeX"}
_CONFIGURATION = {"YAML", "TOML", "INI", "JSON", "Dockerfile", "Makefile", "CMake", "HCL", "Nix"}
_DOCUMENTS = ("readme", "changelog", "changes", "history", "news", "authors", "contributors")
_SETTINGS = {"setup.py", "noxfile.py", "manifest.in", "codeowners", ".gitignore", ".gitattributes"}
_NO_CODE = {"CSV", "Text", "SVG", None}


def is_test(path: str) -> bool:
    """Whether a file holds tests, by its name or its folders."""
    name = path.rpartition("/")[2]
    return (
        name.startswith("test_")
        or name.rpartition(".")[0].endswith(("_test", "_tests", ".test", ".spec"))
        or name in ("conftest.py", "tests.py")
        or not _TEST_FOLDERS.isdisjoint(path.lower().split("/")[:-1])
    )


def role_of(path: str) -> Role:
    """What a file of this name is there for; generated files are «other»."""
    name = path.rpartition("/")[2].lower()
    folders = set(path.lower().split("/")[:-1])
    language = language_of(path)
    if is_test(path):
        return "tests"
    if folders & _CONFIGURATION_FOLDERS or name in _SETTINGS or name.startswith("requirements"):
        return "configuration"
    if language in _DOCUMENTATION or name.partition(".")[0] in _DOCUMENTS:
        return "documentation"
    if language in _CONFIGURATION:
        return "configuration"
    if folders & _DOCUMENTATION_FOLDERS:
        return "documentation"
    return "other" if language in _NO_CODE or unwritten(path) else "code"
