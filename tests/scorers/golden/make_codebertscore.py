"""Write codebertscore.json: what the package `code-bert-score` 0.4.1 gives for small pairs.

    python make_codebertscore.py FOLDER_OF_THE_BERT

Each pair is scored alone, so that no padding of a neighbour comes into it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Score the pairs of test_bertscore.py, and write them."""
    import code_bert_score

    sys.path.insert(0, str(HERE.parent))
    from test_bertscore import PAIRS  # type: ignore[import-not-found]

    found = []
    for candidate, reference in PAIRS:
        empty = not candidate.strip() or not reference.strip()
        told = (
            [0.0] * 4
            if empty  # the package asks the tokenizer for what it no longer has
            else [
                round(float(one[0]), 7)
                for one in code_bert_score.score(
                    [candidate], [reference], model_type=sys.argv[1], num_layers=6, device="cpu"
                )
            ]
        )
        found.append(told)
    (HERE / "codebertscore.json").write_text(json.dumps({"scores": found}) + "\n", "utf-8")


if __name__ == "__main__":
    main()
