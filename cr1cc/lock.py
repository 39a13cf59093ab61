"""`cr1.lock`: the decisions of `cr1 tune`, one a line, for version control.

    src/inflate.c level=O3 options=9f2c… text=41d0… compiler=gcc-12.2.0:77ab… donor=gcc:unroll:0c1d…
        functions=inflate_fast:clang:o3:5e6f… gain=1.123[1.101..1.150] runs=15 tests=2 seal=d00d…

(in the file that is one line). The path counts from the folder of the lockfile. Between two
lines is a blank one, so that changes to neighbours merge, and every line holds all that its
decision depends on, so that no merge makes a new decision of two: the seal is a hash of the line.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields

from cr1cc.errors import UserError
from cr1cc.util.atomic import replace_file

_HEADER = "# cr1.lock format 1: decisions of `cr1 tune`, not to be edited by hand"
_FORMAT = re.compile(r"# cr1\.lock format (\d+)\b")
_LIMIT = 64 << 20  # bytes: a larger file is none of ours

# What version control leaves where two branches disagree.
_MARKERS = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
_QUOTED = re.compile(r"[\x00-\x20%\x7f-\U0010ffff]")
# The fields that hold pairs of a function and a donor.
_PAIRS = ("functions", "ifunc")
_TEXTS = "proposed"  # the one that holds texts
_DIGITS = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Locked:
    """One decision. `level` to `compiler` are what it was made for; a donor is
    `family:name:digest of its row`; functions with bodies of other donors are pairs."""

    source: str
    level: str
    options: str
    text: str
    compiler: str
    donor: str
    functions: tuple[tuple[str, str], ...] = ()
    isa: str = ""  # the instruction set that the user has allowed, "" that of the command
    other: str = ""  # the compiler of the other family that takes part
    # Time before / after, and its interval: 1.12[1.10..1.15], with all decisions of the session.
    gain: str = ""
    runs: int = 0  # of the benchmark, for that figure
    tests: int = 0  # runs of the user's tests that passed with it
    # Functions with a second body, for `isa` alone, that the loader picks where it can; pairs.
    ifunc: tuple[tuple[str, str], ...] = ()
    # Windows of instructions that became shorter, each proved: their number and a digest.
    windows: str = ""
    profile: str = ""  # the digest of the counts that a profiled donor reads
    # Windows that a model has proposed and that were proved, as `rewrite/proposed.py` spells them.
    proposed: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[str, str, str, str]:
        """What no two decisions have in common."""
        return self.source, self.options, self.text, self.compiler


def name_of(source: str, lock: str) -> str:
    """What a lockfile calls a source, an absolute path."""
    folder, base = os.path.split(source)
    home = os.path.realpath(os.path.dirname(os.path.abspath(lock)))
    return os.path.relpath(os.path.join(os.path.realpath(folder), base), home)


def read_lock(path: str) -> list[Locked]:
    """The decisions of a lockfile.

    Raises UserError (one line, with the line's number) if it cannot be read or if anything in
    it is not as `write_lock` writes it: conflict markers, edited and doubled lines among them.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(_LIMIT + 1)
        text = data.decode()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not a lockfile: it is not UTF-8") from None
    if len(data) > _LIMIT:
        raise UserError(f"{path}: not a lockfile: it is too large")
    decisions: dict[tuple[str, ...], int] = {}
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            decision = _parse(line.rstrip("\r"))
            if decision is None:
                continue
            if (first := decisions.setdefault(decision.place, number)) != number:
                raise ValueError(f"a second decision for what line {first} decides")
        except ValueError as error:
            raise UserError(f"{path}:{number}: {error}") from None
        found.append(decision)
    return found


def write_lock(path: str, decisions: Iterable[Locked]) -> None:
    """Replace a lockfile as a whole. Raises OSError."""
    lines = [_HEADER, *map(format_line, sorted(decisions, key=lambda one: one.place))]
    replace_file(path, ("\n\n".join(lines) + "\n").encode())


def format_line(decision: Locked) -> str:
    """The line of a decision, without its end."""
    words = [_quote(decision.source)]
    for field in fields(Locked)[1:]:
        value = getattr(decision, field.name)
        if field.name in _PAIRS:
            value = ",".join(f"{_quote(name)}:{donor}" for name, donor in value)
        elif field.name == _TEXTS:
            value = ",".join(map(_quote, value))
        if value not in ("", 0):
            words.append(f"{field.name}={value}")
    line = " ".join(words)
    return f"{line} seal={_seal(line)}"


def _parse(line: str) -> Locked | None:
    """The decision in a line, None of a comment or a blank one. Raises ValueError."""
    if not line.strip():
        return None
    if line.startswith(_MARKERS):
        raise ValueError("a conflict marker: the file was merged badly")
    if line.startswith("#"):
        known = _FORMAT.match(line)
        if known and known[1] != "1":
            raise ValueError(f"format {known[1]} is of a newer version of cr1")
        return None
    plain, _, seal = line.rpartition(" seal=")
    if not plain:
        raise ValueError("not a decision")
    if seal != _seal(plain):
        raise ValueError("the line was edited: it is not what its seal says")
    source, *words = plain.split(" ")
    values = dict(word.partition("=")[::2] for word in words)
    decision = Locked(
        unquote(source),
        _text(values, "level"),
        _text(values, "options"),
        _text(values, "text"),
        _text(values, "compiler"),
        _text(values, "donor"),
        functions=_pairs(values, "functions"),
        isa=values.get("isa", ""),
        other=values.get("other", ""),
        gain=values.get("gain", ""),
        runs=_number(values.get("runs", "0")),
        tests=_number(values.get("tests", "0")),
        ifunc=_pairs(values, "ifunc"),
        windows=values.get("windows", ""),
        profile=values.get("profile", ""),
        proposed=tuple(map(unquote, filter(None, values.get(_TEXTS, "").split(",")))),
    )
    if format_line(decision) != line:
        raise ValueError("not a decision as this version writes it")
    return decision


def _text(values: dict[str, str], name: str) -> str:
    if not values.get(name):
        raise ValueError(f"{name} is missing")
    return values[name]


def _pairs(values: dict[str, str], name: str) -> tuple[tuple[str, str], ...]:
    pairs = (pair.partition(":") for pair in values.get(name, "").split(",") if pair)
    return tuple((unquote(function), donor) for function, _, donor in pairs)


def _number(text: str) -> int:
    if not _DIGITS.fullmatch(text):
        raise ValueError("a number is expected")
    return int(text)


def _seal(line: str) -> str:
    return hashlib.blake2b(line.encode(errors="surrogateescape"), digest_size=4).hexdigest()


def _quote(text: str) -> str:
    """`text` in one word of printable ASCII, "," and ":" of function names too."""
    safe = _QUOTED.sub(lambda found: _percent(found[0]), text).replace(",", "%2C")
    safe = safe.replace(":", "%3A")
    return f"%{ord(safe[0]):02X}{safe[1:]}" if safe[:1] in ("#", "<", "=", ">", "|") else safe


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode(errors="surrogateescape"))


def unquote(text: str) -> str:
    """The inverse of how names are written. Raises ValueError."""
    parts = text.split("%")
    data = parts[0].encode()
    for part in parts[1:]:
        data += bytes.fromhex(part[:2]) + part[2:].encode()
    return data.decode(errors="surrogateescape")
