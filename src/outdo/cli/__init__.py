"""The face: verbs, each of which imports what it needs when it is called.

A user's mistake is one line with a hint and exit code 2; a verdict that was not the expected one
is exit code 1; Ctrl-C is 130, and nothing that was finished is lost by it.
"""

from outdo.cli.app import main

__all__ = ["main"]
