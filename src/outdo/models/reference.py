"""What a model's name means: a folder, and a digest of what lies in it.

A model is named by content, so that the same weights are the same model wherever they lie, and
a changed tokenizer or template is another one. Nothing here needs torch.
"""

from __future__ import annotations

import functools
import json
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from outdo.errors import MissingExtra, ModelError
from outdo.models.served import FORMS, is_served, served
from outdo.records import digest
from outdo.store import file_digest

Kind = Literal["model", "adapter", "script", "api"]
Head = Literal["lm", "score"]

PACKAGE = Path(__file__).resolve().parent.parent

SPOKEN = (
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "vocab.json",
    "merges.txt",
    "added_tokens.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "chat_template.json",
)
"""The files of a tokenizer and its chat template."""

_PARTS = ("config.json", "generation_config.json", "adapter_config.json", *SPOKEN)
"""The files, beside safetensors, that decide what a model answers."""

RATES = "ForSequenceClassification"
"""How the name of an architecture ends that gives a text a number."""

BASE = "base_model_name_or_path"
"""Where peft writes what an adapter stands on."""

_FORMS = (
    "embedded/<name>, hf/<org>/<name>[@revision], run/<study>/<stage>, scripted/<file>, "
    f"{FORMS}, or a path such as ./model"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReference:
    """A model, an adapter or a script here; `digest` is that of all that decides its answers.

    Of a model behind an API the weights can't be seen: the digest is that of provider, model and
    address, and `path` leads nowhere.

    `head` is what stands on it: an output layer that says tokens, or one number for a whole text.
    """

    name: str
    path: Path
    digest: str
    kind: Kind = "model"
    base: ModelReference | None = None
    trusted: bool = False
    head: Head = "lm"

    @property
    def label(self) -> str:
        """The name by content, as completions carry it: `embedded/seedling@0123456789ab`."""
        return f"{self.name}@{self.digest[:12]}"

    @property
    def findable(self) -> str:
        """The name, or of a model that is named by a path the absolute one: both lead there."""
        return str(self.path.resolve()) if self.name[:1] in ("/", ".", "~") else self.name

    @property
    def bottom(self) -> ModelReference:
        """The model that carries the weights: itself, or what its adapters stand on."""
        return self.base.bottom if self.base else self

    @property
    def adapters(self) -> tuple[ModelReference, ...]:
        """The adapters on `bottom`, the lowest first; none for a model of its own."""
        return (*self.base.adapters, self) if self.base else ()


def resolve(
    name: str,
    *,
    runs: Path,
    base: ModelReference | None = None,
    trust_remote_code: bool = False,
    base_url: str | None = None,
) -> ModelReference:
    """The model that `name` means, checked to be whole.

    `base` stands in for the base that an adapter's own configuration names, `base_url` for the
    address of a model behind an API. Raises ModelError if the name has no known form, or its
    folder is missing, torn, or wants code of its own run, EngineError if a server has no address.
    """
    if name.startswith("scripted/"):
        return _script(name)
    if is_served(name):
        named = served(name, base_url=base_url).digest
        return ModelReference(name=name, path=Path(), digest=named, kind="api")
    path, name = _folder(name, runs)
    if (path / "adapter_config.json").is_file():
        return _adapter(name, path, runs=runs, base=base, trust_remote_code=trust_remote_code)
    if not (path / "config.json").is_file():
        raise ModelError(f"no config.json in {path}", "a Hugging Face model directory", where=name)
    config = _json(path / "config.json", name)
    if "auto_map" in config and not trust_remote_code:
        raise ModelError(
            "this model brings Python code of its own, which would be run",
            "outdo runs no code that comes with weights: use a model that transformers knows",
            where=name,
        )
    rates = any(str(one).endswith(RATES) for one in config.get("architectures") or ())
    return ModelReference(
        name=name,
        path=path,
        digest=_content(path, name),
        trusted=trust_remote_code,
        head="score" if rates else "lm",
    )


def _script(name: str) -> ModelReference:
    """A file of replies, which answers as a model would, and the same every time."""
    path = Path(name.removeprefix("scripted/")).expanduser()
    if not path.is_file():
        raise ModelError("no such script", "scripted/<path of a JSONL file>", where=name)
    return ModelReference(name=name, path=path.resolve(), digest=_file_digest(path), kind="script")


def _adapter(
    name: str, path: Path, *, runs: Path, base: ModelReference | None, trust_remote_code: bool
) -> ModelReference:
    config = _json(path / "adapter_config.json", name)
    if base is None:
        wanted = config.get(BASE)
        if not isinstance(wanted, str):
            raise ModelError("the adapter names no base model", "say which one", where=name)
        base = resolve(_named(wanted), runs=runs, trust_remote_code=trust_remote_code)
    report = path / "training.json"
    trained_on = _json(report, name).get("base", {}).get("digest") if report.is_file() else None
    if trained_on not in (None, base.digest):
        raise ModelError(
            f"the adapter was trained on another {base.name} ({trained_on[:12]}, this is "
            f"{base.digest[:12]})",
            "train it again, or bring that model back",
            where=name,
        )
    own = _content(path, name)
    return ModelReference(
        name=name,
        path=path,
        digest=digest([own, base.digest]),
        kind="adapter",
        base=base,
        trusted=trust_remote_code,
        head="score" if config.get("task_type") == "SEQ_CLS" else base.head,
    )


def _folder(name: str, runs: Path) -> tuple[Path, str]:
    """Where the named model lies, and its name with the revision pinned."""
    first, _, rest = name.partition("/")
    if first in (".", "..", "", "~"):
        return _existing(Path(name).expanduser(), name, "check the path"), name
    if first == "embedded" and rest:
        have = ", ".join(sorted(p.parent.name for p in PACKAGE.glob("embedded/*/config.json")))
        return _existing(
            PACKAGE / "embedded" / rest, name, f"embedded models: {have or 'none'}"
        ), name
    if first == "run" and rest.count("/"):
        study, _, stage = rest.partition("/")
        folder = runs / study / "stages" / stage
        have = ", ".join(sorted(p.name for p in folder.parent.glob("*")))
        hint = f"stages of {study}: {have}" if have else f"no study {study} was run in {runs}"
        return _existing(folder, name, hint), name
    if first == "hf" and rest.count("/") == 1:
        return _from_hub(name, rest)
    raise ModelError("no such form of a model's name", _FORMS, where=name)


def _named(wanted: str) -> str:
    """A base as an adapter's configuration names it; peft itself writes `org/name` for the hub."""
    known = wanted.partition("/")[0] in (".", "..", "", "~", "embedded", "run", "hf")
    return wanted if known else f"hf/{wanted}"


def _existing(path: Path, name: str, hint: str) -> Path:
    if not path.is_dir():
        raise ModelError("no such model", hint, where=name)
    return path.resolve()


def _from_hub(name: str, rest: str) -> tuple[Path, str]:
    """The snapshot of a hub model, from the cache where it holds it; its commit is in the name."""
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import (
            HfHubHTTPError,
            HFValidationError,
            LocalEntryNotFoundError,
        )
    except ImportError as error:
        raise MissingExtra.of("huggingface_hub", "train") from error
    repository, _, revision = rest.partition("@")
    fetch = functools.partial(
        snapshot_download,
        repository,
        revision=revision or None,
        allow_patterns=[*_PARTS, "*.safetensors*", "*.py"],
    )
    try:
        folder = fetch(local_files_only=True)
    except LocalEntryNotFoundError:
        try:
            folder = fetch(etag_timeout=5)
        except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
            raise ModelError(
                "not in the cache, and the hub can't be reached or has no such model",
                "download it where there is a network, or name a folder: ./model",
                where=name,
            ) from error
    except HFValidationError as error:
        raise ModelError("no name that the hub could have", _FORMS, where=name) from error
    return Path(folder), f"hf/{repository}@{Path(folder).name}"


def _json(path: Path, name: str) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path.name} can't be read: {error}", where=name) from error
    if not isinstance(data, dict):
        raise ModelError(f"{path.name} holds no object", where=name)
    return data


def _content(path: Path, name: str) -> str:
    """The digest of every file in the folder that decides what the model answers."""
    weights = sorted(path.glob("*.safetensors"))
    for index in path.glob("*.safetensors.index.json"):
        needed = set(_json(index, name).get("weight_map", {}).values())
        if missing := sorted(needed - {file.name for file in weights}):
            raise ModelError(f"{missing[0]} is missing", "the folder is half there", where=name)
    if not weights:
        raise ModelError(
            f"no safetensors in {path}", "convert the weights to safetensors", where=name
        )
    for file in weights:
        _check_whole(file, name)
    present = [path / part for part in _PARTS if (path / part).is_file()]
    files = [*present, *sorted(path.glob("*.safetensors.index.json")), *weights]
    return digest([[file.name, _part_digest(file, name)] for file in files])


def _part_digest(file: Path, name: str) -> str:
    """The digest of a file; where an adapter's base lies is no part of what it is."""
    if file.name != "adapter_config.json":
        return _file_digest(file)
    config = _json(file, name)
    return digest({key: said for key, said in config.items() if key != BASE})


def _check_whole(file: Path, name: str) -> None:
    """Raises unless the file is as long as its own header says."""
    torn = ModelError(f"{file.name} is torn", "copy or download it again", where=name)
    size = file.stat().st_size
    with file.open("rb") as stream:
        head = stream.read(8)
        if len(head) < 8 or (length := struct.unpack("<Q", head)[0]) > size - 8:
            raise torn
        try:
            header = json.loads(stream.read(length))
        except ValueError as error:
            raise torn from error
    ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
    if size != 8 + length + max(ends, default=0):
        raise torn


def _file_digest(file: Path) -> str:
    stat = file.stat()
    return _hashed(os.fspath(file), stat.st_size, stat.st_mtime_ns, stat.st_ino)


@functools.lru_cache(maxsize=4096)
def _hashed(file: str, size: int, mtime_ns: int, inode: int) -> str:
    """SHA-256 of a file; size, time and inode are there so that a changed one is read again."""
    del size, mtime_ns, inode
    return file_digest(Path(file))
