"""What was made of rows, for people and for programs: a data card, and the same as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from outdo.data.licences import spdx
from outdo.data.sifting import Item, Sifted
from outdo.records import Json, digest, to_json

GROUPS = 20
"""Groups that a card lists by name; the rest is told as a number."""


def report(
    sifted: Sifted, kept: Sequence[Item], *, about: Mapping[str, Json] | None = None
) -> dict[str, Json]:
    """All that is known of a cleaned set of rows, as JSON.

    `about` says where the rows come from: a teacher, a file, options. `digest` names the rows
    that are kept, whatever their order.
    """
    lengths = sorted(len(item.text) for item in kept)
    return {
        "about": dict(about or {}),
        "rows_in": sifted.passages[0].seen if sifted.passages else len(kept),
        "rows_kept": len(kept),
        "digest": digest(sorted([item.id, digest(list(item.texts))] for item in kept)),
        "gates": [to_json(passage) for passage in sifted.passages],
        "groups": _counted(item.group or "(none)" for item in kept),
        "licences": _counted(spdx(item.licence) if item.licence else "(none)" for item in kept),
        "dates": _ends(sorted(item.date for item in kept if item.date)),
        "characters": {
            name: lengths[min(int(part * len(lengths)), len(lengths) - 1)] if lengths else 0
            for name, part in (("least", 0.0), ("median", 0.5), ("p90", 0.9), ("most", 1.0))
        },
    }


def _counted(values: Iterable[str]) -> dict[str, int]:
    counts = Counter(values)
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _ends(dates: Sequence[str]) -> list[str]:
    return [dates[0], dates[-1]] if dates else []


def card(told: Mapping[str, Json], *, title: str) -> str:
    """The report as a Markdown page."""
    share = told["rows_kept"] / told["rows_in"] if told["rows_in"] else 0.0
    lines = [
        f"# {title}",
        "",
        f"{told['rows_kept']:,} of {told['rows_in']:,} rows are kept ({share:.0%}).",
        "",
        *_table(("", ""), [(name, _plain(value)) for name, value in told["about"].items()]),
        "## What was dropped, and why",
        "",
        "Each gate sees the rows that came through those above it.",
        "",
        *_table(
            ("gate", "asks for", "rows seen", "dropped"),
            [(g["gate"], g["about"], f"{g['seen']:,}", f"{g['dropped']:,}") for g in told["gates"]],
        ),
        *(line for gate in told["gates"] if gate["dropped"] for line in _dropped(gate)),
        "## What is kept",
        "",
        *_table(("", ""), list(_contents(told))),
        *_table(("group", "rows"), _first(told["groups"])),
        *_table(("licence", "rows"), _first(told["licences"])),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _contents(told: Mapping[str, Json]) -> list[tuple[str, str]]:
    lengths = ", ".join(f"{name} {number:,}" for name, number in told["characters"].items())
    rows = [("characters in a row", lengths), ("digest", told["digest"][:16])]
    return [*rows, ("dates", " to ".join(told["dates"]))] if told["dates"] else rows


def _dropped(gate: Mapping[str, Json]) -> list[str]:
    return [
        f"### {gate['gate']}",
        "",
        *_table(("reason", "rows"), [(why, f"{n:,}") for why, n in gate["reasons"].items()]),
        *_table(
            ("for example", "why", ""),
            [(one["id"], one["why"], one["detail"]) for one in gate["shown"]],
        ),
    ]


def _first(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    rows = [(name, f"{count:,}") for name, count in list(counts.items())[:GROUPS]]
    if rest := list(counts.values())[GROUPS:]:
        rows.append((f"{len(rest):,} others", f"{sum(rest):,}"))
    return rows


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    lines = [heads, ["---"] * len(heads), *rows]
    return [*(f"| {' | '.join(map(_cell, line))} |" for line in lines), ""]


def _cell(text: str) -> str:
    """A text that stays in its cell: one line, no bar, no markup, not long."""
    text = " ".join(str(text).split())
    text = text if len(text) <= 160 else f"{text[:159]}…"
    for mark in "\\|<>[]`*":
        text = text.replace(mark, f"\\{mark}")
    return text


def _plain(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
