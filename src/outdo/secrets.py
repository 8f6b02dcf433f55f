"""Secrets and e-mail addresses, taken out of a text before any engine sees it.

What has a known shape is found by it; what has none, by the name that it is given and by how little
it looks like words. Hashes alone are left: lock files, git's own lines and tests are full of them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from outdo.errors import DataError

MOST_CHARACTERS = 50_000_000
"""A longer text is refused, for what isn't read can't be vouched for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrubbed:
    """A text without its secrets, and how many places of each kind had one."""

    text: str
    found: Counter[str]


def scrub(text: str) -> Scrubbed:
    """The text with each secret and e-mail address replaced by a placeholder such as `<email-1>`.

    The same value has the same placeholder wherever it stands in the text; nothing gives it back.
    Lines stay lines, and the first character of a line stays, so that a diff stays the same diff.
    A text of over 50 million characters raises a `DataError`.
    """
    if len(text) > MOST_CHARACTERS:
        raise DataError(
            f"a text of {len(text):,} characters is too long to be searched for secrets",
            "leave generated files out of the diff",
        )
    names = _Placeholders()
    if "PRIVATE KEY" in text:
        text = _without_private_keys(text, names)
    low = text.lower()
    for rule in _RULES:
        searched = low if rule.any_case else text
        for anchor in rule.anchors:
            if anchor in searched:
                text = rule.pattern.sub(rule.replacing(names), text)
                break
    text = _without_addresses(text, names)
    return Scrubbed(text=text, found=names.found)


class _Placeholders:
    """The placeholders of one text, numbered as their values come."""

    def __init__(self) -> None:
        self.found: Counter[str] = Counter()
        self._numbers: dict[str, dict[str, int]] = {}

    def of(self, kind: str, value: str) -> str:
        self.found[kind] += 1
        numbers = self._numbers.setdefault(kind, {})
        return f"<{kind}-{numbers.setdefault(value, len(numbers) + 1)}>"


@dataclass(frozen=True, slots=True)
class _Rule:
    """A shape: what it is called, texts without which it can't be there, and when it counts.

    Of a match the group `s` is the secret, or the whole where there is no such group.
    """

    kind: str
    anchors: tuple[str, ...]
    pattern: re.Pattern[str]
    counts: Callable[[re.Match[str]], bool] | None = None
    any_case: bool = False

    def replacing(self, names: _Placeholders) -> Callable[[re.Match[str]], str]:
        group = "s" if "s" in self.pattern.groupindex else 0

        def replaced(match: re.Match[str]) -> str:
            value = match[group]
            if not value or (self.counts is not None and not self.counts(match)):
                return match[0]
            start, end = match.span(group)
            whole, offset = match[0], match.start()
            name = names.of(self.kind, value)
            return f"{whole[: start - offset]}{name}{whole[end - offset :]}"

        return replaced


# ------------------------------------------------------------------ what looks like a secret


def entropy(value: str) -> float:
    """Bits a character, by how often each stands in the value (Shannon); 0 for an empty one."""
    if not value:
        return 0.0
    total = len(value)
    return -sum(n / total * math.log2(n / total) for n in Counter(value).values())


def _turns(value: str) -> int:
    """How often neighbours are of different classes: words turn seldom, random characters often.

    A capital and the small letters after it are one class, as in names.
    """
    classes = re.findall(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^A-Za-z0-9]+", value)
    return max(len(classes) - 1, 0)


_TEMPLATE = re.compile(
    r"\$\{|\$\(|^\$\w+$|\{\{|\{\w*\}|%\(|%s|^%\w+%$|^[<\[].*[>\]]$|\.\.\.|…|^\*+$|\\[0-9]"
)
_DUMMY = re.compile(
    r"(?i)^(?:(?:my|your|the|some|a|test|fake|dummy|example|sample|new|old|wrong|bad|invalid|super"
    r"|default|db|user|admin|root|client|foo|bar|baz|x|secret|password|passw|passwd|pass|pwd"
    r"|token|key|api|value|change|me|this|here|none|null|true|false|string|placeholder|redacted)"
    r"[-_. ]?)+[0-9]{0,4}!?$"
)


def _is_written(value: str) -> bool:
    """Whether a value is filled in later, or says of itself that it is none."""
    return bool(_TEMPLATE.search(value)) or (len(value) <= 100 and bool(_DUMMY.match(value)))


def _is_random(value: str, *, at_least: int) -> bool:
    """Whether a value of some length looks drawn rather than written."""
    if len(value) < at_least or _is_written(value):
        return False
    turns = _turns(value)
    if re.search(r"[A-Za-z]", value) and re.search(r"[0-9]", value):
        return turns * 5 >= len(value) and entropy(value) >= 2.8
    # Without digits, capitals that begin no word tell: names of classes turn once a word.
    cases = re.search(r"[A-Z]", value) and re.search(r"[a-z]", value)
    return bool(cases) and turns * 3 >= len(value) and entropy(value) >= 3.2


def _keyed_counts(match: re.Match[str]) -> bool:
    """Whether what a name of a secret is given is one; a password may be weaker than a token."""
    value = match["s"]
    if "://" in value or value.startswith(("/", "./")):
        return False
    if match["key"].lower().startswith("pass") or match["key"].lower() == "pwd":
        if _is_written(value) or not re.search("[A-Za-z]", value):
            return False
        if len(value) >= 6 and re.search(r"[0-9!#%&*+?@^~]", value):
            return True
    return _is_random(value, at_least=12)


def _bare_counts(match: re.Match[str]) -> bool:
    value = match["s"]
    # Without quotes it may be code: a call, an attribute, an index.
    return not re.search(r"[()\[\]{}<>,;]|\w\.\w", value) and _is_random(value, at_least=12)


def _url_counts(match: re.Match[str]) -> bool:
    value = match["s"]
    return not _is_written(value)


def _mixed(match: re.Match[str]) -> bool:
    """Whether a token of a short prefix has what a drawn one has: cases, digits, many turns."""
    value = match["s"] if "s" in match.re.groupindex else match[0]
    return _is_random(value, at_least=16)


_ALIKE = re.compile(r"(?i)sha-?[0-9]|integrity|digest|checksum|hash|base64,|public|fingerprint")


def _drawn(match: re.Match[str]) -> bool:
    """Whether a quoted string alone is a secret: long, of all classes, at the top of entropy."""
    value = match["s"]
    cases = re.search("[a-z]", value) and re.search("[A-Z]", value) and re.search("[0-9]", value)
    if not cases or entropy(value) < 4.6 or _turns(value) * 3 < len(value):
        return False
    line = match.string.rfind("\n", 0, match.start()) + 1
    return not _ALIKE.search(match.string, line, match.start())


# ------------------------------------------------------------------ the shapes


def _token(*anchors: str, pattern: str, counts: bool = False) -> _Rule:
    """A token of a provider's documented shape, which stands apart from words around it."""
    compiled = re.compile(rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])")
    return _Rule("token", anchors, compiled, _mixed if counts else None)


# One class of first letters lets the search skip from one to the next; that it lets «pecret» pass
# does no harm.
_KEY = (
    r"(?P<key>[PpSsTtCcAaEeMm](?i:assw(?:or)?d|assphrase|asswd|wd|ecret|oken|redentials?"
    r"|(?:pi|ccess|uth|ccount|rivate|igning|ncryption|aster|hared|torage)[_-]?key))"
)
_KEY_ANCHORS = ("passw", "passphrase", "pwd", "secret", "token", "credential", "key")

_RULES: tuple[_Rule, ...] = (
    _token("AKIA", "ASIA", "ABIA", "ACCA", pattern=r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"),
    _token("ghp_", "gho_", "ghu_", "ghs_", "ghr_", pattern=r"gh[pousr]_[A-Za-z0-9]{36,255}"),
    _token("github_pat_", pattern=r"github_pat_[A-Za-z0-9_]{22,255}"),
    _token("gl", pattern=r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat)-[\w-]{20,255}"),
    _token("xox", "xapp-", pattern=r"(?:xox[abceoprs]|xapp)-[A-Za-z0-9-]{10,250}"),
    _Rule(
        "token",
        ("hooks.slack.com/services/",),
        re.compile(r"hooks\.slack\.com/services/(?P<s>[A-Za-z0-9/_+-]{20,})"),
    ),
    _token("k_live_", "k_test_", pattern=r"[srp]k_(?:live|test)_[A-Za-z0-9]{16,250}"),
    _token("whsec_", pattern=r"whsec_[A-Za-z0-9+/=]{24,}"),
    _token("sk-", pattern=r"sk-[A-Za-z0-9_-]{20,250}+", counts=True),
    _token("AIza", pattern=r"AIza[A-Za-z0-9_-]{35}"),
    _token("ya29.", pattern=r"ya29\.[A-Za-z0-9_-]{20,}"),
    _token("GOCSPX-", pattern=r"GOCSPX-[A-Za-z0-9_-]{28}"),
    _token("hf_", "api_org_", pattern=r"(?:hf|api_org)_[A-Za-z]{30,40}"),
    _token("npm_", pattern=r"npm_[A-Za-z0-9]{36}"),
    _token("pypi-", pattern=r"pypi-AgE[A-Za-z0-9_-]{50,}"),
    _token("SG.", pattern=r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}"),
    _token("SK", "AC", pattern=r"(?:SK|AC)[0-9a-f]{32}"),
    _token("key-", pattern=r"key-[0-9a-f]{32}"),
    _token("-us", pattern=r"[0-9a-f]{32}-us[0-9]{1,2}"),
    _token(":AA", pattern=r"[0-9]{8,10}:AA[A-Za-z0-9_-]{32,34}"),
    _token("_v1_", pattern=r"do[opr]_v1_[0-9a-f]{64}"),
    _token("dapi", pattern=r"dapi[0-9a-f]{32}"),
    _token("shp", pattern=r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    _token("sq0", pattern=r"sq0[a-z]{3}-[A-Za-z0-9_-]{22,43}"),
    _token("hvs.", "hvb.", pattern=r"hv[sb]\.[A-Za-z0-9_-]{24,}"),
    _token("dckr_", pattern=r"dckr_[a-z]{3}_[A-Za-z0-9_-]{27,}"),
    _token("gsk_", "xai-", "pplx-", pattern=r"(?:gsk_|xai-|pplx-)[A-Za-z0-9]{40,}"),
    _token("r8_", "lin_api_", "ntn_", pattern=r"(?:r8|lin_api|ntn)_[A-Za-z0-9]{30,}"),
    _token("sntry", pattern=r"sntry[su]_[A-Za-z0-9+/=_-]{40,}"),
    _token("NRAK-", "PMAK-", pattern=r"NRAK-[A-Z0-9]{27}|PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    _token("AGE-SECRET-KEY-1", pattern=r"AGE-SECRET-KEY-1[A-Z0-9]{58}"),
    _token(".atlasv1.", pattern=r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}"),
    _Rule(
        "token",
        ("M", "N", "O"),
        re.compile(r"[MNO](?<!\w.)[\w-]{23,25}\.[\w-]{6}\.[\w-]{27,38}(?!\w)"),
        _mixed,
    ),
    _Rule(
        "token",
        ("eyJ",),
        re.compile(r"(?<!\w)eyJ[\w-]{8,}={0,2}\.eyJ[\w-]{8,}={0,2}\.[\w-]{8,}"),
    ),
    _Rule(
        "key",
        ("AccountKey=", "SharedAccessKey="),
        re.compile(r"(?:AccountKey|SharedAccessKey)=(?P<s>[A-Za-z0-9+/]{40,90}={0,2})"),
    ),
    _Rule(
        "key",
        ("aws",),
        re.compile(r"(?i:aws)\w{0,30}\W{1,6}(?P<s>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"),
        _mixed,
        any_case=True,
    ),
    _Rule(
        "password",
        ("://",),
        re.compile(r"(?<=://)[^\s/:@'\"<>]{0,100}:(?P<s>[^\s/@'\"<>]{3,200})(?=@[\w.\[-])"),
        _url_counts,
    ),
    _Rule(
        "token",
        ("bearer ", "basic ", "token "),
        re.compile(r"(?i:bearer|basic|token)[ ]+(?P<s>[A-Za-z0-9._~+/-]{16,2000}={0,2})"),
        _mixed,
        any_case=True,
    ),
    _Rule(
        "secret",
        _KEY_ANCHORS,
        re.compile(
            rf"{_KEY}[\w-]{{0,30}}+"
            r"(?:['\"]?\]?[ \t]*(?::[ \t]*[A-Za-z][\w\[\]|. ]{0,30})?(?::=|=>|[:=]=?)|['\"],)[ \t]*"
            r"[rbuf]{0,2}(?P<quote>['\"`])(?P<s>[^\s'\"`]{6,500})(?P=quote)"
        ),
        _keyed_counts,
        any_case=True,
    ),
    _Rule(
        "secret",
        _KEY_ANCHORS,
        re.compile(rf"{_KEY}[\w-]{{0,30}}+[ \t]*[=:][ \t]*(?P<s>[^\s'\"`#;&,]{{12,}}+)"),
        _bare_counts,
        any_case=True,
    ),
    _Rule(
        "secret",
        ('"', "'"),
        re.compile(r"(?<!\w)(?P<quote>['\"])(?P<s>[A-Za-z0-9+/_-]{32,128}={0,2})(?P=quote)"),
        _drawn,
    ),
)


# ------------------------------------------------------------------ private keys

_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----")
_BODY = re.compile(
    r"(?P<mark>[ +-]?[ \t'\"#>*]*)(?P<s>[A-Za-z0-9+/=]{2,}(?:\\n)?)(?P<rest>[ \t'\",+\\\r)]*)"
)
_WITHIN = re.compile(
    r"(?P<b>-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?:\\r|\\n| ){0,8})"
    r"(?P<s>[A-Za-z0-9+/=][A-Za-z0-9+/=\\]{15,20000}?)(?=(?:\\r|\\n| ){0,8}-----END|['\"\n]|$)"
)
_ABOUT = re.compile(r"[ +-]?[ \t'\"]*(?:[A-Z][\w-]*: .*|)[ \t'\",\\n\r]*$")


def _without_private_keys(text: str, names: _Placeholders) -> str:
    """The text with the bodies of private keys replaced, each line by a placeholder of its own."""

    def on_one_line(match: re.Match[str]) -> str:
        return match["b"] + names.of("private-key", match["s"])

    lines = _WITHIN.sub(on_one_line, text).split("\n")
    inside = False
    for number, line in enumerate(lines):
        if _BEGIN.search(line):
            inside = not _END.search(line)
        elif inside and (body := _BODY.fullmatch(line)) and len(body["s"]) <= 200:
            placeholder = names.of("private-key", body["s"])
            lines[number] = f"{body['mark']}{placeholder}{body['rest']}"
        elif inside and not _ABOUT.match(line):
            inside = False
    return "\n".join(lines)


# ------------------------------------------------------------------ addresses

_HOST = re.compile(r"@((?:[A-Za-z0-9-]{1,63}\.){1,6}(?:[a-z]{2,12}|[A-Z]{2,12}))(?![\w(])")
_LOCAL = re.compile(r"(?<!\w)\w[\w.%+-]{0,63}$")
_IN_URL = re.compile(r"\w://[^\s/'\"<>]*$")
_ENDINGS = """
    academy agency ai app art at au be biz blog br ca cc ch cloud club cn co com company de dev
    digital dk edu email es eu example fi fm fr gov gr hk hu id ie il in info int invalid io ir is
    it jp kr live local localhost ly ma me media mil mx my name net network ng nl no nu nz one
    online org pe ph pk pl pro pt ro rs ru sa se sg shop si site sk so social software space store
    studio systems team tech technology test tk top tr tv tw ua uk us uy ve vn website wiki work
    works world xyz za zone"""
_DOMAINS = frozenset(_ENDINGS.split())


def _without_addresses(text: str, names: _Placeholders) -> str:
    """The text with e-mail addresses replaced; a matrix product, `a@b.to(c)`, is none.

    What stands before the host of a URL is left: `git@` there is nobody's address.
    """
    parts: list[str] = []
    done = 0
    for host in _HOST.finditer(text):
        if host[1].rpartition(".")[2].lower() not in _DOMAINS:
            continue
        before = text[max(done, host.start() - 200) : host.start()].rpartition("\n")[2]
        local = _LOCAL.search(before)
        if local is None or local[0] == "git" or _IN_URL.search(before):
            continue
        start = host.start() - len(local[0])
        parts += (text[done:start], names.of("email", local[0] + host[0]))
        done = host.end()
    return "".join([*parts, text[done:]])
