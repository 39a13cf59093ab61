"""From trained weights to the file that ships, and a check that llama.cpp computes the same.

The file holds weights of 8 bits, and llama.cpp rounds what it multiplies them with to 8 bits
too, so logits differ a little from those of PyTorch with the same rounded weights. What must
agree is the distribution that tokens are drawn from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

from gguf import GGMLQuantizationType
from gguf.quants import dequantize, quantize

from cr1cc.errors import ModelError
from cr1cc.features import FEATURES
from cr1cc.model.engine import Engine
from cr1cc.model.vocabulary import BUCKETS, IDS, prompt
from cr1cc.records import Level, Metric, ModuleInfo, Request
from cr1cc.train.gguf_file import RECIPES, Shape, Vocabulary, tensors_of, write
from cr1cc.train.network import Network
from cr1cc.train.pytorch import Tensor, torch

_MOST_DIVERGENCE = 1e-2  # in nats, the largest of all compared places


@dataclass(frozen=True)
class Parity:
    """How far llama.cpp and PyTorch are apart over some places of some prompts."""

    places: int
    divergence: float  # the largest Kullback-Leibler divergence, in nats
    difference: float  # the largest difference of two logits
    agreeing: float  # share of places with one most probable token


def export(
    network: Network, path: Path, facts: Mapping[str, str], vocabulary: Vocabulary = RECIPES,
    prompts: Sequence[Sequence[int]] = (),
) -> Parity:  # fmt: skip
    """Write the model file and compare behind every prompt, for recipes behind some of our own.
    Raises ModelError, and leaves no file, if llama.cpp says something else than PyTorch."""
    tensors = {name: value.numpy() for name, value in network.state_dict().items()}
    fresh = path.with_name(f".{path.name}.unchecked")
    try:
        write(str(fresh), network.shape, tensors, facts, vocabulary)
        found = parity(network, fresh, prompts or _prompts(32, Random(1)))
        if found.divergence > _MOST_DIVERGENCE:
            raise ModelError(f"{path}: llama.cpp and PyTorch differ by {found.divergence:.2g} nats")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return found


def parity_of(path: Path, shape: Shape) -> Parity:
    """The same of a model file for recipes, against PyTorch with the weights in it."""
    network = Network(shape)
    weights = {name: torch.from_numpy(value) for name, value in tensors_of(str(path)).items()}
    network.load_state_dict(weights)
    return parity(network, path, _prompts(32, Random(1)))


@torch.no_grad()
def parity(network: Network, path: Path, prompts: Sequence[Sequence[int]]) -> Parity:
    """Compare logits behind every prompt. Raises ModelError if the file cannot be loaded."""
    rounded = Network(network.shape)
    rounded.load_state_dict({n: _rounded(v) for n, v in network.state_dict().items()})
    divergences, differences, agreeing = [], [], 0
    with closing(Engine(str(path))) as engine:
        for tokens in prompts:
            with closing(engine.session(1, len(tokens))) as session:
                theirs = torch.from_numpy(session.extend(tokens)).double()
            ours = _logits(rounded, tokens).double()
            differences.append(float((ours - theirs).abs().max()))
            one, other = ours.log_softmax(0), theirs.log_softmax(0)
            divergences.append(float((one.exp() * (one - other)).sum()))
            agreeing += int(ours.argmax() == theirs.argmax())
    return Parity(len(prompts), max(divergences), max(differences), agreeing / len(prompts))


def _rounded(weights: Tensor) -> Tensor:
    """As the file has them."""
    if weights.dim() == 1:
        return weights
    kind = GGMLQuantizationType.Q8_0
    return torch.from_numpy(dequantize(quantize(weights.numpy(), kind), kind))


def _logits(network: Network, tokens: Sequence[int]) -> Tensor:
    """Behind the last of these tokens."""
    length = len(tokens)
    seen = torch.ones(1, length, length, dtype=torch.bool).tril()
    logits = network(torch.tensor([tokens]), torch.arange(length)[None], seen)
    return logits[0, -1]


def _prompts(count: int, rng: Random) -> list[list[int]]:
    """Prompts of modules that might be, with the beginning of an answer."""
    return [_prompt(rng) for _ in range(count)]


def _prompt(rng: Random) -> list[int]:
    features = tuple(rng.randrange(1 << rng.randrange(BUCKETS)) for _ in range(len(FEATURES)))
    info = ModuleInfo("", "", features[51], features, 1, False)
    major, metric = rng.randint(14, 23), rng.choice(list(Metric))
    request = Request(info, rng.choice(list(Level)), major, "X86", 1, metric)
    beginning = [IDS["<answer>"], IDS["@size"], IDS[";"], IDS["function("]]
    return [*prompt(request), *beginning[: rng.randint(1, 4)]]
