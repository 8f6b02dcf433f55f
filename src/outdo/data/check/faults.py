"""What is wrong with one text by itself: damage, artefacts, replies that are none.

A fault's `find` gives the place in the text where it shows, or None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from outdo.data.check.nouns import Finding, Gathered, Shown, excerpt, finding

Find = Callable[[str], "int | None"]

LEARNT = ("answer", "chosen")
REPLIES = ("answer", "chosen", "rejected")
ALL = ("prompt", *REPLIES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that no text of these sides should hold; serious from a share of rows on."""

    name: str
    find: Find
    sides: tuple[str, ...]
    about: str
    todo: str
    serious_from: float


_TEMPLATE = re.compile(
    r"<\|(?:im_start|start_header_id|end_header_id|begin_of_text|startoftext|system|user|assistant"
    r"|start|channel|message|turn)\|?>|<｜(?:User|Assistant|begin▁of▁sentence)｜>"
    r"|\[/?INST\]|<</?SYS>>|<(?:start_of_turn|bos)>"
    r"|^### (?:Instruction|Response|Input|System|Human|Assistant|User):"
    r"|\A\s*(?:Assistant|AI|Bot|Human|User):",
    re.MULTILINE,
)
_END = re.compile(
    r"<\|(?:endoftext|im_end|eot_id|end_of_text|eom_id|end|return|eos)\|>|<｜end▁of▁sentence｜>"
    r"|</s>\s*\Z|<(?:end_of_turn|eos|pad|unk)>|\[(?:EOS|PAD)\]"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ufffd\ufeff\ufffe\uffff\ud800-\udfff]")
_MOJIBAKE = re.compile(
    "[ÂÃ][\u0080-\u00bf]|â[\u0080-\u009f€‚„…†‡ˆ‰‹‘’“”•–—˜™›][\u0080-\u00bfœ˜™š¢“”¦]?"
)
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|nbsp|#39|#x27);")
_MARKUP = re.compile(r"</?[a-z]+[ >/]")
_OPENS = re.compile(r"^[ \t]*`{3,}", re.MULTILINE)
_REFUSAL = re.compile(
    r"\A\W*(?:I(?:'|’)?m sorry|I am sorry|Sorry|I apologi[sz]e|Unfortunately|I can(?:no|'|’)t"
    r"|I(?: am|'m|’m) (?:un|not )able|As an AI)\b|\bas an AI(?: language)? (?:model|assistant)\b",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"(?:#|//|/\*|<!--)\s*(?:\.\.\.\s*)?(?:your (?:code|implementation|logic)|add your|insert your"
    r"|(?:the )?(?:rest|remainder) of (?:the|your)|existing code|implement (?:the|your) \w+ here)"
    r"|\[(?:insert|your) [^\]\n]{2,40}\]",
    re.IGNORECASE,
)
_MISSING = re.compile(r"\A\s*(?:nan|NaN|undefined|<no ?input>|no ?input|#N/A|\[deleted\])\s*\Z")


def _first(pattern: re.Pattern[str]) -> Find:
    def find(text: str) -> int | None:
        found = pattern.search(text)
        return found.start() if found else None

    return find


def damaged(text: str) -> int | None:
    """Where characters stand that no author wrote: replacements, controls, UTF-8 read wrongly."""
    if found := _CONTROL.search(text):
        return found.start()
    if not text.isascii() and (found := _MOJIBAKE.search(text)):
        return found.start()
    return None


def escaped(text: str) -> int | None:
    """Where a text is escaped twice: line ends as \\n in one line, or HTML's entities in code."""
    if "\n" not in text and text.count("\\n") >= 2:
        return text.index("\\n")
    if "&" in text and len(found := list(_ENTITY.finditer(text))) >= 2:
        return None if _MARKUP.search(text) else found[0].start()
    return None


def unclosed(text: str) -> int | None:
    """Where a fence opens that nothing closes: the reply was cut."""
    if "```" not in text:
        return None
    fences = list(_OPENS.finditer(text))
    return fences[-1].start() if len(fences) % 2 else None


template = _first(_TEMPLATE)
ended = _first(_END)
refusal = _first(_REFUSAL)

FAULTS = (
    Fault(
        name="template",
        find=template,
        sides=ALL,
        about="hold marks of a chat template, which puts them there a second time",
        todo="take the marks out: rows hold what was said, the model's template does the rest",
        serious_from=0.01,
    ),
    Fault(
        name="end-of-sequence",
        find=ended,
        sides=ALL,
        about="hold an end-of-sequence token as text",
        todo="cut it off: training ends every answer with the model's own",
        serious_from=0.01,
    ),
    Fault(
        name="encoding",
        find=damaged,
        sides=ALL,
        about="hold damaged characters: replacements, controls, or UTF-8 read as Latin-1",
        todo="go back to the source and read it as UTF-8; drop what can't be mended",
        serious_from=0.05,
    ),
    Fault(
        name="escaped",
        find=escaped,
        sides=ALL,
        about="are escaped twice: \\n for line ends, or &lt; for <",
        todo="unescape them once more",
        serious_from=0.05,
    ),
    Fault(
        name="cut",
        find=unclosed,
        sides=LEARNT,
        about="open a fence and never close it, so they were cut",
        todo="make them anew with more tokens, or drop them: the model learns to stop there",
        serious_from=0.05,
    ),
    Fault(
        name="refusal",
        find=refusal,
        sides=LEARNT,
        about="refuse or apologise",
        todo="drop them, if the model should answer",
        serious_from=0.05,
    ),
    Fault(
        name="placeholder",
        find=_first(_PLACEHOLDER),
        sides=LEARNT,
        about="leave the work out: «your code here», «rest of the code»",
        todo="drop them: the model learns to leave it out too",
        serious_from=0.05,
    ),
    Fault(
        name="missing",
        find=_first(_MISSING),
        sides=ALL,
        about="say that a value was missing (nan, <noinput>) and nothing else",
        todo="drop the rows, or leave the field empty",
        serious_from=0.01,
    ),
)


def faulty(rows: Gathered) -> Iterator[Finding]:
    """The findings on single texts, side by side."""
    for fault in FAULTS:
        for side in ("prompt", *rows.sides):
            if side in fault.sides:
                yield from finding(
                    fault.name,
                    _hits(rows, fault, side),
                    side=side,
                    of=len(rows.entries),
                    what=f"{_plural(side)} {fault.about}",
                    todo=fault.todo,
                    serious_from=fault.serious_from,
                )


def _hits(rows: Gathered, fault: Fault, side: str) -> list[Shown]:
    hits = []
    for entry in rows.entries:
        for text in entry.texts(side):
            if (place := fault.find(text)) is not None:
                hits.append(Shown(entry.where, excerpt(text, around=place)))
                break
    return hits


def _plural(side: str) -> str:
    return {"prompt": "prompts", "answer": "answers"}.get(side, f"{side} replies")
