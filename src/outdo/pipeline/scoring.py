"""The scores of a study's answers: each task's own stage, linked by its name."""

from __future__ import annotations

from outdo.pipeline.job import Job
from outdo.pipeline.stages import Generated, Scored, score


def scored_by_key(job: Job, generated: Generated, *, name: str) -> dict[str, Scored]:
    """What every answer earned under the task of its example, by `score_key`."""
    found: dict[str, Scored] = {}
    several = len(job.duties.tasks) > 1
    for task in {id(one.task): one.task for one, _ in generated.answers}.values():
        title = f"{name}, {task.name}" if several else name
        scores = score(job.shop, task, generated, name=title)
        job.link(f"score {title}", scores.stage)
        found.update(scores.by_key)
    return found
