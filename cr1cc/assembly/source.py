"""The model of assembly as one more source of windows in builds, beside the rules.

Each of its windows is proved as one of a rule is. What it says depends on its file and on what
computes; both are in the keys of the decisions that it takes part in.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cr1cc.config import Config
from cr1cc.errors import ModelError
from cr1cc.rewrite.version import follows_rules, proofs
from cr1cc.util.remembered import recall, remember

if TYPE_CHECKING:
    from cr1cc.assembly.propose import Proposer
    from cr1cc.rewrite.flow import Code
    from cr1cc.rewrite.windows import Proposal, Source

_VERSION = 1  # raised when equal answers become other windows
_FORMAT = 1  # of what is remembered
_ASKED = 400  # windows of one compile: each takes a hundredth of a second or two


class Model:
    """The model of the setting `asm_model`. `version`: what its windows depend on; `problem`: why
    there are none, in one line, "" if it can be used."""

    def __init__(
        self, path: str, cache_dir: str, environ: Mapping[str, str], *, speed: bool = False
    ) -> None:
        """What is known of it is remembered in `cache_dir`. `speed`: whether windows shall take
        less time, instead of fewer bytes."""
        self.path = os.path.abspath(path)
        self._environ = environ
        self._speed = speed
        said, self.problem = self._described(cache_dir)
        self.version = f"{_VERSION} {said}" if said else ""

    def _described(self, cache_dir: str) -> tuple[str, str]:
        """What it says of itself, or why it cannot."""
        from cr1cc.model.describe import stamps_of  # most builds have no such model

        try:
            stamps = stamps_of(self.path)
        except OSError as error:
            return "", f"{self.path}: {error.strerror}"
        place = hashlib.blake2b(os.fsencode(self.path), digest_size=12).hexdigest()
        goal = "speed-" if self._speed else ""
        file = os.path.join(cache_dir, f"asm-model-{goal}{place}.json")
        answer = recall(file, _FORMAT)
        if not isinstance(answer, list) or list(map(type, answer)) != [str, str]:
            answer = self._asked()
            # Another time there may be more memory, or time, for a process.
            remember(file, _FORMAT, answer, stamps, doubtful=bool(answer[1]))
        return answer[0], answer[1]

    def _asked(self) -> list[str]:
        try:
            with self._proposer() as proposer:
                return [proposer.version, ""]
        except ModelError as error:
            said = str(error)
            return ["", said if said.startswith(self.path) else f"{self.path}: {said}"]

    def _proposer(self) -> Proposer:
        from cr1cc.assembly.propose import Proposer  # a build that knows its objects needs none
        from cr1cc.assembly.vocabulary import Goal

        return Proposer(self.path, self._environ, Goal.SPEED if self._speed else Goal.SIZE)

    def proposer(self) -> Proposer:
        """A new one. Raises ModelError if it is not what it was described as."""
        found = self._proposer()
        if self.version != f"{_VERSION} {found.version}":
            found.close()
            raise ModelError(f"{self.path}: it has changed")
        return found


class _Source:
    """Asks for a part of the windows of a large unit: the first ones."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._proposer: Proposer | None = None
        self._left = _ASKED

    @property
    def version(self) -> str:
        return self._model.version

    def proposals(self, code: Code) -> Iterator[Proposal]:
        """Raises ModelError."""
        if self._proposer is None:
            self._proposer = self._model.proposer()
        last: tuple[object, ...] = ()
        for one in self._proposer.proposals(code):
            if one.old != last:
                if not self._left:
                    return
                self._left -= 1
                last = one.old
            yield one

    def close(self) -> None:
        if self._proposer is not None:
            self._proposer.close()


def model_of(config: Config, environ: Mapping[str, str], family: str) -> Model | None:
    """The model that proposes windows in the assembly of a compiler, to be smaller; None where
    none is asked for, or no windows are looked at."""
    if not config.asm_model or not follows_rules(config.rewrite, family):
        return None
    return Model(config.asm_model, config.cache_dir, environ)


def tuning_model_of(config: Config, environ: Mapping[str, str]) -> Model | None:
    """The one that `cr1 tune` asks, to be faster: windows of either compiler may be tried there."""
    if not config.asm_model or config.rewrite == "off" or not proofs():
        return None
    return Model(config.asm_model, config.cache_dir, environ, speed=True)


@contextmanager
def sources(model: Model | None) -> Iterator[tuple[Source, ...]]:
    """Who proposes windows besides the rules, for one compile; a process starts when the first
    function is looked at."""
    if model is None or model.problem:
        yield ()
        return
    source = _Source(model)
    try:
        yield (source,)
    finally:
        source.close()
