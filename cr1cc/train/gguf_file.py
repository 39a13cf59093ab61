"""A model's weights as a GGUF file of the llama architecture: the door to `gguf`.

Matrices are stored in Q8_0 (blocks of 32 weights with one scale), norm vectors in F32.
llama.cpp turns neighbouring numbers of a head, 2i and 2i + 1, as one pair by
position: rows of `attn_q` and `attn_k` must stand in that order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from cr1cc.errors import ModelError
from cr1cc.model import vocabulary as recipes
from cr1cc.model.vocabulary import BEGIN, END, PAD, UNKNOWN
from cr1cc.util.atomic import replaced

if TYPE_CHECKING:
    from gguf import GGUFWriter
    from numpy import float32
    from numpy.typing import NDArray

ARCHITECTURE = "llama"
EPSILON = 1e-5  # of the root mean square in norms
ROPE_BASE = 10000.0
BLOCK = 32  # weights of a row that share a scale


class Vocabulary(NamedTuple):
    """What a model reads and writes. PAD, UNKNOWN, BEGIN and END are among the tokens."""

    tokens: tuple[str, ...]
    version: str


RECIPES = Vocabulary(recipes.TOKENS, recipes.VERSION)


@dataclass(frozen=True)
class Shape:
    """The numbers that make the architecture a model."""

    vocabulary: int
    width: int
    layers: int
    heads: int
    hidden: int  # between the two halves of a feed-forward layer
    context: int  # positions

    def problem(self, vocabulary: Vocabulary = RECIPES) -> str:
        """Why there is no model of this shape, "" if there is."""
        if self.vocabulary != (size := len(vocabulary.tokens)):
            return f"the vocabulary has {size} tokens, not {self.vocabulary}"
        if self.width % BLOCK or self.hidden % BLOCK:
            return f"width and hidden must be multiples of {BLOCK}"
        if min(self.layers, self.heads, self.context, self.width, self.hidden) < 1:
            return "every number must be at least 1"
        if self.width % (2 * self.heads):
            return "width must give every head as many pairs of numbers"
        return ""


def tensor_shapes(shape: Shape) -> dict[str, tuple[int, ...]]:
    """Every tensor by the name that llama.cpp knows: (rows of outputs, inputs of a row).

    There is no `output.weight`: the embedding serves at both ends.
    """
    width, hidden = shape.width, shape.hidden
    found: dict[str, tuple[int, ...]] = {"token_embd.weight": (shape.vocabulary, width)}
    for number in range(shape.layers):
        block = {
            "attn_norm": (width,),
            "attn_q": (width, width),
            "attn_k": (width, width),
            "attn_v": (width, width),
            "attn_output": (width, width),
            "ffn_norm": (width,),
            "ffn_gate": (hidden, width),
            "ffn_up": (hidden, width),
            "ffn_down": (width, hidden),
        }
        found |= {f"blk.{number}.{name}.weight": size for name, size in block.items()}
    return found | {"output_norm.weight": (width,)}


def write(
    path: str, shape: Shape, tensors: Mapping[str, NDArray[float32]], facts: Mapping[str, str],
    vocabulary: Vocabulary = RECIPES,
) -> None:  # fmt: skip
    """Write `path` as a whole or not at all; equal arguments give equal bytes.

    `facts` are kept under `cr1cc.NAME`, beside the version of the vocabulary.
    Raises ModelError for tensors that do not fit the shape, OSError.
    """
    if problem := shape.problem(vocabulary) or _difference(tensor_shapes(shape), tensors):
        raise ModelError(f"{path}: {problem}")
    from gguf import GGUFWriter  # here, because only training has that package

    with replaced(path) as temporary:
        writer = GGUFWriter(temporary, ARCHITECTURE)
        try:
            _describe(writer, shape)
            _tokens(writer, vocabulary.tokens)
            for name, fact in sorted({**facts, "vocabulary": vocabulary.version}.items()):
                writer.add_string(f"cr1cc.{name}", fact)
            _weights(writer, shape, tensors)
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
        finally:
            writer.close()


def facts_of(path: str) -> dict[str, str]:
    """What `write` was told of the model in `path`, and the version of its vocabulary."""
    from gguf import GGUFReader

    fields = GGUFReader(path).fields
    mine = [name for name in fields if name.startswith("cr1cc.")]
    return {name.removeprefix("cr1cc."): str(fields[name].contents()) for name in mine}


def tensors_of(path: str) -> dict[str, NDArray[float32]]:
    """The weights of the model in `path` as it computes with them, rounded where they are."""
    from gguf import GGUFReader
    from gguf.quants import dequantize

    tensors = GGUFReader(path).tensors
    return {one.name: dequantize(one.data, one.tensor_type).copy() for one in tensors}


def _difference(
    wanted: Mapping[str, tuple[int, ...]], tensors: Mapping[str, NDArray[float32]]
) -> str:
    """The first thing in which tensors are not as wanted, "" if there is none."""
    for name in (*wanted, *tensors):
        if name not in wanted or name not in tensors:
            return f"tensor {name} is {'missing' if name in wanted else 'unknown'}"
        if tensors[name].shape != wanted[name]:
            return f"tensor {name} is {tensors[name].shape}, not {wanted[name]}"
        if tensors[name].dtype != "float32":
            return f"tensor {name} holds {tensors[name].dtype}, not float32"
    return ""


def _describe(writer: GGUFWriter, shape: Shape) -> None:
    writer.add_vocab_size(shape.vocabulary)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_layer_norm_rms_eps(EPSILON)


def _tokens(writer: GGUFWriter, tokens: tuple[str, ...]) -> None:
    """A tokenizer of a kind that loads without a warning; nobody asks it anything."""
    from gguf import TokenType

    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_merges(["_ _"])  # the key must be there
    writer.add_token_types([TokenType.USER_DEFINED] * len(tokens))
    writer.add_unk_token_id(tokens.index(UNKNOWN))
    writer.add_bos_token_id(tokens.index(BEGIN))
    writer.add_eos_token_id(tokens.index(END))
    writer.add_pad_token_id(tokens.index(PAD))
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)


def _weights(writer: GGUFWriter, shape: Shape, tensors: Mapping[str, NDArray[float32]]) -> None:
    from gguf import GGMLQuantizationType, LlamaFileType
    from gguf.quants import quantize

    writer.add_file_type(LlamaFileType.MOSTLY_Q8_0)
    for name, size in tensor_shapes(shape).items():
        kind = GGMLQuantizationType.F32 if len(size) == 1 else GGMLQuantizationType.Q8_0
        writer.add_tensor(name, quantize(tensors[name], kind), raw_dtype=kind)
