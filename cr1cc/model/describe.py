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
from cr1cc.features import FEATURES
from cr1cc.model import SHIPPED, vocabulary
from cr1cc.model.choices import Action
from cr1cc.model.vocabulary import TOKENS
from cr1cc.passes.rows import NEWEST
from cr1cc.records import Level, ModuleInfo, Request
from cr1cc.util.remembered import Stamp, recall, remember, stamp

LARGEST = 8 << 30  # bytes of a file
_LEAST_CONTEXT = 1024  # tokens: what a foreign model is told takes most of that

_FORMAT = 3  # of what is remembered
_FIELDS = ("kind", "digest", "version", "engine", "about", "problem")
_MAGIC = b"GGUF"
_PACKAGES = {"llama_cpp": "llama-cpp-python", "numpy": "numpy"}

Stamps = tuple[tuple[str, Stamp], ...]


@dataclass(frozen=True)
class ModelFacts:
    """A model file as it was found, and why it cannot be used if it cannot."""

    path: str
    kind: str = ""  # "tokens": one of ours; "text": a foreign one (`conversation.py`)
    digest: str = ""  # of the file
    version: str = ""  # of the way to ask it
    engine: str = ""  # what computes: it decides the last bits of every result
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
        stamps = stamps_of(path)
    except (OSError, ValueError) as error:
        return ModelFacts(path, problem=f"{path}: {getattr(error, 'strerror', '') or error}")
    file = _remembered(stamps, cache_dir)
    answer = recall(file, _FORMAT)
    if not _is_answer(answer):
        answer = _ask(path, stamps[0][1], environ)
        # Another time there may be more memory, or time, for a process.
        remember(file, _FORMAT, answer, stamps, doubtful=bool(answer["problem"]))
    return ModelFacts(path, **answer, stamps=stamps)


def distrust(facts: ModelFacts, problem: str, *, cache_dir: str) -> None:
    """For some minutes `describe` gives this problem, unless one of the files changes."""
    answer = dict.fromkeys(_FIELDS, "") | {"problem": f"{facts.path}: {problem}"}
    file = _remembered(facts.stamps, cache_dir)
    remember(file, _FORMAT, answer, facts.stamps, doubtful=True)


def _remembered(stamps: Stamps, cache_dir: str) -> str:
    """Where it is kept what is known of a model."""
    # The vocabulary follows from tables that are none of the files.
    places = "\0".join((vocabulary.VERSION, *(place for place, _ in stamps)))
    name = hashlib.blake2b(places.encode(errors="surrogateescape"), digest_size=12).hexdigest()
    return os.path.join(cache_dir, f"model-{name}.json")


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


def stamps_of(path: str) -> Stamps:
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
    # Here, because a compile with a known model needs none of it.
    from cr1cc.model.client import ModelClient
    from cr1cc.model.conversation import CONVERSATIONS

    answer = dict.fromkeys(_FIELDS, "")
    try:
        with ModelClient(path, environ) as client:
            facts = client.facts()
            kind = _kind(facts)
            conversation = CONVERSATIONS[kind](known, _any_request())
            client.sample(conversation.ask((Action.ANSWER,), 2, 1.0, "describe"))
        answer["digest"] = _digest(path)
    except (ModelError, OSError) as error:
        return answer | {"problem": f"{path}: {error}"}
    answer["kind"] = kind
    answer["version"] = conversation.version
    answer["engine"] = f"{facts['engine']}, {facts['system']}"
    answer["about"] = f"{facts['architecture']}, {facts['parameters']} parameters, speaks {kind}"
    return answer


def _kind(facts: Mapping[str, str]) -> str:
    """How a model wants to be spoken to. Raises ModelError."""
    if not facts["vocabulary"]:
        if int(facts["context"]) < _LEAST_CONTEXT:
            raise ModelError(
                f"its context of {facts['context']} tokens is shorter than {_LEAST_CONTEXT}"
            )
        return "text"
    if facts["vocabulary"] != vocabulary.VERSION or facts["words"] != str(len(TOKENS)):
        raise ModelError("a model of another vocabulary, that of another version of cr1")
    return "tokens"


def _any_request() -> Request:
    """About as long in words as a request may be."""
    info = ModuleInfo("", "", 99_999, (9_999,) * len(FEATURES), 1, False)
    return Request(info, Level.OZ, NEWEST, "X86", 1)


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _is_answer(answer: object) -> bool:
    return (
        isinstance(answer, dict)
        and set(answer) == set(_FIELDS)
        and all(isinstance(text, str) for text in answer.values())
        and bool(answer["problem"])
        != all(answer[name] for name in ("digest", "version", "engine", "kind"))
    )
