"""Carries a study out: data, training, generation, scoring, and the page at the end.

The pipeline owns the order of work and what is stored; who trains, answers and runs programs is
handed in. Each step is a stage of the store, so the same command goes on from wherever it was.
"""

from outdo.pipeline.carry import (
    Report,
    carry_out,
    make_data,
    prepare,
    tell_outputs,
    tell_published,
)
from outdo.pipeline.protocols import Tools, Watch

__all__ = [
    "Report",
    "Tools",
    "Watch",
    "carry_out",
    "make_data",
    "prepare",
    "tell_outputs",
    "tell_published",
]
