"""Models with random weights, so that tests need no trained one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cr1cc.assembly import vocabulary as assembly
from cr1cc.model.vocabulary import TOKENS
from cr1cc.train.gguf_file import RECIPES, Shape, Vocabulary, tensor_shapes, write

SMALL = Shape(vocabulary=len(TOKENS), width=64, layers=2, heads=2, hidden=96, context=1024)


def random_model(
    path: Path, shape: Shape = SMALL, seed: int = 1, vocabulary: Vocabulary = RECIPES
) -> Path:
    """A model that proposes at random; always the same one for a shape and a seed."""
    pytest.importorskip("gguf", reason="the package gguf is missing")
    np = pytest.importorskip("numpy", reason="the package numpy is missing")
    rng = np.random.Generator(np.random.PCG64(seed))
    tensors = {
        name: rng.normal(0, 0.5, size).astype(np.float32) if len(size) > 1
        else np.ones(size, np.float32)
        for name, size in tensor_shapes(shape).items()
    }  # fmt: skip
    write(str(path), shape, tensors, {"made": "at random"}, vocabulary)
    return path


def random_assembly_model(path: Path) -> Path:
    """The same of assembly."""
    shape = replace(SMALL, vocabulary=len(assembly.TOKENS), context=256)
    return random_model(path, shape, vocabulary=Vocabulary(assembly.TOKENS, assembly.VERSION))
