"""Bugs put into correct programs: the slips that students make, verified by running.

`slips` gives every slip of a program, `inject` repair examples that were verified in a sandbox:
the broken program fails a test, the program that it came from passes all.
"""

from outdo.data.inject.slips import OPERATORS, Slip, normalised, slips
from outdo.data.inject.trees import Edit, Operator
from outdo.data.inject.verify import inject

__all__ = ["OPERATORS", "Edit", "Operator", "Slip", "inject", "normalised", "slips"]
