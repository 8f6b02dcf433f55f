"""From scores to a word, by pure functions over numbers.

`samples.fold` makes one value an example of its samples, `intervals.mean` gives a mean with its
interval, `paired.compare` the difference of two contestants, `verdict.verdict` the word. None is
«could not tell»: it is left out and counted, never a 0.
"""

from outdo.stats.intervals import Claim, Interval, mean
from outdo.stats.paired import Difference, compare
from outdo.stats.samples import fold, pass_at_k
from outdo.stats.verdict import Verdict, Word, population, verdict

__all__ = [
    "Claim",
    "Difference",
    "Interval",
    "Verdict",
    "Word",
    "compare",
    "fold",
    "mean",
    "pass_at_k",
    "population",
    "verdict",
]
