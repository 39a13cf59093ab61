"""A model file in llama.cpp: the door to `llama_cpp`.

llama.cpp ends the process on misuse and on much that it finds wrong with a file, so this
runs in a process of its own (`server.py`). One thread, and every turn of a prompt decoded
as one chunk: the same tokens in other chunks, or on more threads that wait for each
other, give logits that differ in the last bits.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cr1cc.errors import ModelError
from cr1cc.model.text import Pieces

os.environ["GGML_NO_BACKTRACE"] = "1"  # else an abort starts a debugger

import llama_cpp
import llama_cpp.llama_cpp as llama
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK = 512  # tokens that are decoded at once, at most
_WORDLESS = (
    llama.LLAMA_TOKEN_ATTR_CONTROL | llama.LLAMA_TOKEN_ATTR_UNKNOWN | llama.LLAMA_TOKEN_ATTR_UNUSED
)


@llama.llama_log_callback  # type: ignore[untyped-decorator]
def _silent(_level: int, _text: bytes, _data: object) -> None:
    """What llama.cpp says while it loads is of no use to anybody here."""


class Engine:
    """One loaded model. A loaded model takes no harm from a fork."""

    def __init__(self, path: str) -> None:
        """Raises ModelError if llama.cpp refuses the file; may end the process as well."""
        llama.llama_log_set(_silent, None)
        llama.llama_backend_init()
        wishes = llama.llama_model_default_params()
        wishes.n_gpu_layers = 0
        wishes.check_tensors = True
        # Weights in the order of the file: rearranged for the processor at hand they would
        # be summed up in another order.
        wishes.use_extra_bufts = False
        self._model = llama.llama_model_load_from_file(os.fsencode(path), wishes)
        if not self._model:
            raise ModelError("llama.cpp cannot read it")
        self._vocabulary = llama.llama_model_get_vocab(self._model)
        self.words = llama.llama_vocab_n_tokens(self._vocabulary)
        self.context = llama.llama_model_n_ctx_train(self._model)

    def facts(self) -> dict[str, str]:
        """What the file says of itself, and what its results depend on besides."""
        return {
            "architecture": self._key("general.architecture"),
            "vocabulary": self._key("cr1cc.vocabulary"),
            "words": str(self.words),
            "context": str(self.context),
            "parameters": str(llama.llama_model_n_params(self._model)),
            "engine": f"llama-cpp-python {llama_cpp.__version__}, numpy {np.__version__}",
            "system": llama.llama_print_system_info().decode().strip(" |"),
        }

    def _key(self, name: str) -> str:
        room = llama.ctypes.create_string_buffer(256)
        length = llama.llama_model_meta_val_str(self._model, name.encode(), room, len(room))
        return room.value.decode(errors="replace") if length >= 0 else ""

    @cached_property
    def pieces(self) -> Pieces:
        """What its tokens spell; those that steer a conversation are not among them."""
        return Pieces(self._pieces())

    def _pieces(self) -> Iterator[tuple[int, bytes]]:
        room = llama.ctypes.create_string_buffer(256)
        attributes, spell = llama.llama_vocab_get_attr, llama.llama_token_to_piece
        for token in range(self.words):
            if attributes(self._vocabulary, token) & _WORDLESS:
                continue
            if llama.llama_vocab_is_eog(self._vocabulary, token):
                continue
            if (length := spell(self._vocabulary, token, room, len(room), 0, False)) > 0:
                yield token, room.raw[:length]

    def tokenize(self, text: str) -> tuple[int, ...]:
        """The tokens of a text; the names of those that steer a conversation become these."""
        data = text.encode()
        room = (llama.llama_token * (len(data) + 8))()
        count = llama.llama_tokenize(
            self._vocabulary, data, len(data), room, len(room), False, True
        )
        if count < 0:
            raise ModelError("its tokenizer refuses a text")
        return tuple(room[:count])

    @property
    def beginning(self) -> tuple[int, ...]:
        """What every conversation begins with."""
        if not llama.llama_vocab_get_add_bos(self._vocabulary):
            return ()
        return (llama.llama_vocab_bos(self._vocabulary),)

    def layout(self, messages: Sequence[tuple[str, str]]) -> str | None:
        """Messages (role, content) in the model's own form, up to where it answers; None if
        it has no form or one that llama.cpp does not know."""
        template = llama.llama_model_chat_template(self._model, None)
        if not template:
            return None
        data = [(role.encode(), content.encode()) for role, content in messages]
        chat = (llama.llama_chat_message * len(data))(*data)
        size = 2 * sum(len(role) + len(content) + 64 for role, content in data)
        room = llama.ctypes.create_string_buffer(size)
        length = llama.llama_chat_apply_template(template, chat, len(data), True, room, size)
        return room.raw[:length].decode(errors="replace") if 0 < length <= size else None

    def session(self, rows: int, room: int) -> Session:
        """A conversation that up to `rows` rows go on from, `room` tokens long in all."""
        if room > self.context:
            raise ModelError(f"its context of {self.context} tokens is too short for {room}")
        return Session(self._model, self.words, rows, room)

    def close(self) -> None:
        if self._model:
            llama.llama_model_free(self._model)
            self._model = None


class Session:
    """A prefix that grows turn by turn, and rows that go on from it side by side."""

    def __init__(self, model: Any, words: int, rows: int, room: int) -> None:
        self.words = words
        self.rows = rows
        self.room = room
        self.length = 0  # of the prefix: sequence 0; row n is sequence n + 1
        self._lengths = [0] * rows
        wishes = llama.llama_context_default_params()
        wishes.n_ctx = (rows + 1) * room
        wishes.n_batch = wishes.n_ubatch = CHUNK
        wishes.n_seq_max = rows + 1
        wishes.n_threads = wishes.n_threads_batch = 1
        wishes.flash_attn_type = llama.LLAMA_FLASH_ATTN_TYPE_ENABLED
        wishes.kv_unified = False
        wishes.offload_kqv = wishes.op_offload = False
        self._context = llama.llama_init_from_model(model, wishes)
        if not self._context:
            raise ModelError("llama.cpp makes no context for it")
        self._memory = llama.llama_get_memory(self._context)
        self._batch = llama.llama_batch_init(CHUNK, 0, 1)

    def extend(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """Let the prefix go on with one turn; the logits behind it."""
        for start in range(0, len(tokens), CHUNK):
            chunk = tokens[start : start + CHUNK]
            logits = self._decode(
                [(token, self.length + n, 0) for n, token in enumerate(chunk)], last=True
            )
            self.length += len(chunk)
        result: NDArray[np.float32] = logits[0]
        return result

    def branch(self) -> None:
        """Let every row begin behind the prefix as it is now."""
        for sequence in range(1, self.rows + 1):
            llama.llama_memory_seq_rm(self._memory, sequence, -1, -1)
            llama.llama_memory_seq_cp(self._memory, 0, sequence, -1, -1)
        self._lengths = [self.length] * self.rows

    def step(self, rows: Sequence[int], tokens: Sequence[int]) -> NDArray[np.float32]:
        """Let each of these rows go on with its token; a row of logits for each."""
        entries = [
            (token, self._lengths[row], row + 1) for row, token in zip(rows, tokens, strict=True)
        ]
        for row in rows:
            self._lengths[row] += 1
        return self._decode(entries)

    def _decode(
        self, entries: Sequence[tuple[int, int, int]], last: bool = False
    ) -> NDArray[np.float32]:
        """Decode `(token, position, sequence)`; logits of all of them or of the last one."""
        batch = self._batch
        batch.n_tokens = len(entries)
        for index, (token, position, sequence) in enumerate(entries):
            batch.token[index] = token
            batch.pos[index] = position
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = sequence
            batch.logits[index] = not last or index == len(entries) - 1
        if status := llama.llama_decode(self._context, batch):
            raise ModelError(f"llama.cpp cannot decode: {status}")
        shape = (1 if last else len(entries), self.words)
        return np.ctypeslib.as_array(llama.llama_get_logits(self._context), shape).copy()

    def close(self) -> None:
        if self._context:
            llama.llama_batch_free(self._batch)
            llama.llama_free(self._context)
            self._context = None
