"""From scores to a word, by pure functions over numbers.

`samples.fold` makes one value an example of its samples, `intervals.mean` gives a mean with its
interval (`mean_of_runs` that of several training runs), `paired.compare` the difference of two
contestants, `verdict.verdict` the word. None is «could not tell»: it is left out and counted,
never a 0.
"""

from outdo.stats.intervals import Claim, Interval, Values, mean, mean_of_runs
from outdo.stats.paired import Difference, compare
from outdo.stats.samples import fold, pass_at_k
from outdo.stats.verdict import Verdict, Word, population, verdict

__all__ = [
    "Claim",
    "Difference",
    "Interval",
    "Values",
    "Verdict",
    "Word",
    "compare",
    "fold",
    "mean",
    "mean_of_runs",
    "pass_at_k",
    "population",
    "verdict",
]
