"""Pairs of programs of which one is known to be better because both were run, or read by rules.

`correct` gives programs that pass against programs that fail, `faster` those that cost less as
inputs grow, `safer` those in which a rule for security finds nothing. No teacher is asked.
"""

from __future__ import annotations

from outdo.data.verified.faster import faster

__all__ = ["faster"]
