"""The language of a file, and whether anybody wrote it, by its name alone.

A table, since looking a lexer up costs more than rendering the whole diff.
"""

from __future__ import annotations

import re

_EXTENSIONS = {
    "Assembly": "asm s",
    "Batch": "bat cmd",
    "C": "c h",
    "C#": "cs csx",
    "C++": "cc cpp cxx hh hpp hxx inl ipp tpp",
    "CSS": "css less sass scss styl",
    "CSV": "csv tsv",
    "CUDA": "cu cuh",
    "Clojure": "clj cljc cljs edn",
    "CMake": "cmake",
    "Cython": "pxd pxi pyx",
    "D": "d",
    "Dart": "dart",
    "Dockerfile": "dockerfile",
    "Elixir": "ex exs heex",
    "Elm": "elm",
    "Erlang": "erl hrl",
    "F#": "fs fsi fsx",
    "Fortran": "f f03 f08 f77 f90 f95",
    "GLSL": "frag glsl vert",
    "Go": "go",
    "GraphQL": "gql graphql",
    "Groovy": "gradle groovy",
    "HCL": "hcl tf tfvars",
    "HTML": "htm html xhtml",
    "Haskell": "hs lhs",
    "INI": "cfg conf ini properties",
    "JSON": "json json5 jsonc jsonl webmanifest",
    "Java": "java",
    "JavaScript": "cjs js jsx mjs",
    "Jinja": "j2 jinja jinja2",
    "Julia": "jl",
    "Jupyter Notebook": "ipynb",
    "Kotlin": "kt kts",
    "Lisp": "el lisp lsp",
    "Lua": "lua",
    "MATLAB": "m",
    "Makefile": "mak mk",
    "Markdown": "markdown md mdx",
    "Nim": "nim",
    "Nix": "nix",
    "OCaml": "ml mli",
    "Objective-C": "mm",
    "PHP": "php phtml",
    "Pascal": "pas pp",
    "Perl": "pl pm",
    "PowerShell": "ps1 psd1 psm1",
    "Protocol Buffer": "proto",
    "Python": "py pyi pyw",
    "R": "r rmd",
    "Ruby": "gemspec rake rb ru",
    "Rust": "rs",
    "SQL": "ddl sql",
    "SVG": "svg",
    "Scala": "sbt sc scala",
    "Scheme": "rkt scm ss",
    "Shell": "bash fish ksh sh zsh",
    "Solidity": "sol",
    "Svelte": "svelte",
    "Swift": "swift",
    "TOML": "toml",
    "TeX": "bib cls sty tex",
    "Text": "text txt",
    "TypeScript": "cts mts ts tsx",
    "V": "v",
    "Vim Script": "vim",
    "Visual Basic": "bas vb",
    "Vue": "vue",
    "XML": "csproj plist props targets xml xsd xsl xslt",
    "YAML": "yaml yml",
    "Zig": "zig",
    "reStructuredText": "rst",
}
NAMES = frozenset(_EXTENSIONS)
"""The names of all languages that `language_of` tells."""

_BY_EXTENSION = {end: name for name, ends in _EXTENSIONS.items() for end in ends.split()}
_BY_NAME = {
    **dict.fromkeys(("brewfile", "gemfile", "rakefile", "podfile", "vagrantfile"), "Ruby"),
    **dict.fromkeys((".bashrc", ".bash_profile", ".profile", ".zshrc"), "Shell"),
    **dict.fromkeys(("makefile", "gnumakefile"), "Makefile"),
    **dict.fromkeys((".editorconfig", ".flake8", ".coveragerc", ".pylintrc"), "INI"),
    **dict.fromkeys(("license", "licence", "authors", "notice", "copying"), "Text"),
    "cmakelists.txt": "CMake",
    "dockerfile": "Dockerfile",
    "containerfile": "Dockerfile",
    "jenkinsfile": "Groovy",
    "justfile": "Makefile",
    "pipfile": "TOML",
    "readme": "Text",
    "requirements.txt": "Text",
}

_LOCKS = """
    bun.lock bun.lockb cargo.lock chart.lock composer.lock conan.lock conda-lock.yml
    deno.lock flake.lock gemfile.lock go.sum go.work.sum gradle.lockfile mix.lock
    npm-shrinkwrap.json package-lock.json package.resolved packages.lock.json pdm.lock
    pipfile.lock pixi.lock pnpm-lock.yaml podfile.lock poetry.lock pubspec.lock pylock.toml
    stack.yaml.lock uv.lock yarn.lock .terraform.lock.hcl"""
_BY_WHOLE_NAME = dict.fromkeys(_LOCKS.split(), "lock file")
_VENDORED = re.compile(
    r"(?:^|/)(?:vendor|vendored|_vendor|third[_-]party|3rdparty|node_modules|bower_components"
    r"|site-packages|Pods|Godeps)/"
)
_GENERATED = re.compile(
    r"(?:_pb2(?:_grpc)?\.pyi?|\.pb\.(?:go|cc|h|rb)|_pb\.(?:js|d\.ts)|\.pb\.swift|_grpc\.pb\.go"
    r"|\.g\.dart|\.freezed\.dart|\.g\.cs|\.designer\.cs|[_.]generated\.[a-z]+|\.gen\.(?:go|ts|rs)"
    r"|zz_generated[^/]*\.go|\.snap|\.ambr|\.tsbuildinfo|\.pyc|\.po~)$"
    r"|(?:^|/)(?:__snapshots__|__generated__|\.yarn/releases|\.yarn/plugins)/",
    re.IGNORECASE,
)
_MINIFIED = re.compile(r"[.-]min\.(?:js|mjs|css|html|json)$|\.(?:js|css)\.map$", re.IGNORECASE)
_BINARY = """
    7z a avi bin bmp bz2 class db dll dylib eot exe flac gif gz h5 ico jar jpeg jpg lib mo mov
    mp3 mp4 npy npz o obj ogg onnx otf pdf pickle pkl png pt pth rar safetensors so sqlite tar
    tgz tif tiff ttf wasm wav webm webp whl woff woff2 xls xlsx xz zip zst"""
_BY_END = dict.fromkeys(_BINARY.split(), "binary")


def language_of(path: str) -> str | None:
    """The name of the language of a file of this name, or None where the name doesn't tell."""
    name = path.rpartition("/")[2].lower()
    if known := _BY_NAME.get(name):
        return known
    if name.startswith("dockerfile."):
        return "Dockerfile"
    stem, dot, extension = name.rpartition(".")
    return _BY_EXTENSION.get(extension) if dot and stem else None


def unwritten(path: str) -> str | None:
    """Why nobody wrote a file of this name by hand, or None where somebody may have."""
    name = path.rpartition("/")[2].lower()
    if why := _BY_WHOLE_NAME.get(name):
        return why
    if _MINIFIED.search(name):
        return "minified"
    _, dot, extension = name.rpartition(".")
    if dot and (why := _BY_END.get(extension)):
        return why
    if _VENDORED.search(path):
        return "vendored"
    return "generated" if _GENERATED.search(path) else None
