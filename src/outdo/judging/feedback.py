"""What raters, people and judges alike, are asked of feedback to learners: yes or no."""

from __future__ import annotations

from collections.abc import Mapping

from outdo.judging.rubric import Attribute

HINT = (
    Attribute(
        name="correct",
        question="is everything that the hint says true of this program, and about what is "
        "really wrong with it?",
    ),
    Attribute(
        name="informative",
        question="does the hint help to find the fault, by a place, a cause or a case to try?",
    ),
    Attribute(
        name="conceals",
        question="does the hint leave the mending to the learner: no mended code, and no words "
        "that only need to be typed in?",
    ),
    Attribute(
        name="comprehensible",
        question="would somebody who has just begun to learn understand the hint: short, plain, "
        "and without repetition?",
    ),
)
"""The attributes of a good hint; a hint is good if all four hold."""

RUBRICS: Mapping[str, tuple[Attribute, ...]] = {"hint": HINT}
"""Task to the questions that its replies are rated by."""
