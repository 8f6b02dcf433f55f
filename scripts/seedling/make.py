"""Makes the embedded model: `python scripts/seedling/make.py --out FOLDER --work FOLDER`.

It needs the standard library's source, the embedded problems and what it generates; it begins
with random weights. Stopped, the same command goes on from the last checkpoint in `--work`; a
finished run, or `--export-only`, writes a plain Hugging Face model directory.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from cleanroom import Cleanroom
from corpus import Corpus, Sources, sources, tokenizer_texts
from library import Library, standard_library
from pretrain import Run, Settings
from transformers import AutoTokenizer, GenerationConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from vocabulary import DOCUMENT_END, trained

from outdo.data.problems import embedded_problems


def main() -> None:
    """Trains as far as asked, then writes the model."""
    options = _options()
    torch.set_num_threads(options.threads)
    work: Path = options.work
    work.mkdir(parents=True, exist_ok=True)
    settings = Settings(tokens=int(options.tokens * 1e6))
    known = _nothing() if options.export_only else sources(embedded_problems(), standard_library())
    if not (work / "tokenizer").exists():
        trained(tokenizer_texts(known, seed=settings.seed)).save_pretrained(work / "tokenizer")
    tokenizer = AutoTokenizer.from_pretrained(work / "tokenizer")
    run = Run(work, Corpus(sources=known, tokenizer=tokenizer, seed=settings.seed), settings)
    if not options.export_only:
        run.go_on(until=time.time() + 60 * options.minutes)
    export(run.model, tokenizer, options.out)


def export(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Writes weights in bfloat16, tokenizer, template and generation settings."""
    copied = LlamaForCausalLM(model.config).to(torch.bfloat16)
    copied.load_state_dict(model.state_dict())
    copied.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=[tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids(DOCUMENT_END)],
        pad_token_id=tokenizer.pad_token_id,
    )
    copied.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _nothing() -> Sources:
    """Sources to read nothing from, where weights are only written."""
    empty = Library(functions=(), bare=(), prose=(), modules=())
    return Sources(problems=(), library=empty, cleanroom=Cleanroom(()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="where the model goes")
    parser.add_argument("--work", type=Path, required=True, help="checkpoint, tokenizer, log")
    parser.add_argument("--tokens", type=float, default=10.0, help="millions, for the whole run")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after these")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--export-only", action="store_true", help="write the last checkpoint")
    return parser.parse_args()


if __name__ == "__main__":
    main()
