"""The trained model of assembly as a GGUF file."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from cr1cc.assembly.vocabulary import TOKENS, VERSION
from cr1cc.model import SHIPPED as RECIPES
from cr1cc.train import export as exporting
from cr1cc.train.asm import rl, sft
from cr1cc.train.asm.lessons import learnt
from cr1cc.train.gguf_file import Vocabulary
from cr1cc.train.network import Network

VOCABULARY = Vocabulary(TOKENS, VERSION)
SHIPPED = str(Path(RECIPES).with_name("assembly.gguf"))
_PROMPTS = 32  # that llama.cpp and PyTorch are compared behind


def trained(folder: Path, name: str, *, last: bool = False) -> tuple[Network, dict[str, Any]]:
    """Weights of `sft`, or of a run of `cr1 train asm rl`, its best or its last ones, and what is
    known of their training. Raises UserError."""
    return sft.best(folder, name) if name == sft.NAME else rl.trained(folder, name, last=last)


def export(folder: Path, name: str, path: Path, *, last: bool = False) -> exporting.Parity:
    """Write the file, and compare behind prompts of the labels. Raises UserError, and ModelError
    if llama.cpp says something else than PyTorch."""
    network, facts = trained(folder, name, last=last)
    known = [lesson for some in learnt(folder) for lesson in some]
    chosen = Random(1).sample(known, min(_PROMPTS, len(known)))
    prompts = [(*lesson.prompt, *lesson.answer[: n % 4]) for n, lesson in enumerate(chosen)]
    told = {key: str(fact) for key, fact in facts.items()} | {"weights": name}
    return exporting.export(network, path, told, VOCABULARY, prompts)
