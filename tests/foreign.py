"""Foreign models with random weights: a byte-level vocabulary, a chat template or none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

# ChatML, by the marks that llama.cpp knows it by.
TEMPLATE = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + "
    "message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
CONTROL = ("<|im_start|>", "<|im_end|>", "<|end|>")
_PRINTABLE = {*range(33, 127), *range(161, 173), *range(174, 256)}
COMMON = (
    'in', 'st', 'li', 'cm', 'func', 'tion', 'loop', 'simplify', 'cfg', 'inst', 'combine', 'sroa',
    'gvn', 'licm', ' "', '",', '["', '"]', '</', '<answer', 'answer', 'tool', '_call', '-disable',
    'enable', '<no', '{"', '": ', 'name', 'instr', 'count', ' of', ' the', 'Inst', 'Num', ' 0',
    '<answer>["sroa',  # crosses a segment
)  # fmt: skip
WIDTH, HIDDEN = 32, 64


def _letters() -> dict[int, str]:
    """The letter that stands for each byte in vocabularies of GPT-2's kind: itself where it
    can be seen, else the next one behind all bytes."""
    found = {byte: chr(byte) for byte in sorted(_PRINTABLE)}
    hidden = (byte for byte in range(256) if byte not in _PRINTABLE)
    return found | {byte: chr(256 + number) for number, byte in enumerate(hidden)}


def pieces(without: str = "", more: Sequence[str] = ()) -> list[str]:
    """Bytes except those of `without`, and common pieces, as such a vocabulary spells them."""
    letters = _letters()
    single = [letter for byte, letter in letters.items() if chr(byte) not in without]
    return single + ["".join(letters[b] for b in text.encode()) for text in (*COMMON, *more)]


def foreign_model(
    path: Path,
    *,
    without: str = "",
    more: Sequence[str] = (),
    template: str | None = TEMPLATE,
    context: int = 4096,
    seed: int = 1,
    facts: dict[str, str] | None = None,
) -> Path:
    """A model that says anything at all; always the same one for equal arguments."""
    gguf = pytest.importorskip("gguf", reason="the package gguf is missing")
    np = pytest.importorskip("numpy", reason="the package numpy is missing")
    words = pieces(without, more)
    rng = np.random.Generator(np.random.PCG64(seed))
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_vocab_size(len(words) + len(CONTROL))
    writer.add_context_length(context)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([*words, *CONTROL])
    # Merges decide how a prompt is split; a few will do.
    writer.add_token_merges(["i n", "s t", "l i", "c m"])
    kinds = gguf.TokenType
    writer.add_token_types([kinds.NORMAL] * len(words) + [kinds.CONTROL] * len(CONTROL))
    writer.add_bos_token_id(len(words) + 2)
    writer.add_eos_token_id(len(words) + 1)
    writer.add_add_bos_token(True)
    if template is not None:
        writer.add_chat_template(template)
    for name, fact in (facts or {}).items():
        writer.add_string(f"cr1cc.{name}", fact)

    def tensor(name: str, *shape: int) -> None:
        writer.add_tensor(name, rng.normal(0, 0.5, shape).astype(np.float32))

    tensor("token_embd.weight", len(words) + len(CONTROL), WIDTH)
    for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
        tensor(f"blk.0.{name}.weight", WIDTH, WIDTH)
    tensor("blk.0.ffn_gate.weight", HIDDEN, WIDTH)
    tensor("blk.0.ffn_up.weight", HIDDEN, WIDTH)
    tensor("blk.0.ffn_down.weight", WIDTH, HIDDEN)
    for name in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(WIDTH, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
