"""A linter for training data: what a model can learn from a set instead of the task.

A check looks at rows and gives findings; none changes a row. What is a fact (a row stands twice)
is told from one row on; what is a leaning (the chosen reply tends to be longer) is told only where
chance doesn't bring it, with all that was looked for counted against it.
"""

from outdo.data.check.checking import check
from outdo.data.check.nouns import Checked, Entry, Finding, Gathered, Shown
from outdo.data.check.reading import gather, gathered

__all__ = ["Checked", "Entry", "Finding", "Gathered", "Shown", "check", "gather", "gathered"]
