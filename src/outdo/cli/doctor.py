"""What this machine can do, in a table that fits a bug report."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from importlib import metadata

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from outdo import __version__
from outdo.catalog import EXTRAS
from outdo.cli import environment
from outdo.machine import hardware
from outdo.sandbox import probe


def examine() -> int:
    """Print the table; 1 if untrusted programs can't be run here at all, else 0."""
    tiers = probe()
    table = Table(title=f"outdo {__version__}", title_justify="left", show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, good, said in [*_machine(), *_sandbox(tiers), *_extras(), *_device(), *_keys()]:
        table.add_row(name, "✓" if good else "–", escape(said))
    Console().print(table)
    return 0 if any(reason is None for reason in tiers.values()) else 1


Line = tuple[str, bool, str]


def _machine() -> Iterator[Line]:
    yield "machine", True, hardware()
    told = environment.packages(environment.TOLD)
    yield "packages", True, ", ".join(f"{name} {version}" for name, version in told.items())


def _sandbox(tiers: dict[str, str | None]) -> Iterator[Line]:
    for tier, reason in tiers.items():
        yield f"sandbox {tier}", reason is None, reason or "works"


def _extras() -> Iterator[Line]:
    extras: dict[str, list[str]] = {}
    for library, extra in EXTRAS.items():
        extras.setdefault(extra, []).append(library)
    for extra, libraries in extras.items():
        missing = [name for name in libraries if not _installed(name)]
        said = f"missing {', '.join(missing)}: pip install 'outdo[{extra}]'" if missing else "here"
        yield f"extra {extra}", not missing, said


def _installed(library: str) -> bool:
    """Whether the library is there, under the name by which it is installed."""
    try:
        return bool(metadata.version(library))
    except metadata.PackageNotFoundError:
        return False


def _device() -> Iterator[Line]:
    if importlib.util.find_spec("torch") is None:
        return
    from outdo.models.weights import device_named
    from outdo.training.preflight import precision

    device = device_named("auto")
    yield "device", True, f"{device}; trains in {precision('auto', device)}, answers in float32"


def _keys() -> Iterator[Line]:
    from outdo.models.served import KEYS

    for key in ("HF_TOKEN", *KEYS):
        yield key, key in os.environ, "set" if key in os.environ else "not set"
