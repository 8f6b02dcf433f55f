"""Pairs of programs of which one is known to be better because both were run, or read by rules.

`correct` and `handed_in` give programs that pass against programs that fail, `sampled` what a model
said in two samples, `faster` programs that cost less as inputs grow, `safer` code in which a rule
for security finds nothing. No teacher is asked.
"""

from __future__ import annotations

from outdo.data.verified.correct import correct, handed_in, problems_of, sampled, with_programs
from outdo.data.verified.faster import faster
from outdo.data.verified.safer import Code, safer

__all__ = [
    "Code",
    "correct",
    "faster",
    "handed_in",
    "problems_of",
    "safer",
    "sampled",
    "with_programs",
]
