"""A process that imports everything once and forks a child for each command it is told.

Each line on its input is a JSON list of arguments for `outdo`; the answer is the child's process
id, then, once the child has ended, how. What the child says goes to the process's own stderr.
"""

from __future__ import annotations

import json
import os
import sys

import peft  # noqa: F401
import scipy.stats  # noqa: F401
import torch
import transformers  # noqa: F401

import outdo.cli.studies
import outdo.engines.local
import outdo.report.plots
import outdo.training.run  # noqa: F401
from outdo.cli import main


def forked(arguments: list[str]) -> int:
    child = os.fork()
    if child:
        return child
    os.nice(5)  # whoever wants to kill it must be able to catch it
    os.dup2(2, 1)
    sys.argv = ["outdo", *arguments]
    code = 1
    try:
        torch.set_num_threads(1)
        main()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.stderr.flush()
        os._exit(code)


def serve() -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        child = forked(json.loads(line))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    serve()
