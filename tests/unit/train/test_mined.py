"""What mining wrote down is read back, module by module."""

from __future__ import annotations

from pathlib import Path

from cr1cc.train.corpus import Sample
from cr1cc.train.mined import measured
from cr1cc.train.tasks import Row, Task, Work, logged

TASK = Task("libLLVM.so", 19, "X86")
OTHER = Task("libLLVM.so", 23, "X86")
ONE, TWO = Sample("sed", Path("sed/a.bc")), Sample("sed", Path("sed/b.bc"))


def _measure(_task: Task, sample: Sample, _metric: str, texts: list[str]) -> Row:
    """As `coreset._measure` answers; of the second module nothing can be told."""
    return {} if sample == TWO else {"bytes": 100, "sizes": [90 + len(text) for text in texts]}


def write(log: Path, *work: Work) -> None:
    list(logged(log, [(_measure, *item) for item in work], 1))


def test_the_logs_of_all_steps_are_put_together(tmp_path: Path) -> None:
    first, second = ["@size", "@o2; sroa"], ["@size; dse"]
    write(
        tmp_path / "matrix-bytes.jsonl",
        (TASK, ONE, "bytes", first), (TASK, TWO, "bytes", first), (OTHER, ONE, "bytes", ["@o3"]),
    )  # fmt: skip
    write(tmp_path / "cross-bytes.jsonl", (TASK, ONE, "bytes", second))
    with (tmp_path / "cross-bytes.jsonl").open("a") as file:
        file.write('{"key": "torn')
    found = measured(tmp_path, TASK, "bytes")
    sizes = {text: 90 + len(text) for text in (*first, *second)}
    assert found == {"sed/a.bc": {"": 100, **sizes}}


def test_where_nothing_was_mined_nothing_is_known(tmp_path: Path) -> None:
    assert measured(tmp_path, TASK, "bytes") == {}
    write(tmp_path / "matrix-bytes.jsonl", (TASK, ONE, "bytes", ["@size"]))
    assert measured(tmp_path, TASK, "instructions") == {}
