"""Numbers and verdicts as a reader sees them.

Shares have two decimals and differ by points; other values keep three significant digits and
their unit. Every form of the report words them here, so that no two forms disagree.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from outdo.records import Json, Measure, Standing
from outdo.report.board import USUAL, Asked, Board, headline_judge, rate, ties
from outdo.report.columns import SHARES, Column
from outdo.report.findings import Findings, Judge
from outdo.report.scored import Compared, Table
from outdo.report.training import Amount, Kind
from outdo.stats import Difference, Interval, Verdict
from outdo.stats.association import Coefficient
from outdo.stats.verdict import plural

NONE = "–"
PHRASES = {
    "better": "is better than",
    "worse": "is worse than",
    "equivalent": "is equivalent to",
    "inconclusive": "can’t be told from",
}
TIES = {"loss": "ties lost", "half": "ties half", "dropped": "ties dropped"}
"""What a rate counts ties as."""
RATES = {"length": "at equal length", "mean": "mean preference", "strength": "strength"}
"""What else is made of a judge's preferences."""
SIGNS = {"better": "▲", "worse": "▼", "equivalent": "≈", "inconclusive": "?"}


EFFORT = (
    "These tell how like a reference a reply is: what it would cost to edit, not whether it is "
    "right. Their published correlation is 0.16 with correctness and 0.72 with editing effort."
)


def value(number: float | None, column: Column) -> str:
    """The number under a column, without its unit."""
    if number is None:
        return NONE
    return f"{number:.2f}" if column.share else plain(number)


def plain(number: float) -> str:
    """Three significant digits, no exponent, thousands set apart, a true minus."""
    return _rounded(number, number) if number else "0"


def _rounded(number: float, largest: float) -> str:
    """The number with as many decimals as give the largest of its row three digits."""
    size = math.floor(math.log10(abs(largest))) if largest else 0
    text = f"{number:,.{min(4, max(0, 2 - size))}f}"
    return text.replace("-", "" if float(text.replace(",", "")) == 0 else "−")


def tick(number: float) -> str:
    """A number under an axis, with a true minus and no digits that rounding left there."""
    return f"{round(number, 12) + 0.0:,.5g}".replace("-", "−")


def coefficient(one: Coefficient) -> str:
    """A slope, an intercept or a correlation, to two decimals or three digits."""
    return NONE if one.value is None else amount(one.value, abs(one.value) < 10)


def coefficient_limits(one: Coefficient) -> str:
    """The interval of such a number in brackets; nothing where there is none."""
    if one.value is None or one.low is None or one.high is None:
        return ""
    return f"[{', '.join(amount(end, abs(end) < 10) for end in (one.low, one.high))}]"


def part_of(values: Sequence[float], *, rate: bool) -> str:
    """What a mean is of: «3 of 5» where the values are 0 or 1, else «n 5»."""
    return f"{sum(values):.0f} of {len(values):,}" if rate else f"n {len(values):,}"


def limits(cell: Interval, column: Column) -> str:
    """The interval of a mean in brackets; nothing where there is none."""
    if cell.low is None or cell.high is None or cell.value is None:
        return ""
    if column.share:
        return f"[{cell.low:.2f}, {cell.high:.2f}]"
    return f"[{_rounded(cell.low, cell.value)}, {_rounded(cell.high, cell.value)}]"


def gap(found: Difference, column: Column) -> str:
    """The difference with its sign: points for a share, else the column's unit."""
    if found.difference is None:
        return NONE
    text = _gap_number(found.difference, found.difference, column)
    sign = "+" if text.strip("0.") and not text.startswith("−") else ""
    return f"{sign}{text} {gap_unit(column)}".rstrip()


def gap_unit(column: Column) -> str:
    """What a difference under a column is counted in."""
    return "points" if column.share else column.metric.unit


def gap_limits(found: Difference, column: Column, *, within: bool = False) -> str:
    """The 95% interval of a difference in brackets, or the 90% one that margins are held to."""
    low, high = (found.low_within, found.high_within) if within else (found.low, found.high)
    if low is None or high is None or found.difference is None:
        return ""
    ends = [_gap_number(end, found.difference, column) for end in (low, high)]
    return f"[{ends[0]}, {ends[1]}]"


def _gap_number(number: float, largest: float, column: Column) -> str:
    return _points(number) if column.share else _rounded(number, largest)


def _points(share: float) -> str:
    points = 100 * share
    text = f"{points:.0f}" if abs(points) >= 9.95 else f"{points:.1f}".removesuffix(".0")
    return text.replace("-", "" if float(text) == 0 else "−")


def sentence(table: Table, compared: Compared, findings: Findings) -> str:
    """The verdict in one sentence, with all that it rests on."""
    found, column = compared.verdict.found, compared.column
    head = f"{compared.a} {PHRASES[compared.verdict.word]} {compared.b}"
    if found.difference is None:
        return f"{head}: no {findings.item} was scored for both."
    evidence = (
        f"{column.heading} {value(found.mean_a, column)} against {value(found.mean_b, column)}, "
        f"difference {gap(found, column)} {gap_limits(found, column)}".rstrip()
    )
    runs = training_runs(table, compared)
    return f"{head}: {evidence} on {sample(table, found, findings)}{runs}."


def sample(table: Table, found: Difference, findings: Findings) -> str:
    """What the difference was measured on: «160 held-out programs of 60 problems»."""
    splits = {findings.examples[name].split for name in table.groups}
    held = "held-out " if splits == {"test"} else ""
    items = f"{found.n:,} {held}{plural(findings.item, found.n)}"
    return f"{items} of {found.groups:,} {plural(findings.group, found.groups)}"


def training_runs(table: Table, compared: Compared) -> str:
    """How many training runs stand behind a comparison: the luck of a single one can't be told."""
    names = {line.contestant.name: line.contestant.trainings for line in table.lines}
    found = compared.verdict.found
    trained = {
        names[name]: runs
        for name, runs in ((compared.a, found.runs_a), (compared.b, found.runs_b))
        if names[name]
    }
    if not trained:
        return ""
    counts = list(trained.values())
    if len(counts) == 1:
        return "; one training run" if counts[0] == 1 else f"; {mean_of(counts[0])}"
    if counts[0] == counts[1]:
        return "; one training run each" if counts[0] == 1 else f"; {mean_of(counts[0])} each"
    return f"; {mean_of(counts[0])} against {'one' if counts[1] == 1 else mean_of(counts[1])}"


def mean_of(runs: int) -> str:
    """What a value of a trained model is: «mean of 3 training runs»."""
    return "one training run" if runs == 1 else f"mean of {runs} training runs"


def run_means(cell: Interval, column: Column) -> str:
    """The means of the single runs behind a mean: «3 runs: 0.31, 0.28, 0.35»."""
    if len(cell.run_means) < 2:
        return ""
    told = ", ".join(value(mean, column) for mean in cell.run_means)
    return f"{len(cell.run_means)} runs: {told}"


def caveats(compared: Compared, findings: Findings) -> list[str]:
    """What a reader must know beside the verdict: what is missing, and what would settle it."""
    told, found, column = compared.verdict, compared.verdict.found, compared.column
    said = []
    if found.low is None:
        said.append(f"There is no interval: {found.by}.")
    if told.word == "equivalent" and (margin := compared.margin):
        said.append(
            f"Equivalent: the 90% interval {gap_limits(found, column, within=True)} lies within "
            f"±{_gap_number(margin, margin, column)} {gap_unit(column)}".rstrip()
            + "."
        )
    if would := settling(told, findings):
        said.append(f"{would} with 80% power, were the difference what it seems to be.")
    if found.missing:
        said.append(_missing(told, findings))
    return said


def settling(told: Verdict, findings: Findings) -> str:
    """What would settle an inconclusive verdict: more items, more training runs, or both."""
    runs = "" if told.needed_runs is None else f"{told.needed_runs:,} training runs"
    items = "" if told.needed is None else f"{told.needed:,} {plural(findings.item, told.needed)}"
    if runs and items:
        return f"The runs differ: about {runs} and {items} would settle it"
    if runs:
        return (
            f"The runs differ so much that more {plural(findings.item, 2)} alone would not settle "
            f"it: about {runs} would"
        )
    return f"About {items} would settle it" if items else ""


def _missing(told: Verdict, findings: Findings) -> str:
    count = told.found.missing
    text = f"{count:,} {plural(findings.item, count)} could not be told and {_are(count)} left out"
    if told.worst is None:
        return f"{text}."
    if told.worst == told.word:
        return f"{text}; the verdict stands if all of them speak against it."
    return f"{text}; if all of them spoke against it, the verdict would be {told.worst}."


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def told(one: Measure) -> str:
    """A number that is no metric's: two decimals of what lies within 1, else three digits."""
    if one.value is None:
        return NONE
    return f"{amount(one.value, _is_share(one))} {'' if _is_share(one) else one.unit}".rstrip()


def amount(number: float, share: bool) -> str:
    """A number by itself: two decimals of a share."""
    text = f"{number:.2f}" if share else plain(number)
    return text.replace("-", "" if not float(text.replace(",", "").replace("−", "")) else "−")


def place(one: Measure) -> str:
    """Which place a strength gives, as its first words say: «place 1 of 4 (between 1 and 2)»."""
    return one.about.partition(";")[0] if one.name == "strength" else ""


def told_limits(one: Measure) -> str:
    """The interval of a number in brackets; nothing where there is none."""
    if one.value is None or one.low is None or one.high is None:
        return ""
    return f"[{amount(one.low, _is_share(one))}, {amount(one.high, _is_share(one))}]"


def _is_share(one: Measure) -> bool:
    """Whether a number is read with two decimals: shares, and what has no unit and is small."""
    known = [end for end in (one.low, one.value, one.high) if end is not None]
    return one.unit in SHARES or (not one.unit and all(-1 <= end <= 1 for end in known))


def told_gap(one: Measure) -> str:
    """A difference that is no metric's, with its sign; in points if it is one of shares."""
    if one.value is None:
        return NONE
    text = _points(one.value) if _is_share(one) else plain(one.value)
    sign = "+" if text.strip("0.") and not text.startswith("−") else ""
    return f"{sign}{text} {'points' if _is_share(one) else one.unit}".rstrip()


def told_gap_limits(one: Measure) -> str:
    """The interval of such a difference in brackets."""
    if one.value is None or one.low is None or one.high is None:
        return ""
    ends = [_points(end) if _is_share(one) else plain(end) for end in (one.low, one.high)]
    return f"[{ends[0]}, {ends[1]}]"


def apart(one: Measure) -> bool | None:
    """Whether the interval of a difference leaves out 0; None where there is none."""
    return None if one.low is None or one.high is None else not one.low <= 0 <= one.high


def change(found: Difference, asked: Asked) -> str:
    """The difference that fine-tuning made, in points or in its metric's unit."""
    return told_gap(_as_measure(found, asked))


def change_limits(found: Difference, asked: Asked) -> str:
    """The interval of that difference."""
    return told_gap_limits(_as_measure(found, asked))


def _as_measure(found: Difference, asked: Asked) -> Measure:
    unit = "share" if asked.column is None or asked.share else asked.column.metric.unit
    return Measure(
        name="", value=found.difference, low=found.low, high=found.high, n=found.n, unit=unit
    )


def sentenced(said: str) -> str:
    """A remark as a sentence, with its capital and its full stop."""
    told = said[:1].upper() + said[1:]
    return told if not told or told.endswith((".", "!", "?")) else f"{told}."


def who(judge: str) -> str:
    """A judge as it stands in a sentence: «the panel», or its name."""
    return "the panel" if judge == "panel" else judge


def judged_sentences(findings: Findings, table: Table, compared: Compared) -> Iterator[str]:
    """What judges that are believed say of the two that the headline compares."""
    judge = headline_judge(findings, table.task)
    for name in (compared.a, compared.b):
        own = [
            one
            for one in findings.standings
            if (one.judge, one.task, one.contestant, one.part) == (judge, table.task, name, "")
        ]
        yield from (_standing(findings, one) for one in own[:1])


def _standing(findings: Findings, one: Standing) -> str:
    way = ties(findings, one.task)
    found = rate(one, way)
    if found is None or found.value is None:
        return f"On {one.task}, {who(one.judge)} told {one.contestant} from {one.against} nowhere."
    items = f"{found.n:,} {plural(findings.item, found.n)}"
    return (
        f"In the eyes of {who(one.judge)}, {one.contestant} is preferred to {one.against} on "
        f"{one.task} in {told(found)} {told_limits(found)} of {items}, {TIES[way]}."
    )


def leading(findings: Findings, board: Board) -> tuple[str, str] | None:
    """(heading, evidence) of a study that judges alone tell of: how its best contestant fares."""
    for place, asked in enumerate(board.asked):
        for line in board.places:
            cell = line.cells[place]
            if asked.judge is not None and cell is not None and cell.value is not None:
                items = f"{cell.n:,} {plural(findings.item, cell.n)}"
                return (
                    f"{line.name} is preferred to {asked.against} in {100 * cell.value:.0f}%",
                    f"{asked.task}: {told(cell)} {told_limits(cell)} of {items} in the eyes of "
                    f"{who(asked.judge)}, {TIES[asked.ties or USUAL]}.",
                )
    return None


def board_notes(board: Board) -> Iterator[str]:
    """What the columns of a leaderboard are: who was the reference, and how ties count."""
    judged = [one for one in board.asked if one.judge is not None]
    by: dict[str, list[str]] = {}
    for one in judged:
        said = f"how often {who(one.judge or '')} prefers a contestant to {one.against}"
        by.setdefault(f"{said}, {TIES[one.ties or USUAL]}", []).append(one.task)
    for said, tasks in by.items():
        where = "" if len(by) == 1 else f" ({', '.join(tasks)})"
        yield f"Preferred{where}: {said}."
    order = "how often they are preferred" if judged else "what the first metric of each task says"
    yield f"Contestants are in the order of {order}, over tasks."


def jury(judges: Sequence[Judge]) -> str:
    """How many of the judges are believed, as a heading."""
    good = sum(one.believed for one in judges)
    if len(judges) == 1:
        return "The judge is believed" if good else "The judge is not believed"
    if good == len(judges):
        return f"All {good} judges are believed"
    return f"{good or 'None'} of {len(judges)} judges {'is' if good < 2 else 'are'} believed"


def p_value(number: float | None) -> str:
    """A p-value to two significant digits, never as 0."""
    if number is None:
        return NONE
    if number < 0.0001:
        return "<0.0001"
    return f"{number:.2g}" if number < 0.995 else "1"


def duration(seconds: float | None) -> str:
    """Seconds in words: 61.5 s, 12 min 5 s, 3 h 20 min."""
    if seconds is None:
        return NONE
    if seconds < 100:
        return f"{plain(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def size(count: float | None) -> str:
    """Bytes with a binary prefix."""
    if count is None:
        return NONE
    amount, unit = float(count), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(amount) < 1024 or unit == "TiB":
            break
        amount /= 1024
    return f"{plain(amount)} {unit}"


def whole(count: float | None) -> str:
    """A count with its thousands set apart."""
    return NONE if count is None else f"{count:,.0f}"


def measured(kind: Kind, amount: float | None) -> str:
    """A measure of training, by its kind."""
    if amount is None:
        return NONE
    if kind == "share":
        percent = 100 * amount
        return f"{percent:.0f}%" if percent >= 9.95 or not percent else f"{percent:.1f}%"
    words = {"seconds": duration, "bytes": size, "count": whole, "number": plain}
    return words[kind](amount)


def spread(kind: Kind, amount: Amount) -> str:
    """How far the runs behind a mean lie apart: their least and most, nothing where they agree."""
    ends = [measured(kind, end) for end in (amount.least, amount.most)]
    return "" if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def scale(kind: Kind, most: float) -> tuple[float, str]:
    """What an axis that reaches `most` counts in: how many of the kind's units, and its name."""
    steps: dict[str, tuple[tuple[float, str], ...]] = {
        "seconds": ((3600, "h"), (60, "min"), (1, "s")),
        "bytes": ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "B")),
        "share": ((0.01, "%"),),
        "count": ((10**9, "billions"), (10**6, "millions"), (10**3, "thousands"), (1, "")),
    }
    told = steps.get(kind, ((1, ""),))
    return next((step for step in told if most >= 2 * step[0]), told[-1])


def setting(name: str, said: Json) -> str:
    """A setting as it stands in a heading: «rank 16», «learning rate 0.002»."""
    told = NONE if said is None else f"{said:g}" if isinstance(said, float) else str(said)
    return f"{name.replace('_', ' ')} {told}".strip()
