"""Which of two replies is better, who says so, and how far that may be believed.

A judge's call is a prompt like any other. `ways.way` makes the calls of a `Contest` and reads the
replies, `folding.fold` makes one number an example of them, `standings.standings` tells how
contestants fare, `health.health` how good the judge is, and `known.believed` whether it is believed
at all. Everything here is pure.
"""

from outdo.judging.criteria import criterion
from outdo.judging.folding import Folded, fold, values
from outdo.judging.nouns import Asked, Contest, Item, Judgement, Verdict
from outdo.judging.standings import TIES, counted, standings
from outdo.judging.ways import WAYS, Way, way

__all__ = [
    "TIES",
    "WAYS",
    "Asked",
    "Contest",
    "Folded",
    "Item",
    "Judgement",
    "Verdict",
    "Way",
    "counted",
    "criterion",
    "fold",
    "standings",
    "values",
    "way",
]
