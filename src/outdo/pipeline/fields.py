"""Fields of examples by name, as a study spells them: `group`, `source`, `given.problem`."""

from __future__ import annotations

import dataclasses

from outdo.errors import StudyError
from outdo.records import Example

OWN = tuple(field.name for field in dataclasses.fields(Example))


def field_of(example: Example, name: str) -> str:
    """The value of a field as text. Raises StudyError if the example has no such field."""
    head, _, rest = name.partition(".")
    if head in ("given", "wanted") and rest:
        inside = getattr(example, head)
        if rest in inside:
            return str(inside[rest])
        hint = ", ".join(f"{head}.{key}" for key in inside)
        raise StudyError(f"the examples have no field {name!r}", f"they have {hint}")
    if head in OWN and not rest and head not in ("given", "wanted"):
        return str(getattr(example, head))
    hint = "one of group, source, task, given.<name>, wanted.<name>"
    raise StudyError(f"the examples have no field {name!r}", hint)


def has_field(example: Example, name: str) -> bool:
    """Whether the example has a field of this name."""
    try:
        field_of(example, name)
    except StudyError:
        return False
    return True
