"""Untrusted programs: what they did, under the kernel's own locks, and never what it is worth.

    with Sandbox() as sandbox:
        for index, outcome in sandbox.run(programs): ...

The sandbox returns outputs; whoever knows the right answers compares them elsewhere, with
`literal.read` for those of "value" calls. docs/sandbox.md tells what is and isn't held.
"""

from __future__ import annotations

from outdo.sandbox.probe import probe
from outdo.sandbox.run import Sandbox

__all__ = ["Sandbox", "probe"]
