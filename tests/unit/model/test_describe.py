"""What is said of a model file, good or bad, and what it costs to say it again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cr1cc.model import describe as module
from cr1cc.model import vocabulary
from cr1cc.model.describe import ModelFacts, describe
from tests.foreign import foreign_model
from tests.models import SMALL, random_model

pytest.importorskip("llama_cpp", reason="the package llama-cpp-python is missing")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return random_model(tmp_path_factory.mktemp("model") / "m.gguf").read_bytes()


@pytest.fixture
def model(sound: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(sound)
    return path


def described(path: Path | str) -> ModelFacts:
    folder = Path(path).parent if path else Path("/nowhere")
    return describe(str(path), cache_dir=str(folder / "cache"), environ=os.environ)


def refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(os, "posix_spawn", start)


def test_a_good_model_is_asked_once(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = described(model)
    assert first.problem == ""
    assert len(first.digest) == 32
    assert "llama-cpp-python" in first.engine
    assert "parameters" in first.about
    refuse(monkeypatch)
    assert described(model) == first


def test_a_changed_model_is_asked_again(model: Path) -> None:
    first = described(model)
    random_model(model, seed=2)
    second = described(model)
    assert second.digest != first.digest
    assert second.problem == ""
    assert second.version == first.version


def test_a_model_is_asked_again_by_another_vocabulary(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert described(model).problem == ""
    monkeypatch.setattr(vocabulary, "VERSION", "0" * 16)
    assert "another vocabulary" in described(model).problem


def test_equal_files_have_one_digest_wherever_they_lie(model: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    other = tmp_path / "there/copy.gguf"
    other.write_bytes(model.read_bytes())
    assert described(other).digest == described(model).digest


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda data: b"", "not a GGUF file"),
        (lambda data: os.urandom(4096), "not a GGUF file"),
        (lambda data: data[:4], "llama.cpp cannot read it"),
        (lambda data: data[:5000], "llama.cpp cannot read it"),
        (lambda data: data[: len(data) // 2], "llama.cpp cannot read it"),
        (lambda data: data[:-1000], "llama.cpp cannot read it"),
        (lambda data: data[:4] + bytes(range(256)) * 16, ""),
        (lambda data: data.replace(b"llama.block_count", b"llama.block_caunt"), ""),
        (lambda data: data.replace(b"<begin>", b"<besin>"), None),
        (lambda data: data.replace(vocabulary.VERSION.encode(), b"0" * 16), "another vocabulary"),
    ],
)
def test_a_damaged_model_is_one_clear_line(
    damage: Callable[[bytes], bytes], complaint: str | None, model: Path
) -> None:
    model.write_bytes(damage(model.read_bytes()))
    problem = described(model).problem
    if complaint is None:  # nobody reads the names of the tokens
        assert problem == ""
        return
    assert problem.startswith(f"{model}: ")
    assert complaint in problem
    assert "\n" not in problem


def test_what_is_no_file_is_one_clear_line(tmp_path: Path) -> None:
    assert "No such file" in described(tmp_path / "missing").problem
    assert "not a file" in described(tmp_path).problem
    os.mkfifo(tmp_path / "pipe")
    assert "not a file" in described(tmp_path / "pipe").problem
    with open(tmp_path / "large", "wb") as file:
        file.write(b"GGUF")
        file.truncate(9 << 30)
    assert "too large: 9216 MiB" in described(tmp_path / "large").problem


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_cannot_be_read_is_one_clear_line(model: Path) -> None:
    model.chmod(0)
    assert "Permission denied" in described(model).problem


def test_a_context_that_is_too_short_is_one_clear_line(tmp_path: Path) -> None:
    path = random_model(tmp_path / "m.gguf", replace(SMALL, context=100))
    assert "context of 100 tokens is too short" in described(path).problem


@pytest.mark.parametrize("template", ["", None])
def test_a_foreign_model_speaks_text(template: str | None, tmp_path: Path) -> None:
    path = foreign_model(tmp_path / "m.gguf", template=template)
    facts = described(path)
    assert (facts.problem, facts.kind) == ("", "text")
    assert "speaks text" in facts.about
    assert described(path) == facts


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"context": 1000}, "its context of 1000 tokens is shorter than 1024"),
        ({"context": 1024}, "its context of 1024 tokens is too short for "),
        ({"without": "{"}, "its vocabulary cannot spell '{'"),
        ({"without": "Q"}, ""),
        ({"facts": {"vocabulary": "0" * 16}}, "a model of another vocabulary, that of another"),
    ],
)
def test_a_foreign_model_of_no_use_is_one_clear_line(
    options: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    found = described(foreign_model(tmp_path / "m.gguf", **options)).problem
    assert found.startswith(f"{tmp_path / 'm.gguf'}: {problem}" if problem else "")
    assert bool(found) == bool(problem)
    assert "\n" not in found


def test_what_is_not_installed_is_found_without_importing_it(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PACKAGES", {"no_such_llama": "llama-cpp-python"})
    refuse(monkeypatch)
    assert described(model).problem == f"{model}: llama-cpp-python is not installed"


def test_without_a_model_of_its_own_the_version_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHIPPED", "/nowhere/recipes.gguf")
    assert described("").problem == "no model ships with this version"


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: "null",
        lambda data: json.dumps({**data, "format": 0}),
        lambda data: json.dumps({**data, "answer": []}),
        lambda data: json.dumps({**data, "answer": {**data["answer"], "digest": ""}}),
        lambda data: json.dumps({**data, "answer": {**data["answer"], "version": 7}}),
    ],
)
def test_a_corrupt_memory_is_ignored_and_mended(
    damage: Callable[[dict[str, dict[str, object]]], str], model: Path
) -> None:
    first = described(model)
    (file,) = (model.parent / "cache").iterdir()
    remembered = file.read_text()
    file.write_text(damage(json.loads(remembered)))
    assert described(model) == first
    assert json.loads(file.read_text()) == json.loads(remembered)


def test_a_known_model_loads_neither_numpy_nor_llama_cpp(model: Path) -> None:
    first = described(model)
    program = (
        "import os, sys; from cr1cc.model.describe import describe; import cr1cc.policy.model_;"
        "facts = describe(sys.argv[1], cache_dir=sys.argv[2], environ=os.environ);"
        "print(facts.digest, {'numpy', 'llama_cpp'} & set(sys.modules))"
    )
    out = subprocess.run(
        [sys.executable, "-c", program, str(model), str(model.parent / "cache")],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True, text=True,
    )  # fmt: skip
    assert (out.stdout, out.stderr) == (f"{first.digest} set()\n", "")
