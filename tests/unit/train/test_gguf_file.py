"""The file of a model: what is in it, and what does not come into being."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from cr1cc.errors import ModelError
from cr1cc.model import vocabulary
from cr1cc.train.gguf_file import Shape, facts_of, tensor_shapes, write
from tests.models import SMALL, random_model

np = pytest.importorskip("numpy", reason="the package numpy is missing")
gguf = pytest.importorskip("gguf", reason="the package gguf is missing")


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    path = random_model(tmp_path / "model.gguf")
    assert [file.name for file in tmp_path.iterdir()] == ["model.gguf"]
    reader = gguf.GGUFReader(path)
    kinds = {t.name: t.tensor_type.name for t in reader.tensors}
    assert {t.name: tuple(t.shape)[::-1] for t in reader.tensors} == tensor_shapes(SMALL)
    assert {name for name, kind in kinds.items() if kind == "F32"} == {
        name for name, size in tensor_shapes(SMALL).items() if len(size) == 1
    }
    assert set(kinds.values()) == {"F32", "Q8_0"}
    fields = {name: field.contents() for name, field in reader.fields.items()}
    assert facts_of(path) == {"vocabulary": vocabulary.VERSION, "made": "at random"}
    assert fields["tokenizer.ggml.tokens"] == list(vocabulary.TOKENS)
    assert fields["llama.feed_forward_length"] == SMALL.hidden


def test_equal_weights_give_equal_bytes(tmp_path: Path) -> None:
    first, second = (random_model(tmp_path / name).read_bytes() for name in ("a", "b"))
    assert first == second
    assert random_model(tmp_path / "c", seed=2).read_bytes() != first


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"vocabulary": 7}, "tokens, not 7"),
        ({"width": 48}, "multiples of 32"),
        ({"hidden": 100}, "multiples of 32"),
        ({"heads": 3}, "as many pairs"),
        ({"layers": 0}, "at least 1"),
    ],
)
def test_a_shape_that_is_none_is_refused(
    change: dict[str, int], complaint: str, tmp_path: Path
) -> None:
    shape = dataclasses.replace(SMALL, **change)
    with pytest.raises(ModelError, match=complaint):
        write(str(tmp_path / "model.gguf"), shape, {}, {})
    assert list(tmp_path.iterdir()) == []


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    def weights(shape: Shape = SMALL) -> dict[str, object]:
        return {name: np.ones(s, np.float32) for name, s in tensor_shapes(shape).items()}

    wrong = {
        "token_embd.weight is missing": {k: v for k, v in weights().items() if "embd" not in k},
        "output.weight is unknown": weights() | {"output.weight": np.ones((1, 64), np.float32)},
        r"\(32,\), not \(64,\)": weights() | {"output_norm.weight": np.ones(32, np.float32)},
        "holds float64": weights() | {"output_norm.weight": np.ones(64)},
    }
    for complaint, tensors in wrong.items():
        with pytest.raises(ModelError, match=complaint):
            write(str(tmp_path / "model.gguf"), SMALL, tensors, {})
    assert list(tmp_path.iterdir()) == []
