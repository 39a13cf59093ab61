"""Describe a model file: what it is and what its answers depend on, or why it is of no use.

Found by starting a model process once and asking it one question. What it said is kept with
the stamps of all that it depends on, so a compile with a known model starts no process.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.machinery import PathFinder

from cr1cc.errors import ModelError
from cr1cc.model import SHIPPED, vocabulary
from cr1cc.model.client import ModelClient
from cr1cc.model.decoding import LENGTH, Rules, State
from cr1cc.model.question import Question
from cr1cc.model.vocabulary import ANSWER, BEGIN, IDS, PROMPT_LENGTH, TOKENS
from cr1cc.passes.rows import NEWEST
from cr1cc.util.remembered import Stamp, recall, remember, stamp

LARGEST = 8 << 30  # bytes of a file
ROOM = -(-(PROMPT_LENGTH + 1 + LENGTH) // 128) * 128  # tokens of a prompt and one answer

_FORMAT = 1  # of what is remembered
_MAGIC = b"GGUF"
_PACKAGES = {"llama_cpp": "llama-cpp-python", "numpy": "numpy"}

Stamps = tuple[tuple[str, Stamp], ...]


@dataclass(frozen=True)
class ModelFacts:
    """A model file as it was found, and why it cannot be used if it cannot."""

    path: str
    digest: str = ""  # of the file
    version: str = ""  # of what computes, and how: it decides the last bits of every result
    about: str = ""  # for people
    problem: str = ""  # one line
    stamps: Stamps = ()  # of the file, and of what computes


def describe(path: str, *, cache_dir: str, environ: Mapping[str, str]) -> ModelFacts:
    """What is known of the model at `path`, "": the one that ships.

    Remembered in `cache_dir`, which need not exist or be writable.
    """
    if not path and not os.path.exists(SHIPPED):
        return ModelFacts(SHIPPED, problem="no model ships with this version")
    path = os.path.abspath(path or SHIPPED)
    try:
        if problem := _obvious(path) or _missing():
            return ModelFacts(path, problem=f"{path}: {problem}")
        stamps = _stamps(path)
    except (OSError, ValueError) as error:
        return ModelFacts(path, problem=f"{path}: {getattr(error, 'strerror', '') or error}")
    places = "\0".join(place for place, _ in stamps).encode(errors="surrogateescape")
    name = hashlib.blake2b(places, digest_size=12).hexdigest()
    file = os.path.join(cache_dir, f"model-{name}.json")
    answer = recall(file, _FORMAT)
    if not _is_answer(answer):
        answer = _ask(path, stamps[0][1], environ)
        # Another time there may be more memory, or time, for a process.
        remember(file, _FORMAT, answer, stamps, doubtful=bool(answer["problem"]))
    return ModelFacts(path, **answer, stamps=stamps)


def _obvious(path: str) -> str:
    """What can be said of the file without llama.cpp; raises OSError."""
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        return "not a file"
    if found.st_size > LARGEST:
        return f"too large: {found.st_size >> 20} MiB, and {LARGEST >> 20} MiB are the limit"
    with open(path, "rb") as file:
        return "" if file.read(len(_MAGIC)) == _MAGIC else "not a GGUF file"


def _missing() -> str:
    """Which package is not installed, "" if none; nothing is imported."""
    for module, package in _PACKAGES.items():
        if PathFinder.find_spec(module) is None:
            return f"{package} is not installed"
    return ""


def _stamps(path: str) -> Stamps:
    """First that of the model, then of what computes. Raises OSError."""
    return tuple((place, stamp(place)) for place in (path, *_computing()))


def _computing() -> Iterator[str]:
    """The files of this folder, of llama.cpp and of its Python package; numpy's version."""
    yield from _files(os.path.dirname(os.path.abspath(__file__)), ".py")
    for module in _PACKAGES:
        spec = PathFinder.find_spec(module)
        if spec is not None and spec.origin is not None:
            yield spec.origin
            yield from _files(os.path.join(os.path.dirname(spec.origin), "lib"), ".so")


def _files(folder: str, ending: str) -> Iterator[str]:
    if os.path.isdir(folder):
        names = sorted(os.listdir(folder))
        yield from (os.path.join(folder, name) for name in names if name.endswith(ending))


def _ask(path: str, known: Stamp, environ: Mapping[str, str]) -> dict[str, str]:
    """Load the model in a process and let it answer: the fields of ModelFacts."""
    answer = dict.fromkeys(("digest", "version", "about", "problem"), "")
    try:
        with ModelClient(path, environ) as client:
            facts = client.facts()
            if facts["vocabulary"] != vocabulary.VERSION or facts["words"] != str(len(TOKENS)):
                raise ModelError("a model of another vocabulary, that of another version of cr1")
            rules = Rules(NEWEST, "X86", frozenset(), options=True)
            turns = ((IDS[BEGIN], IDS[ANSWER]),)
            client.sample(Question(known, turns, State(rules), 2, ROOM, 1.0, "describe"))
        answer["digest"] = _digest(path)
    except (ModelError, OSError) as error:
        return answer | {"problem": f"{path}: {error}"}
    answer["version"] = f"{facts['engine']}, {facts['system']}"
    answer["about"] = f"{facts['architecture']}, {facts['parameters']} parameters"
    return answer


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _is_answer(answer: object) -> bool:
    fields = {"digest", "version", "about", "problem"}
    return (
        isinstance(answer, dict)
        and set(answer) == fields
        and all(isinstance(text, str) for text in answer.values())
        and bool(answer["problem"]) != bool(answer["digest"] and answer["version"])
    )
