"""Known weaknesses put into safe code, and taken out of unsafe code, all else as it was written.

Each `Weakness` names the rule of Bandit that finds it. `weaken` gives the changes that put it in,
one place at a time, `mend` those that take it out. Whether the rule sees it that way, only running
the rule can say.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from outdo.data.verified.spots import Change, Source

Finder = Callable[[Source], Iterator[list[Change]]]
"""For each place where something can be changed the changes that belong together."""


def nothing(_source: Source) -> Iterator[list[Change]]:
    """No changes: a weakness that is put in and not taken out, or the other way round."""
    return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Weakness:
    """A weakness that a rule finds; `needs` are modules that its places use after a change."""

    name: str
    rule: str
    weaken: Finder = nothing
    mend: Finder = nothing
    needs: tuple[str, ...] = ()


def _word(call: ast.Call, name: str) -> ast.keyword | None:
    return next((word for word in call.keywords if word.arg == name), None)


def _is(node: ast.AST | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _renamed(pairs: dict[str, str]) -> Finder:
    """Calls of one dotted name become calls of another, written with the module in front."""

    def find(source: Source) -> Iterator[list[Change]]:
        for name, call in source.calls:
            if name in pairs and isinstance(call.func, ast.Attribute):
                yield [source.put(call.func, pairs[name])]

    return find


def _swapped(pairs: dict[str, str]) -> dict[str, str]:
    return {new: old for old, new in pairs.items()}


# ------------------------------------------------------------------ reading what others wrote


def _yaml_loaded(source: Source) -> Iterator[list[Change]]:
    for name, call in source.calls:
        if name == "yaml.safe_load" and len(call.args) == 1 and not call.keywords:
            yield [
                source.put(call.func, "yaml.load"),
                source.extended(call, "Loader=yaml.Loader"),
            ]
        loader = _word(call, "Loader")
        if name == "yaml.load" and loader and source.dotted(loader.value) in SAFE_LOADERS:
            yield [source.put(loader.value, "yaml.Loader")]


SAFE_LOADERS = ("yaml.SafeLoader", "yaml.CSafeLoader")


def _yaml_safe(source: Source) -> Iterator[list[Change]]:
    for name, call in source.calls:
        loader = _word(call, "Loader")
        if name != "yaml.load" or len(call.args) != 1:
            continue
        if loader is None and not call.keywords:
            yield [source.put(call.func, "yaml.safe_load")]
            continue
        unsafe = loader is not None and source.dotted(loader.value) not in SAFE_LOADERS
        if loader is not None and unsafe and len(call.keywords) == 1:
            yield [source.put(call.func, "yaml.safe_load"), source.without(call, loader)]


def _evaluated(source: Source) -> Iterator[list[Change]]:
    for name, call in source.calls:
        if name == "ast.literal_eval" and len(call.args) == 1:
            yield [source.put(call.func, "eval")]


def _literal(source: Source) -> Iterator[list[Change]]:
    for name, call in source.calls:
        if name == "eval" and len(call.args) == 1 and not call.keywords:
            yield [source.put(call.func, "ast.literal_eval")]


def _unpickled(source: Source) -> Iterator[list[Change]]:
    """What a program writes by `json.dumps` and reads by `json.loads`, by `pickle` instead."""
    found = [(n, call) for n, call in source.calls if n in ("json.dumps", "json.loads")]
    plain = all(len(call.args) == 1 and not call.keywords for _, call in found)
    if plain and len({name for name, _ in found}) == 2:
        yield [source.put(call.func, name.replace("json", "pickle")) for name, call in found]


def _extracted(source: Source) -> Iterator[list[Change]]:
    for _, call in source.calls:
        checked = _word(call, "filter")
        if isinstance(call.func, ast.Attribute) and call.func.attr == "extractall" and checked:
            yield [source.without(call, checked)]


def _loaded_whole(source: Source) -> Iterator[list[Change]]:
    for name, call in source.calls:
        only = _word(call, "weights_only")
        if name == "torch.load" and only and _is(only.value, True):
            yield [source.without(call, only)]


def _weights_only(source: Source) -> Iterator[list[Change]]:
    for name, call in source.calls:
        if name == "torch.load" and not _word(call, "weights_only"):
            yield [source.extended(call, "weights_only=True")]


# ------------------------------------------------------------------ commands and queries

STARTING = tuple(
    f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen")
)


def _shelled(source: Source) -> Iterator[list[Change]]:
    """A command as a list of words becomes one text that a shell reads."""
    for name, call in source.calls:
        if name not in STARTING or not call.args or not isinstance(call.args[0], ast.List):
            continue
        line = _line(source, call.args[0])
        shell = _word(call, "shell")
        if line is None or not (shell is None or _is(shell.value, False)):
            continue
        said = source.put(call.args[0], line)
        yield [said, source.put(shell.value, "True") if shell
               else source.extended(call, "shell=True")]  # fmt: skip


def _line(source: Source, words: ast.List) -> str | None:
    """The f-string that joins a command's words; None if no word is open, or one can't be said."""
    parts: list[str] = []
    quoted = False
    for word in words.elts:
        if isinstance(word, ast.Constant) and isinstance(word.value, str):
            said = word.value
            if not said.isprintable() or any(mark in said for mark in "{}\"'\\ "):
                return None
            parts.append(said)
        elif isinstance(word, ast.Name | ast.Attribute):
            parts.append(f"{{{source.said(word)}}}")
            quoted = True
        elif source.called(word) == "str" and isinstance(word, ast.Call) and len(word.args) == 1:
            inner = source.said(word.args[0])
            if "\n" in inner or any(mark in inner for mark in "{}\"'\\"):
                return None
            parts.append(f"{{{inner}}}")
            quoted = True
        else:
            return None
    return f'f"{" ".join(parts)}"' if quoted else None


def _worded(source: Source) -> Iterator[list[Change]]:
    """A text that a shell reads becomes words that none reads: `shell=True` goes."""
    for name, call in source.calls:
        shell = _word(call, "shell")
        if name in STARTING and len(call.args) == 1 and shell and _is(shell.value, True):
            words = _words(source, call.args[0])
            if words is not None:
                yield [source.put(call.args[0], words), source.without(call, shell)]


def _started(source: Source) -> Iterator[list[Change]]:
    """`os.system(text)` becomes a process that is started by its words."""
    for name, call in source.calls:
        words = _words(source, call.args[0]) if name == "os.system" and call.args else None
        if words is not None:
            yield [source.put(call, f"subprocess.run({words}).returncode")]


SHELL_MARKS = "|&;<>$`*~\n"
"""What a shell does more with than to pass it on."""


def _words(source: Source, line: ast.expr) -> str | None:
    """A command's text as code that gives its words."""
    if isinstance(line, ast.JoinedStr):
        return _words_of_format(line)
    said = [one.value for one in ast.walk(line) if isinstance(one, ast.Constant)]
    shells = any(mark in str(one) for one in said for mark in SHELL_MARKS)
    if isinstance(line, ast.List | ast.Tuple) or shells:
        return None
    return f"shlex.split({source.said(line)})"


def _words_of_format(line: ast.JoinedStr) -> str | None:
    """The words of an f-string, each value a word or within one, as a list's code."""
    words: list[list[str]] = [[]]
    for part in line.values:
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            if any(mark in part.value for mark in "'\"|&;<>$`\\{}*~()\n"):
                return None
            pieces = part.value.split(" ")
            words[-1].append(pieces[0])
            words += [[piece] for piece in pieces[1:]]
        elif isinstance(part, ast.FormattedValue) and part.conversion < 0 and not part.format_spec:
            words[-1].append("{" + ast.unparse(part.value) + "}")
        else:
            return None
    said = ["".join(word) for word in words if "".join(word)]
    if not said or any('"' in word for word in said):
        return None
    return "[" + ", ".join(f'f"{word}"' if "{" in word else f'"{word}"' for word in said) + "]"


def _formatted(source: Source) -> Iterator[list[Change]]:
    """A query with its values apart becomes one text with the values in it."""
    for query, values in _queries(source):
        text = query.value
        assert isinstance(text, str)
        marks = text.count("?") + text.count("%s")
        if marks != len(values.elts) or not values.elts or ("?" in text) == ("%s" in text):
            continue
        said = source.said(query)
        if said[:1] not in "'\"" or "{" in text:
            continue
        holder = "?" if "?" in text else "%s"
        filled = said
        for value in values.elts:
            inner = source.said(value)
            if "\n" in inner or any(mark in inner for mark in "\\'\""):
                break
            filled = filled.replace(holder, f"'{{{inner}}}'" if said[0] == '"' else
                                    f'"{{{inner}}}"', 1)  # fmt: skip
        else:
            start, _ = source.at(query)
            yield [Change(start, source.at(values)[1], f"f{filled}")]


def _queries(source: Source) -> Iterator[tuple[ast.Constant, ast.Tuple | ast.List]]:
    """Calls of `execute` with a text and its values."""
    for _, call in source.calls:
        match call:
            case ast.Call(
                func=ast.Attribute(attr="execute" | "executemany"),
                args=[ast.Constant(value=str()) as query, ast.Tuple() | ast.List() as values],
                keywords=[],
            ):
                yield query, values


def _parametrised(source: Source) -> Iterator[list[Change]]:
    """A query with values formatted into it becomes one with the values apart."""
    for _, call in source.calls:
        match call:
            case ast.Call(
                func=ast.Attribute(attr="execute"),
                args=[
                    ast.BinOp(left=ast.Constant(value=str()) as query, op=ast.Mod(), right=right)
                ],
                keywords=[],
            ) if _values_alone(str(query.value)):
                said = source.said(query).replace("'%s'", "%s").replace('"%s"', "%s")
                wrapped = isinstance(right, ast.Tuple)
                values = source.said(right) if wrapped else f"({source.said(right)},)"
                yield [source.put(call.args[0], f"{said}, {values}")]
            case ast.Call(
                func=ast.Attribute(attr="execute"), args=[ast.JoinedStr() as query], keywords=[]
            ):
                apart = _apart(query)
                if apart is not None:
                    yield [source.put(query, apart)]


def _apart(query: ast.JoinedStr) -> str | None:
    """The text of a formatted query with marks for its values, and the values after it."""
    said: list[str] = []
    values: list[str] = []
    for part in query.values:
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            said.append(part.value)
        elif isinstance(part, ast.FormattedValue) and not part.format_spec:
            said.append("%s")
            values.append(ast.unparse(part.value))
    text = "".join(said).replace("'%s'", "%s").replace('"%s"', "%s")
    return f"{text!r}, ({', '.join(values)},)" if values and _values_alone(text) else None


def _values_alone(query: str) -> bool:
    """Whether all marks of a query stand for values: a table's name can't be handed over."""
    before = [part.rstrip("'\" \t\n") for part in query.split("%s")[:-1]]
    words = ("like", "values", "between", "and", "limit", "offset", "in")
    return all(
        part.endswith(("=", "<", ">", "(", ",")) or part.lower().endswith(words) for part in before
    )


# ------------------------------------------------------------------ secrets and chance

STRONG = {f"hashlib.{name}": "hashlib.md5" for name in ("sha256", "sha512", "sha384", "blake2b")}
WEAK = {"hashlib.md5": "hashlib.sha256", "hashlib.sha1": "hashlib.sha256"}


def _strong(source: Source) -> Iterator[list[Change]]:
    """All weak hashes of a program, for they are often compared with each other."""
    changes = [
        source.put(call.func, WEAK[name])
        for name, call in source.calls
        if name in WEAK and isinstance(call.func, ast.Attribute) and not call.keywords
    ]
    if changes:
        yield changes


CHANCE = {
    "secrets.choice": "random.choice",
    "secrets.randbelow": "random.randrange",
    "secrets.token_bytes": "random.randbytes",
    "secrets.SystemRandom": "random.Random",
    "secrets.randbits": "random.getrandbits",
    "random.SystemRandom": "random.Random",
}

DRAWN = ("random", "randrange", "randint", "choice", "uniform", "getrandbits", "choices")


def _drawn(source: Source) -> Iterator[list[Change]]:
    yield from _renamed(CHANCE)(source)
    for name, call in source.calls:
        if name == "secrets.token_hex" and len(call.args) == 1 and not call.keywords:
            size = source.said(call.args[0])
            yield [source.put(call, f"random.randbytes({size}).hex()")]


def _undrawn(source: Source) -> Iterator[list[Change]]:
    """Draws of `random` become draws of the system's generator, all of a program at once."""
    changes = [
        source.put(call.func, f"random.SystemRandom().{name.partition('.')[2]}")
        for name, call in source.calls
        if name in {f"random.{one}" for one in DRAWN} and isinstance(call.func, ast.Attribute)
    ]
    seeded = any(name == "random.seed" for name, _ in source.calls)
    if changes and not seeded:
        yield changes


SECRET = ("password", "passwd", "pwd", "secret", "token", "api_key", "apikey")


def _written_out(source: Source) -> Iterator[list[Change]]:
    """A password out of the environment becomes one in the code."""
    for node in source.nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case _:
                continue
        asked = source.called(value) in ("os.getenv", "os.environ.get")
        stored = isinstance(value, ast.Subscript) and source.dotted(value.value) == "os.environ"
        if (asked or stored) and any(word in name.lower() for word in SECRET):
            yield [source.put(value, '"Kq7-tulip-49"')]


def _asked_for(source: Source) -> Iterator[list[Change]]:
    """A password in the code becomes one out of the environment."""
    for node in source.nodes:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)], value=ast.Constant(value=str() as said) as value
            ) if said and any(word in name.lower() for word in SECRET):
                yield [source.put(value, f'os.environ["{name.upper()}"]')]


# ------------------------------------------------------------------ connections

ASKING = tuple(
    f"requests.{name}" for name in ("get", "post", "put", "delete", "head", "patch", "request")
)


def _unverified(source: Source) -> Iterator[list[Change]]:
    for name, call in source.calls:
        if name not in ASKING or any(word.arg is None for word in call.keywords):
            continue
        verify = _word(call, "verify")
        if verify is None:
            yield [source.extended(call, "verify=False")]
        elif _is(verify.value, True):
            yield [source.put(verify.value, "False")]


def _verified(source: Source) -> Iterator[list[Change]]:
    for name, call in source.calls:
        verify = _word(call, "verify")
        if name in ASKING and verify and _is(verify.value, False):
            yield [source.without(call, verify)]


def _endless(source: Source) -> Iterator[list[Change]]:
    for name, call in source.calls:
        limit = _word(call, "timeout")
        if name in ASKING and limit and not _is(limit.value, None):
            yield [source.without(call, limit)]


def _bounded(source: Source) -> Iterator[list[Change]]:
    for name, call in source.calls:
        plain = all(word.arg not in (None, "timeout") for word in call.keywords)
        if name in ASKING and plain:
            yield [source.extended(call, "timeout=10")]


def _open_to_all(source: Source) -> Iterator[list[Change]]:
    """A server for this machine alone listens to everybody."""
    for node in source.nodes:
        if isinstance(node, ast.Call):
            listening = source.called(node).rpartition(".")[2] in LISTENING
            parts = [*node.args, *(word.value for word in node.keywords)] if listening else []
            parts += [item for one in parts if isinstance(one, ast.Tuple) for item in one.elts]
            for part in parts:
                if isinstance(part, ast.Constant) and part.value in ("127.0.0.1", "localhost"):
                    yield [source.put(part, '"0.0.0.0"')]


LISTENING = ("bind", "run", "serve", "create_server", "start_server", "HTTPServer", "TCPSite")

UNCHECKED = {"ssl.create_default_context": "ssl._create_unverified_context"}
TRUSTING = {
    "paramiko.RejectPolicy": "paramiko.AutoAddPolicy",
    "paramiko.client.RejectPolicy": "paramiko.client.AutoAddPolicy",
}

# ------------------------------------------------------------------ files and pages


def _guessable(source: Source) -> Iterator[list[Change]]:
    """A new file of the system's becomes a name that somebody else may take first."""
    for name, call in source.calls:
        if name == "tempfile.NamedTemporaryFile" and not call.args and not call.keywords:
            yield [source.put(call, 'open(tempfile.mktemp(), "w+b")')]
    for node in source.nodes:
        match node:
            case ast.Subscript(value=ast.Call(args=[]) as made, slice=ast.Constant(value=1)):
                if source.called(made) == "tempfile.mkstemp":
                    words = source.said(made).partition("(")[2]
                    yield [source.put(node, f"tempfile.mktemp({words}")]


def _unguessable(source: Source) -> Iterator[list[Change]]:
    for name, call in source.calls:
        if name == "tempfile.mktemp":
            words = source.said(call).partition("(")[2]
            yield [source.put(call, f"tempfile.mkstemp({words}[1]")]


def _known_folder(source: Source) -> Iterator[list[Change]]:
    for name, call in source.calls:
        if name == "tempfile.gettempdir":
            yield [source.put(call, '"/tmp"')]


def _open_file(source: Source) -> Iterator[list[Change]]:
    for mode, bits in _modes(source):
        if bits & 0o022 == 0:
            yield [source.put(mode, "0o777")]


def _closed_file(source: Source) -> Iterator[list[Change]]:
    for mode, bits in _modes(source):
        if bits & 0o022:
            yield [source.put(mode, "0o700")]


def _modes(source: Source) -> Iterator[tuple[ast.Constant, int]]:
    """The modes that `chmod` is given as numbers, and their bits."""
    for _, call in source.calls:
        named = isinstance(call.func, ast.Attribute) and call.func.attr in ("chmod", "fchmod")
        for one in call.args if named else []:
            if isinstance(one, ast.Constant) and type(one.value) is int:
                yield one, one.value


def _unescaped(source: Source) -> Iterator[list[Change]]:
    for name, call in source.calls:
        escape = _word(call, "autoescape")
        if name == "jinja2.Environment" and escape and not _is(escape.value, False):
            yield [source.put(escape.value, "False")]


def _escaped(source: Source) -> Iterator[list[Change]]:
    for name, call in source.calls:
        escape = _word(call, "autoescape")
        if name != "jinja2.Environment" or any(word.arg is None for word in call.keywords):
            continue
        if escape is None:
            yield [source.extended(call, "autoescape=True")]
        elif _is(escape.value, False):
            yield [source.put(escape.value, "True")]


def _debugging(source: Source) -> Iterator[list[Change]]:
    for name, call in source.calls:
        debug = _word(call, "debug")
        if name == "app.run" and (debug is None or _is(debug.value, False)):
            yield [source.put(debug.value, "True") if debug
                   else source.extended(call, "debug=True")]  # fmt: skip


def _not_debugging(source: Source) -> Iterator[list[Change]]:
    for name, call in source.calls:
        debug = _word(call, "debug")
        if name.endswith(".run") and debug and _is(debug.value, True):
            yield [source.put(debug.value, "False")]


def _weakness(
    name: str, rule: str, weaken: Finder = nothing, mend: Finder = nothing, needs: str = ""
) -> Weakness:
    return Weakness(name=name, rule=rule, weaken=weaken, mend=mend, needs=tuple(needs.split()))


WEAKNESSES: tuple[Weakness, ...] = (
    _weakness("yaml-load", "B506", _yaml_loaded, _yaml_safe),
    _weakness("eval", "B307", _evaluated, _literal, "ast"),
    _weakness("pickle", "B301", _unpickled, needs="pickle"),
    _weakness("extract-all", "B202", _extracted),
    _weakness("whole-pickle", "B614", _loaded_whole, _weights_only),
    _weakness("shell", "B602", _shelled, _worded, "shlex"),
    _weakness("system", "B605", nothing, _started, "shlex subprocess"),
    _weakness("formatted-query", "B608", _formatted, _parametrised),
    _weakness("weak-hash", "B324", _renamed(STRONG), _strong),
    _weakness("guessable-draw", "B311", _drawn, _undrawn, "random"),
    _weakness("password-in-code", "B105", _written_out, _asked_for, "os"),
    _weakness("no-certificate-check", "B501", _unverified, _verified),
    _weakness("no-timeout", "B113", _endless, _bounded),
    _weakness("open-to-all", "B104", _open_to_all),
    _weakness("unchecked-context", "B323", _renamed(UNCHECKED), _renamed(_swapped(UNCHECKED))),
    _weakness("unknown-hosts", "B507", _renamed(TRUSTING), _renamed(_swapped(TRUSTING))),
    _weakness("guessable-name", "B306", _guessable, _unguessable),
    _weakness("shared-folder", "B108", _known_folder),
    _weakness("open-file", "B103", _open_file, _closed_file),
    _weakness("unescaped-page", "B701", _unescaped, _escaped),
    _weakness("debugger", "B201", _debugging, _not_debugging),
)
"""Every weakness, by the rule of Bandit that finds it."""
