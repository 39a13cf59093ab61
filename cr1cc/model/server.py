"""The end of the model: a loaded one answers requests until its parent goes away.

A request is `(name, arguments)`, its name a public method of `Desk`. A reply is what that
returns, or a ModelError. The same desk serves a compile from a process of its own and from
a fork of the resident process.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from cr1cc.errors import ModelError
from cr1cc.features import FEATURES
from cr1cc.model import vocabulary
from cr1cc.model.choices import Action
from cr1cc.model.conversation import TokenConversation
from cr1cc.model.question import AnyQuestion, Sample, Turns
from cr1cc.passes.rows import NEWEST
from cr1cc.records import Level, ModuleInfo, Request
from cr1cc.util.confine import die_with, keep_only, limit_memory, silence
from cr1cc.util.messages import read_message, write_message
from cr1cc.util.remembered import stamp

if TYPE_CHECKING:
    from cr1cc.model.engine import Session

_SHARE = 3  # address space for each byte of the file: mapped, and some of it copied
_MEMORY = 2 << 30  # bytes of address space besides


class Loaded:
    """A model in memory, and the stamp that its file had."""

    def __init__(self, path: str) -> None:
        """Raises ModelError or OSError."""
        # Threads for matrices that nobody multiplies would only take address space.
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        # Another libllama than the one whose stamps are known.
        os.environ.pop("LLAMA_CPP_LIB_PATH", None)
        try:
            # Here, so that packages which cannot be loaded are an answer, too.
            from cr1cc.model import sampling
            from cr1cc.model.engine import Engine
        except Exception as error:
            raise ModelError(f"llama-cpp-python cannot be loaded: {error}") from None
        self.sample = sampling.sample
        self.stamp = stamp(path)
        self.engine = Engine(path)
        if not self.engine.facts()["vocabulary"]:
            _ = self.engine.pieces  # once, for all that are forked from here


class Desk:
    """Answers the questions of one conversation at a time."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._session: Session | None = None
        self._turns: Turns = ()  # that the session has decoded

    def facts(self) -> dict[str, str]:
        return self._loaded.engine.facts()

    def sample(self, question: AnyQuestion) -> list[Sample]:
        """Raises ModelError if the question cannot be answered."""
        if question.model != self._loaded.stamp:
            raise ModelError("the file of the model has changed")
        turns, start, room = question.read(self._loaded.engine)
        size = sum(map(len, turns)) + start.left
        words = {token for turn in turns for token in turn}
        if not turns or not all(turns) or size > room or question.rows < 1:
            raise ModelError("a question without a turn, without room or without rows")
        if min(words) < 0 or max(words) >= self._loaded.engine.words:
            raise ModelError("a token that the model does not know")
        session = self._prepared(turns, question.rows, room)
        known, self._turns = len(self._turns), ()
        for turn in turns[known:]:
            self._logits = session.extend(turn)
        self._turns = turns
        return self._loaded.sample(
            session, self._logits, start, question.rows, question.temperature, question.seed,
            question.penalty, apart=question.apart,
        )  # fmt: skip

    def close(self) -> None:
        """Give the memory of the conversation back."""
        if self._session is not None:
            self._session.close()
        self._session, self._turns = None, ()

    def _prepared(self, turns: Turns, rows: int, room: int) -> Session:
        """The session if the conversation goes on in it, else a new one."""
        known = self._session
        if known is not None:
            goes_on = self._turns and self._turns == turns[: len(self._turns)]
            if goes_on and (known.rows, known.room) == (rows, room):
                return known
            known.close()
        self._turns = ()
        self._session = self._loaded.engine.session(rows, room)
        return self._session


def load(path: str) -> Loaded:
    """What is at `path`, in this process, whose memory is limited from now on.

    Raises ModelError or OSError; may end the process.
    """
    limit_memory(_SHARE * os.stat(path).st_size + _MEMORY)
    return Loaded(path)


def warm(loaded: Loaded) -> None:
    """Answer one question, so that all forks have what is imported and kept on the way.

    Foreign models take long to answer, and are not asked.
    """
    if loaded.engine.facts()["vocabulary"] != vocabulary.VERSION:
        return
    request = Request(
        ModuleInfo("", "", 1, (1,) * len(FEATURES), 1, False), Level.OZ, NEWEST, "X86", 1
    )
    conversation = TokenConversation(loaded.stamp, request)
    desk = Desk(loaded)
    desk.sample(conversation.ask((Action.ANSWER,), 2, 1.0, ""))
    desk.close()


def serve(loaded: Loaded, requests: int, replies: int) -> NoReturn:
    """Answer until the other end goes away. The end of this process."""
    status = 1
    try:
        desk = Desk(loaded)
        while (message := read_message(requests)) is not None:
            write_message(replies, _answer(desk, *message))
        status = 0
    finally:
        os._exit(status)


def _answer(desk: Desk, name: str, arguments: tuple[object, ...]) -> object:
    try:
        return getattr(desk, name)(*arguments)
    except ModelError as error:
        return error
    except Exception as error:  # a defect of ours: it costs this request only
        return ModelError(f"{type(error).__name__}: {error}")


def main() -> NoReturn:
    """Arguments: the file and the process id of the parent. Requests come from standard
    input, replies go to standard output."""
    path, parent = sys.argv[1:]
    die_with(int(parent))
    requests, replies = os.dup(0), os.dup(1)
    silence()
    keep_only(requests, replies)
    try:
        loaded = load(path)
    except (ModelError, OSError) as error:
        # The first request gets it for an answer.
        refusal = error if isinstance(error, ModelError) else ModelError(error.strerror or "")
        with suppress(OSError):
            read_message(requests)
            write_message(replies, refusal)
        os._exit(1)
    serve(loaded, requests, replies)
