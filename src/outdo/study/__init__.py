"""A study file: what is asked, in YAML, checked before anything is carried out.

Every mistake is reported with the line it stands on. Lists in a `train` entry expand into one run
for each combination, here and nowhere else. What comes out is plain, frozen data.
"""

from outdo.study.entries import (
    Answering,
    Claim,
    Compared,
    Critiqued,
    Judging,
    Lora,
    Model,
    Pairs,
    Settings,
    Ties,
    Train,
)
from outdo.study.matrix import Answers, Run
from outdo.study.published import (
    Outputs,
    OutputsStudy,
    PublishedCells,
    PublishedRow,
    PublishedStudy,
    PublishedTable,
)
from outdo.study.reading import load_any, load_study
from outdo.study.similarity import Encoding, Similarity
from outdo.study.sources import (
    Conversations,
    Data,
    Folder,
    Injected,
    PairRows,
    Programs,
    Rows,
)
from outdo.study.whole import Study

__all__ = [
    "Answering",
    "Answers",
    "Claim",
    "Compared",
    "Conversations",
    "Critiqued",
    "Data",
    "Encoding",
    "Folder",
    "Injected",
    "Judging",
    "Lora",
    "Model",
    "Outputs",
    "OutputsStudy",
    "PairRows",
    "Pairs",
    "Programs",
    "PublishedCells",
    "PublishedRow",
    "PublishedStudy",
    "PublishedTable",
    "Rows",
    "Run",
    "Settings",
    "Similarity",
    "Study",
    "Ties",
    "Train",
    "load_any",
    "load_study",
]
