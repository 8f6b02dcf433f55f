"""Secrets go, the rest stays.

Tokens are put together as the tests run, so that no scanner cries.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdo import secrets
from outdo.diffs import parse
from outdo.errors import DataError
from outdo.secrets import scrub

ROOT = Path(__file__).parents[1]
ALNUM = string.ascii_letters + string.digits
UPPER = string.ascii_uppercase + string.digits
HEX = "0123456789abcdef"
WEB = ALNUM + "-_"


def draw(rng: random.Random, alphabet: str, length: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(length))


def tokens(seed: int) -> dict[str, str]:
    """One made-up token of each shape, none of which was ever issued."""
    rng = random.Random(seed)

    def of(alphabet: str, length: int) -> str:
        return draw(rng, alphabet, length)

    return {
        "aws": "AK" + "IA" + of(UPPER, 16),
        "aws temporary": "AS" + "IA" + of(UPPER, 16),
        "github": "gh" + "p_" + of(ALNUM, 36),
        "github fine": "github" + "_pat_" + of(ALNUM, 22) + "_" + of(ALNUM, 59),
        "gitlab": "gl" + "pat-" + of(WEB, 19) + "x",
        "slack": "xo" + "xb-" + of(string.digits, 12) + "-" + of(ALNUM, 24),
        "stripe": "sk" + "_live_" + of(ALNUM, 24),
        "openai": "sk" + "-proj-" + of(ALNUM, 48),
        "openai old": "sk" + "-" + of(ALNUM, 48),
        "anthropic": "sk" + "-ant-api03-" + of(ALNUM, 95),
        "google": "AI" + "za" + of(ALNUM, 35),
        "google secret": "GOC" + "SPX-" + of(ALNUM, 28),
        "hugging face": "hf" + "_" + of(string.ascii_letters, 34),
        "npm": "np" + "m_" + of(ALNUM, 36),
        "pypi": "py" + "pi-AgE" + of(WEB, 120) + "x",
        "sendgrid": "S" + "G." + of(ALNUM, 22) + "." + of(ALNUM, 43),
        "twilio": "S" + "K" + of(HEX, 32),
        "telegram": of("123456789", 9) + ":A" + "A" + of(ALNUM, 33),
        "digital ocean": "do" + "p_v1_" + of(HEX, 64),
        "databricks": "da" + "pi" + of(HEX, 32),
        "shopify": "shp" + "at_" + of(HEX, 32),
        "vault": "hv" + "s." + of(ALNUM, 30),
        "docker": "dck" + "r_pat_" + of(ALNUM, 27),
        "groq": "gs" + "k_" + of(ALNUM, 52),
        "new relic": "NR" + "AK-" + of(UPPER, 27),
        "jwt": "ey" + "J" + of(ALNUM, 20) + ".ey" + "J" + of(ALNUM, 40) + "." + of(ALNUM, 43),
    }


def base64_of(seed: int, length: int) -> str:
    return draw(random.Random(seed), ALNUM + "+/", length)


@pytest.mark.parametrize("provider", tokens(0))
def test_a_token_of_a_known_shape_goes_wherever_it_stands(provider: str):
    for seed in range(20):
        token = tokens(seed)[provider]
        for frame in ("{}", "+x = '{}'", "-{}", "+KEY={}", "export A={}\n", "({})", "a: {}, b"):
            scrubbed = scrub(frame.format(token))
            assert token not in scrubbed.text
            assert "-1>" in scrubbed.text
            assert scrubbed.found.total() == 1


@pytest.mark.parametrize(
    "line",
    [
        'password = "{}"',
        "+    'client_secret': '{}',",
        'API_KEY: str = "{}"',
        "DB_PASSWORD={}",
        "  access_token: {}",
        'os.environ["API_KEY"] = "{}"',
        'monkeypatch.setenv("SERVICE_TOKEN", "{}")',
        "Authorization: Bearer {}",
        "https://joe:{}@db.internal/x",
        "login(password='{}')",
    ],
)
def test_a_value_with_the_name_of_a_secret_goes(line: str):
    for seed in range(50):
        value = draw(random.Random(seed), ALNUM, 24)
        scrubbed = scrub(line.format(value))
        assert value not in scrubbed.text
        assert scrubbed.text.replace("<", "{").split("{")[0] == line.split("{")[0]


@pytest.mark.parametrize("password", ["hunter2", "Tr0ub4dor&3", "s33kred", "correct-horse-9"])
def test_a_weak_password_is_one_too(password: str):
    assert scrub(f'password="{password}"').text == 'password="<secret-1>"'


@pytest.mark.parametrize(
    "line",
    [
        'password = "password"',
        'password = os.environ["PASSWORD"]',
        'token = "{token}"',
        "token = get_token(request, 1, 2, 3)",
        "secret: ${{ secrets.DEPLOY_KEY_2 }}",
        'api_key="your-api-key"',
        "api_key = config.api_key2.value1",
        'key = "tests/data/file-1.json"',
        "cache_key = f'{name}-{version}'",
        "https://user:password@example.invalid/",
        "https://{user}:{token}@host.invalid/",
        'token_url = "https://example.invalid/oauth2/token"',
        "sk-learn-contrib-packages-of-many-words",
        "index 0205cc3..1e3c1d8 100644",
        "sha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'",
        "x = a @ b.to(device)",
        "y = w@x.T + q@k.transpose(0, 1)",
        "uses: actions/checkout@v4",
        "git@forge.com:team/repository.git",
        "@pytest.mark.parametrize",
        "logo@2x.png",
        "-----BEGIN PRIVATE KEY----- is how one begins",
    ],
)
def test_what_is_no_secret_stays(line: str):
    assert scrub(line).text == line
    assert scrub(line).found.total() == 0


def test_hashes_of_lock_files_stay():
    hashed = "sha512-" + base64_of(1, 86) + "=="
    line = f'    "integrity": "{hashed}",\n    {{file = "a.whl", hash = "sha256:{"ab" * 32}"}},\n'
    assert scrub(line).text == line


def test_a_drawn_string_goes_even_without_a_name():
    value = base64_of(7, 44)
    assert scrub(f'connect("{value}")').text == 'connect("<secret-1>")'
    assert scrub(f'digest == "{value}"').found.total() == 0


def test_addresses_are_numbered_by_their_values():
    scrubbed = scrub("From: a.b+c@Work.example, joe@mail.co.uk\nCc: a.b+c@Work.example.\n")
    assert scrubbed.text == "From: <email-1>, <email-2>\nCc: <email-1>.\n"
    assert scrubbed.found == {"email": 3}


@pytest.mark.parametrize("mark", ["+", "-", " "])
def test_the_mark_of_a_line_is_no_part_of_an_address(mark: str):
    assert scrub(f"{mark}joe@mail.com").text == f"{mark}<email-1>"


def pem(lines: int = 6) -> list[str]:
    body = [base64_of(n, 64) for n in range(lines)] + [base64_of(99, 12) + "=="]
    kind = "RSA PRIV" + "ATE KEY"
    return [f"-----BEGIN {kind}-----", *body, f"-----END {kind}-----"]


@pytest.mark.parametrize("frame", ["{}", "+{}", "-{}", "     {}", '+    "{}\\n"'])
def test_private_keys_lose_their_bodies_line_by_line(frame: str):
    rows = [frame.format(row) for row in pem()]
    scrubbed = scrub("\n".join(["before", *rows, "after = 1"]))
    lines = scrubbed.text.split("\n")
    assert len(lines) == len(rows) + 2
    assert (lines[1], lines[-2], lines[-1]) == (rows[0], rows[-1], "after = 1")
    assert all("<private-key-" in line for line in lines[2:-2])
    if frame != "{}":
        assert [line[:1] for line in lines[1:-1]] == [row[:1] for row in rows]
    assert not any(row in scrubbed.text for row in pem()[1:-1])


def test_a_private_key_on_one_line_and_one_that_is_cut():
    one = "\\n".join(pem())
    assert scrub(f'key = "{one}"').found["private-key"] == 1
    assert pem()[1] not in scrub(f'key = "{one}"').text
    cut = "\n".join([f"+{row}" for row in pem()[:4]])
    assert scrub(cut).found["private-key"] == 3


def test_scrubbing_twice_changes_nothing_more():
    rows = [f"+{token}" for token in tokens(3).values()] + pem() + ["password='hunter2'", "a@b.com"]
    once = scrub("\n".join(rows))
    twice = scrub(once.text)
    assert (twice.text, twice.found.total()) == (once.text, 0)


@given(st.text(alphabet=st.sampled_from("+-@.:/=\"' \nsk_aB3tokenpassword<>{}\\\r"), max_size=120))
def test_lines_and_their_marks_stay_whatever_the_text(text: str):
    scrubbed = scrub(text).text
    assert scrubbed.count("\n") == text.count("\n")
    for before, after in zip(text.split("\n"), scrubbed.split("\n"), strict=True):
        if before[:1] in {"+", "-", " ", "@"}:
            assert after[:1] == before[:1]


@pytest.mark.parametrize(
    "piece",
    [
        "sk-",
        "api_key=",
        "a@",
        "a@b.",
        "password='",
        "xxxxx@://",
        "-----BEGIN PRIVATE KEY-----\n",
        "A",
    ],
)
def test_hundreds_of_thousands_of_anything(piece: str):
    """It ends: a search that took the square of this would not."""
    text = piece * (400_000 // len(piece))
    assert scrub(text).text.count("\n") == text.count("\n")


def test_a_text_too_long_to_be_read_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(secrets, "MOST_CHARACTERS", 100)
    with pytest.raises(DataError, match="too long to be searched"):
        scrub("x" * 101)


def test_of_nothing_comes_nothing():
    assert scrub("") == secrets.Scrubbed(text="", found=scrub("").found)
    assert secrets.entropy("") == 0.0
    assert secrets.entropy("abcd") == 2.0


# ------------------------------------------------------------------ real diffs


@pytest.fixture(scope="module")
def real() -> list[str]:
    folder = Path(os.environ.get("OUTDO_DATA", ROOT.parent / "shared" / "data"))
    path = folder / "pull-requests-permissive" / "prs.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"{path} isn't there: set OUTDO_DATA")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line)["diff"] for line in file]


def test_planted_secrets_are_all_found_and_the_diff_stays_a_diff(real: list[str]):
    """A secret in an added line of each diff; hunks, marks and numbers are as before."""
    planted = 0
    for seed, diff in enumerate(real[::30]):
        rows = diff.split("\n")
        added = [n for n, row in enumerate(rows) if row.startswith("+") and row[:3] != "+++"]
        if not added:
            continue
        rng = random.Random(seed)
        made = tokens(seed)
        name = rng.choice(sorted(made))
        rows[rng.choice(added)] += f"  # {made[name]}, ask joe{seed}@mail.com"
        text = "\n".join(rows)
        scrubbed = scrub(text)
        assert made[name] not in scrubbed.text
        assert f"joe{seed}@mail.com" not in scrubbed.text
        before, after = parse(text), parse(scrubbed.text)
        assert after.problems == before.problems
        assert shape(after) == shape(before)
        planted += 1
    assert planted > 200


def shape(diff):
    return [
        (hunk.old_start, hunk.new_start, [(line.kind, line.old, line.new) for line in hunk.lines])
        for file in diff.files
        for hunk in file.hunks
    ]


def test_few_lines_of_real_diffs_are_taken_for_secrets(real: list[str]):
    """All of these diffs are public; what is found in them is test data, or a false alarm."""
    sample = real[::15]
    found = sum((scrub(diff).found for diff in sample), start=scrub("").found)
    found.pop("email", None)
    lines = sum(diff.count("\n") for diff in sample)
    assert lines > 40_000
    assert found.total() < 0.0005 * lines
