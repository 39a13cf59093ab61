"""Settings: one row each, read from the environment, a project file and a user file.

Precedence: environment `CR1_<KEY>` > the nearest `cr1.toml` upward from the
working directory > `$XDG_CONFIG_HOME/cr1cc/config.toml` > the default.
On the path of every compile: without files nothing but `os` is needed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from cr1cc.errors import UserError

PROJECT_FILE = "cr1.toml"
LOCK_FILE = "cr1.lock"

# Where a project ends: no lockfile is looked for above.
_REPOSITORY = (".git", ".hg", ".svn")

Value = bool | int | str


def _boolean(given: object) -> bool:
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given.lower() in _BOOLEANS:
        return _BOOLEANS[given.lower()]
    raise ValueError("must be true or false")


def _integer(low: int, high: int) -> Callable[[object], int]:
    def read(given: object) -> int:
        if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 10:
            given = int(given)
        if isinstance(given, bool) or not isinstance(given, int) or not low <= given <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return given

    return read


def _choice(*names: str) -> Callable[[object], str]:
    def read(given: object) -> str:
        if not isinstance(given, str) or given not in names:
            raise ValueError(f"must be one of {', '.join(names)}")
        return given

    return read


def _text(given: object) -> str:
    # A NUL or a line break can be no part of a path that a person means.
    if not isinstance(given, str) or any(character in given for character in "\0\n\r"):
        raise ValueError("must be one line of text")
    return given


def _size(given: object) -> int:
    import re  # here, because most commands read no such setting

    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    match = (
        re.fullmatch(r"([0-9]{1,15}) ?([KMGT]?)(i?B)?", given) if isinstance(given, str) else None
    )
    if match is None:
        raise ValueError('must be a size such as "500M" or "1G"')
    value = int(match[1]) << 10 * " KMGT".index(match[2] or " ")
    if not _SMALLEST_CACHE <= value < 1 << 60:
        raise ValueError("must be at least 1M")
    return value


_BOOLEANS = {"1": True, "true": True, "yes": True, "on": True}
_BOOLEANS |= {"0": False, "false": False, "no": False, "off": False}

_COMPILERS = ("clang", "clangxx", "gcc", "gxx")

_SMALLEST_CACHE = 1 << 20  # an empty database is not much smaller


class Setting(NamedTuple):
    """One row: how the value is read, and what it means. `path`: relative to its file."""

    key: str
    kind: str  # for people: "boolean", "number", "path", ...
    read: Callable[[object], Value]
    default: Value
    meaning: str
    path: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "admit",
        "name",
        _choice("proved", "tested"),
        "proved",
        "what a body that no compiler made must at least be",
    ),
    Setting(
        "asm_model", "path", _text, "", "a model that proposes windows besides the rules", path=True
    ),
    Setting("budget", "number", _integer(0, 100_000), 8, "recipes evaluated for one module"),
    Setting("cache", "boolean", _boolean, True, "keep decisions in the local cache"),
    Setting("cache_dir", "path", _text, "", "where the local cache lies", path=True),
    Setting("cache_size", "size", _size, 1 << 30, "size limit of the local cache, in bytes"),
    Setting("clang", "path", _text, "", "the real clang; empty: found by itself", path=True),
    Setting(
        "clang_donors", "boolean", _boolean, False, "let clang make objects for commands of gcc too"
    ),
    Setting("clangxx", "path", _text, "", "the real clang++; empty: beside `clang`", path=True),
    Setting("daemon", "boolean", _boolean, True, "start a resident process, and use it"),
    Setting("enabled", "boolean", _boolean, True, "false: every command goes straight through"),
    Setting(
        "frozen", "boolean", _boolean, False, "where no lockfile decides, the own object stays"
    ),
    Setting("gcc", "path", _text, "", "the real gcc; empty: found by itself", path=True),
    Setting("gxx", "path", _text, "", "the real g++; empty: beside `gcc`", path=True),
    Setting(
        "isa",
        "name",
        _choice("", "x86-64-v2", "x86-64-v3", "x86-64-v4", "native"),
        "",
        "instruction set that `cr1 tune` may use; empty: the command's own",
    ),
    Setting("lock", "path", _text, "", "the lockfile; empty: the nearest cr1.lock", path=True),
    Setting("model", "path", _text, "", "the model file; empty: the one that ships", path=True),
    Setting("packs", "boolean", _boolean, True, "consult the decision packs that are shipped"),
    Setting(
        "proposer",
        "name",
        _choice("agent", "baseline", "coreset", "model", "random", "search"),
        "coreset",
        "who proposes recipes",
    ),
    Setting(
        "rewrite",
        "name",
        _choice("off", "gcc", "all"),
        "gcc",
        "whose assembly rules make shorter, each place proved; off: it stays as it is",
    ),
    Setting("tail_budget", "number", _integer(0, 1000), 3, "tails tried on each function"),
)


class Config(NamedTuple):
    """The settings in force; `origins` says for each key where its value came from."""

    admit: str = "proved"
    asm_model: str = ""
    budget: int = 8
    cache: bool = True
    cache_dir: str = ""
    cache_size: int = 1 << 30
    clang: str = ""
    clang_donors: bool = False
    clangxx: str = ""
    daemon: bool = True
    enabled: bool = True
    frozen: bool = False
    gcc: str = ""
    gxx: str = ""
    isa: str = ""
    lock: str = ""
    model: str = ""
    packs: bool = True
    proposer: str = "coreset"
    rewrite: str = "gcc"
    tail_budget: int = 3
    origins: Mapping[str, str] = MappingProxyType({})


def load(environ: Mapping[str, str], cwd: str) -> Config:
    """The settings for a command started in directory `cwd` with `environ`.

    An environment variable that is set but empty counts as not set.
    Raises UserError (one line, names the file and the key) for a file that is not
    TOML or cannot be read, an unknown key and a value of the wrong type.
    """
    values: dict[str, Value] = {row.key: row.default for row in SETTINGS}
    values["cache_dir"] = cache_home(environ)
    origins = dict.fromkeys(values, "default")
    for name, path in (("user file", user_file(environ)), ("project file", project_file(cwd))):
        if path is None:
            continue
        for key, given in _read_file(path).items():
            row = _row(key, path)
            values[key] = _read(row, given, f"{path}: {key}", os.path.dirname(path), environ)
            origins[key] = f"{name} {path}"
    for row in SETTINGS:
        variable = f"CR1_{row.key.upper()}"
        if text := environ.get(variable):
            values[row.key] = _read(row, text, variable, cwd, environ)
            origins[row.key] = f"environment {variable}"
    return Config(**values, origins=origins)  # type: ignore[arg-type]


def user_file(environ: Mapping[str, str]) -> str | None:
    """The user's own settings file if there is one."""
    path = os.path.join(_xdg(environ, "XDG_CONFIG_HOME", ".config"), "config.toml")
    return path if os.path.exists(path) else None


def project_file(cwd: str) -> str | None:
    """The nearest `cr1.toml` in `cwd` or a directory above it."""
    for folder in _upward(cwd):
        path = os.path.join(folder, PROJECT_FILE)
        if os.path.exists(path):
            return path
    return None


def find_lock(setting: str, cwd: str) -> str | None:
    """The lockfile of a command in folder `cwd`: the one that is set, or the nearest `cr1.lock`
    in `cwd` or above it, up to the top of the repository. None: there is none."""
    if setting:
        return setting
    for folder in _upward(cwd):
        path = os.path.join(folder, LOCK_FILE)
        if os.path.exists(path):
            return path
        if any(os.path.exists(os.path.join(folder, name)) for name in _REPOSITORY):
            return None
    return None


def _upward(cwd: str) -> Iterator[str]:
    """The folder itself, and all above it."""
    folder = os.path.abspath(cwd)
    yield folder
    while (parent := os.path.dirname(folder)) != folder:
        folder = parent
        yield folder


def cache_home(environ: Mapping[str, str]) -> str:
    """Where the local cache lies unless a setting says otherwise."""
    return _xdg(environ, "XDG_CACHE_HOME", ".cache")


def state_home(environ: Mapping[str, str]) -> str:
    """Where the journal lies."""
    return _xdg(environ, "XDG_STATE_HOME", os.path.join(".local", "state"))


def _xdg(environ: Mapping[str, str], variable: str, fallback: str) -> str:
    base = environ.get(variable, "")
    # The XDG specification: a relative path there is invalid and must be ignored.
    if not os.path.isabs(base):
        base = os.path.join(environ.get("HOME") or os.path.expanduser("~"), fallback)
    return os.path.join(base, "cr1cc")


def _read_file(path: str) -> dict[str, object]:
    import tomllib  # only where a file exists: it costs more than all the rest here

    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from error
    # Text that is not UTF-8 is a ValueError too; nesting without end a RecursionError.
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not TOML: {' '.join(str(error).split())}") from error


def _row(key: str, path: str) -> Setting:
    for row in SETTINGS:
        if row.key == key:
            return row
    shown = key if key.isprintable() else ascii(key)
    raise UserError(f"{path}: {shown}: there is no such setting")


def _read(
    row: Setting, given: object, place: str, directory: str, environ: Mapping[str, str]
) -> Value:
    try:
        value = row.read(given)
    except ValueError as error:
        raise UserError(f"{place}: {error}") from error
    if not row.path or not isinstance(value, str):
        return value
    if value == "~" or value.startswith("~/"):
        value = (environ.get("HOME") or os.path.expanduser("~")) + value[1:]
    # A bare name of a compiler is looked up on PATH, so only a path is anchored.
    if value and (row.key not in _COMPILERS or "/" in value):
        value = os.path.join(directory, value)
    return value
