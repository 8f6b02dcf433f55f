"""Models: what a name means, how its weights are loaded, and how a prompt becomes token ids.

`reference` needs no torch; `weights` and `chat` are leaves that import it when they are called.
Whoever loads torch comes through this package, so this is where its threads are told to sleep
while they wait: a spinning OpenMP thread takes a core from whatever else runs on the machine.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
