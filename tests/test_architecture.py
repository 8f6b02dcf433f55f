"""The walls of the house: who may import whom, what is loaded when, and how big anything may be.

The rooms and their edges are those of docs/architecture.md. Everything is read from the syntax
trees of src/outdo, so a module need not be imported to be judged; what only a running interpreter
can show (nothing heavy is loaded by `outdo --help`, the core works without torch) is run in one.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "outdo"

NOUNS = {"errors", "records"}
TOOLS = {
    *("text", "tokens", "literals", "yamlfile", "catalog", "store", "stats", "sandbox", "machine"),
    *("protocols", "diffs", "replies", "secrets"),
}
WORK = {"study", "models", "scorers", "tasks", "judging", "data"}

ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "records": set(),
    "text": NOUNS,
    "tokens": NOUNS | {"text"},
    # The child writes literals and must stand alone, so their grammar lives with the sandbox.
    "literals": NOUNS | {"sandbox"},
    "yamlfile": NOUNS,
    "catalog": NOUNS,
    "machine": NOUNS,
    "diffs": NOUNS | {"text", "tokens"},
    "replies": NOUNS | {"text"},
    "secrets": NOUNS | {"text", "diffs"},
    "protocols": NOUNS,
    "store": NOUNS,
    "stats": NOUNS,
    "sandbox": NOUNS,
    "study": NOUNS | {"catalog", "yamlfile"},
    "models": NOUNS | {"store"},
    "scorers": NOUNS | TOOLS,
    "tasks": NOUNS | TOOLS | {"scorers"},
    "judging": NOUNS | TOOLS,
    "data": NOUNS | TOOLS,
    "engines": NOUNS | TOOLS | {"models"},
    "training": NOUNS | TOOLS | {"models"},
    "pipeline": (NOUNS | TOOLS | WORK | {"report"}) - {"sandbox"},
    "report": NOUNS | TOOLS,
    "cli": NOUNS | TOOLS | WORK | {"engines", "training", "pipeline", "report"},
    "embedded": set(),
    "__main__": {"cli"},
}
"""A room, and the rooms that it may import. A new room is a line here and one in the document."""

PURE = ("stats", "scorers", "tasks", "judging", "text", "tokens", "literals", "diffs", "replies")
WORLD = {
    *("asyncio", "ctypes", "fcntl", "http", "io", "logging", "multiprocessing", "os", "pathlib"),
    *("select", "shutil", "signal", "socket", "subprocess", "tempfile", "threading"),
    *("time", "urllib", "uuid"),
}
"""Modules through which code touches the world, or is touched by it."""

TRAINING_STACK = {"torch", "transformers", "peft", "accelerate", "safetensors", "tokenizers"}
SDKS = {"openai", "anthropic", "google", "boto3", "vllm", "huggingface_hub"}
SLOW = {"numpy", "scipy", "matplotlib", "pandas", "pyarrow", "datasets"} | SDKS
"""Libraries that cost too much to be loaded by whoever doesn't need them yet."""

LEAF_ROOMS = {"models", "engines", "training"}
DOORS = {
    *("outdo.models", "outdo.models.reference", "outdo.engines", "outdo.engines.scripted"),
    *("outdo.training", "outdo.training.settings", "outdo.training.report"),
}
"""Modules of the leaf rooms that everybody may import, because they load nothing heavy."""

SANDBOX_PARENT = {"outdo.sandbox.run", "outdo.sandbox.probe", "outdo.sandbox.literal"}
"""The sandbox's own side; the rest is a program that a bare interpreter runs by path."""

VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "base"}
LONGEST_FUNCTION = 60
LONGEST_FILE = 600


@dataclass(frozen=True)
class Import:
    """One imported module, and whether that happens as soon as the importing module is loaded."""

    module: str
    line: int
    at_load: bool


@dataclass(frozen=True)
class Module:
    """One file of the package, read but not run."""

    path: Path
    name: str
    tree: ast.Module
    imports: tuple[Import, ...]

    @property
    def room(self) -> str:
        return self.path.relative_to(SOURCE).parts[0].removesuffix(".py")

    def at(self, line: int) -> str:
        return f"{self.path.relative_to(SOURCE)}:{line}"


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the package."""
    return tuple(read(path) for path in sorted(SOURCE.rglob("*.py")))


def read(path: Path) -> Module:
    tree = ast.parse(path.read_text("utf-8"))
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(path=path, name=name, tree=tree, imports=tuple(imports_in(tree, at_load=True)))


def imports_in(node: ast.AST, *, at_load: bool) -> Iterator[Import]:
    """Every import below this node; those under `if TYPE_CHECKING` never happen."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, at_load)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"line {child.lineno}: imports are absolute"
            for alias in child.names:
                yield Import(imported(str(child.module), alias.name), child.lineno, at_load)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from imports_in(child, at_load=at_load and not inside)


def imported(module: str, name: str) -> str:
    """`outdo.a.b` for `from outdo.a import b` where b is a module, else what stands after from."""
    below = SOURCE.parent.joinpath(*module.split("."), name)
    is_module = below.with_suffix(".py").exists() or (below / "__init__.py").exists()
    return f"{module}.{name}" if is_module else module


def root(module: str) -> str:
    return module.partition(".")[0]


def rooms() -> list[Module]:
    """Every module that stands in a room: all but `outdo` itself."""
    return [module for module in modules() if module.name != "outdo"]


def edges() -> Iterator[tuple[Module, Import, str]]:
    """Every import of one room by another."""
    for module in rooms():
        for one in module.imports:
            room = one.module.removeprefix("outdo.").partition(".")[0]
            if one.module.startswith("outdo.") and room != module.room:
                yield module, one, room


def test_every_room_has_a_place_in_the_table() -> None:
    assert {module.room for module in rooms()} == set(ALLOWED)


def test_a_room_imports_only_those_that_it_may() -> None:
    wrong = [
        f"{module.at(one.line)} imports {room}"
        for module, one, room in edges()
        if room not in ALLOWED[module.room]
    ]
    assert wrong == []


def test_the_table_has_no_cycle() -> None:
    left = {room: set(may) for room, may in ALLOWED.items()}
    while free := {room for room, may in left.items() if not may}:
        left = {room: may - free for room, may in left.items() if room not in free}
    assert left == {}


@pytest.mark.parametrize("room", ["errors", "records"])
def test_the_nouns_need_the_standard_library_alone(room: str) -> None:
    (module,) = (module for module in modules() if module.name == f"outdo.{room}")
    assert {root(one.module) for one in module.imports} <= sys.stdlib_module_names


@pytest.mark.parametrize("room", PURE)
def test_a_pure_room_does_not_touch_the_world(room: str) -> None:
    wrong = []
    for module in (module for module in modules() if module.room == room):
        wrong += [
            f"{module.at(one.line)} imports {one.module}"
            for one in module.imports
            if root(one.module) in WORLD
        ]
        wrong += [
            f"{module.at(node.lineno)} calls {node.func.id}"
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if node.func.id in {"open", "print", "input", "exec", "eval", "__import__"}
        ]
        # A signature may name the version of Python; all else that `sys` holds is the world.
        wrong += [
            f"{module.at(node.lineno)} reads {ast.unparse(node)}"
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "sys"
            if node.attr != "version_info"
        ]
    assert wrong == []


def test_torch_and_sdks_stay_in_the_leaf_rooms() -> None:
    wrong = [
        f"{module.at(one.line)} imports {one.module}"
        for module in rooms()
        for one in module.imports
        if root(one.module) in TRAINING_STACK | SDKS and module.room not in LEAF_ROOMS
    ]
    assert wrong == []


def test_slow_libraries_are_imported_when_called() -> None:
    wrong = [
        f"{module.at(one.line)} loads {one.module}"
        for module in modules()
        for one in module.imports
        if one.at_load and root(one.module) in SLOW and module.name not in heavy()
    ]
    assert wrong == []


@cache
def heavy() -> frozenset[str]:
    """Modules that load the training stack, themselves or through one that they load."""
    found = {
        module.name
        for module in modules()
        if any(one.at_load and root(one.module) in TRAINING_STACK for one in module.imports)
    }
    while more := {
        module.name
        for module in modules()
        if module.name not in found
        and any(one.at_load and one.module in found for one in module.imports)
    }:
        found |= more
    return frozenset(found)


def test_only_leaves_load_the_training_stack() -> None:
    assert heavy(), "the engines and the training do need it"
    assert {module.room for module in modules() if module.name in heavy()} <= LEAF_ROOMS
    assert not heavy() & DOORS


def test_the_face_loads_no_room_before_it_is_asked() -> None:
    """What `import outdo.cli` loads: the verbs' names and options, and the tree of errors."""
    known = {module.name: module for module in modules()}
    reached, waiting = set(), {"outdo.cli"}
    while waiting:
        name = waiting.pop()
        reached.add(name)
        loads = {one.module for one in known[name].imports if one.at_load}
        waiting |= {module for module in loads if module in known} - reached
    assert {known[name].room for name in reached - {"outdo"}} == {"cli", "errors"}


def test_no_module_has_a_vague_name() -> None:
    names = {path.stem for path in SOURCE.rglob("*.py")} | {path.name for path in SOURCE.rglob("*")}
    assert not {name for name in names if name.strip("_") in VAGUE}


def test_files_and_functions_can_be_held_in_mind() -> None:
    wrong = []
    for module in modules():
        lines = len(module.path.read_text("utf-8").splitlines())
        if lines > LONGEST_FILE:
            wrong.append(f"{module.at(1)} has {lines} lines")
        wrong += [
            f"{module.at(node.lineno)} {node.name} has {node.end_lineno - node.lineno + 1} lines"
            for node in ast.walk(module.tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.end_lineno is not None
            and node.end_lineno - node.lineno >= LONGEST_FUNCTION
        ]
    assert wrong == []


def test_code_from_a_hub_is_never_trusted_by_a_literal() -> None:
    wrong = [
        module.at(node.value.lineno)
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.keyword) and node.arg == "trust_remote_code"
        if isinstance(node.value, ast.Constant) and node.value.value
    ]
    assert wrong == []


def test_exceptions_are_not_caught_wholesale() -> None:
    """At most once, at the row's edge."""
    wide = [
        module.at(node.lineno)
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler)
        if node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"}
        # The child lives beside a program that may raise anything, and must outlive it.
        if module.room != "sandbox"
    ]
    assert len(wide) <= 1, wide


def run_python(code: str) -> str:
    """What this code prints in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_help_loads_nothing_heavy() -> None:
    loaded = run_python(
        "import contextlib, io, sys\n"
        "sys.argv = ['outdo', '--help']\n"
        "from outdo.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.suppress(SystemExit):\n"
        "    main()\n"
        "assert 'Usage' in said.getvalue()\n"
        "print(*sys.modules)"
    )
    unwanted = TRAINING_STACK | SLOW | {"pydantic", "yaml", "jinja2", "rapidfuzz", "pygments"}
    assert not unwanted & {root(name) for name in loaded.split()}


def test_the_core_works_without_the_training_stack() -> None:
    light = [module.name for module in modules() if module.name not in heavy()]
    light = [n for n in light if not n.startswith("outdo.sandbox.") or n in SANDBOX_PARENT]
    run_python(
        "import importlib, sys\n"
        f"refused = {sorted(TRAINING_STACK)!r}\n"
        "class Refusing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in refused:\n"
        "            raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Refusing())\n"
        f"for name in {light!r}:\n"
        "    importlib.import_module(name)"
    )
