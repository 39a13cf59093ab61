"""Shorter windows at the levels of speed: those that a lockfile promises, proved anew, or the
baseline."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cr1cc.compile_speed import RECORD
from cr1cc.lock import Locked
from cr1cc.speed.build import ANY, ASKED
from tests.e2e.locking import O3, Locking, chosen
from tests.e2e.test_explain import explained
from tests.e2e.test_rewrite import CRASHING, SOURCE, WITHOUT_THE_EXTRA, patched
from tests.e2e.wrapped import loadable
from tests.models import random_assembly_model

# clang keeps a copy of what a sum is made of, to no use.
MORE = """
__attribute__((noinline)) void report(int a, int b) { printf("%d %d\\n", a, b); }
struct stack { unsigned char largest, used; };
__attribute__((noinline)) void grow(struct stack *s, int n) {
    int wanted = s->used + n;
    if (wanted > s->largest) {
        if (wanted >= 255) report(wanted, n);
        s->largest = (unsigned char)wanted;
    }
    s->used += n;
    report(wanted, s->largest);
}
__attribute__((noinline)) void reserve(struct stack *s, int key) {
    int base = s->used;
    grow(s, 2);
    int wanted = s->used + 2;
    if (wanted > s->largest) {
        if (wanted >= 255) report(wanted, key);
        s->largest = (unsigned char)wanted;
    }
    s->used += 2;
    report(base + s->used, key);
}
__attribute__((constructor)) static void use(void) {
    struct stack s = {3, 2};
    for (int key = 0; key < 5; key++) reserve(&s, key);
}
"""


# In the place of a model, what rules say that cost time: the rules for speed do not know them.
MODEL = """
from cr1cc.assembly import source
from cr1cc.rewrite.change import Objective
from cr1cc.rewrite.windows import Rules
source.Model._described = lambda *_: ("of this test", "")
source._Source.proposals = lambda self, code: [
    one._replace(by="model") for one in Rules(Objective.SMALLEST).proposals(code)
]
"""


def recorded(locking: Locking, windows: str, **settings: str) -> Locked:
    """The decision with windows of the own build, as a recorded build makes it."""
    locking.place.write("program.c", SOURCE + MORE)
    decision = chosen(locking.record(*O3), f"{locking.name}:own", windows=windows)
    locking.write(decision)
    path = locking.place.folder / "records"
    path.unlink()
    locking.build(*O3, **{RECORD: str(path)}, **settings)
    found = json.loads(path.read_text())
    assert int(found["windows"].partition(":")[0]) > 0, found["problem"]
    return replace(decision, windows=found["windows"], proposed=tuple(found["proposed"]))


@pytest.fixture
def promised(locking: Locking) -> Locked:
    return recorded(locking, ANY)


@pytest.fixture
def asked(locking: Locking) -> Locked:
    """The same with windows of a model."""
    environ = patched(locking.place, "model", MODEL)
    return recorded(locking, ASKED, CR1_ASM_MODEL="some.gguf", **environ)


def test_what_a_model_proposed_is_repeated_without_it(locking: Locking, asked: Locked) -> None:
    tuned = locking.place.read("program.o")
    assert asked.proposed
    by_rules = recorded(locking, ANY, CR1_ASM_MODEL="some.gguf")
    assert by_rules.proposed == ()
    assert by_rules.windows != asked.windows
    locking.write(asked)
    for settings in ({}, {"CR1_CACHE": "0", "CR1_FROZEN": "1"}):
        assert locking.build(*O3, **settings)[:2] == (tuned, "locked")
    assert loadable(tuned) < loadable(locking.real(*O3))
    said = f"each proved; {len(asked.proposed)} kinds of them by a model"
    assert said in explained(locking.place, "program.c").stdout
    out = locking.output(locking.name)
    assert locking.place.real("real.o", "-o", "plain", name=locking.name).status == 0
    assert subprocess.run([locking.place.folder / "plain"], capture_output=True).stdout == out


@pytest.mark.parametrize(
    ("changes", "outcome", "words"),
    [
        ({"proposed": ()}, "lock_failed", "windows: decided for"),
        ({"proposed": ("nop -> .globl x", "movl", "\n")}, "lock_failed", "windows: decided for"),
        ({"windows": ASKED}, "lock_stale", "windows: cr1 tune alone asks a model"),
    ],
)
def test_without_what_a_model_proposed_it_is_the_baseline(
    locking: Locking, asked: Locked, changes: dict[str, object], outcome: str, words: str
) -> None:
    locking.write(replace(asked, **changes))  # type: ignore[arg-type]
    data, found, detail = locking.build(*O3)
    assert (data, found) == (locking.real(*O3), outcome)
    assert words in detail


def test_what_a_model_proposed_and_someone_edited_is_noticed(
    locking: Locking, asked: Locked
) -> None:
    locking.write(asked)
    text = locking.lock.read_text()
    locking.lock.write_text(text.replace("proposed=", "proposed=nop%20-%3E%20,", 1))
    data, outcome, detail = locking.build(*O3)
    assert (data, outcome) == (locking.real(*O3), "lock_unusable")
    assert "the line was edited" in detail
    checked = subprocess.run(
        [sys.executable, "-m", "cr1cc.cli.main", "lock", "check"],
        cwd=locking.place.folder, env=locking.place.environ(), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert checked.returncode
    assert "the line was edited" in checked.stderr


def test_a_model_that_cannot_be_used_leaves_the_rules(locking: Locking) -> None:
    assert recorded(locking, ASKED, CR1_ASM_MODEL="none.gguf") == recorded(locking, ANY)


def test_a_model_with_random_weights_is_asked_to_make_it_faster(
    locking: Locking, tmp_path: Path
) -> None:
    """Next to nothing that it proposes can be proved."""
    pytest.importorskip("llama_cpp", reason="the package llama-cpp-python")
    pytest.importorskip("gguf", reason="gguf (extra train)")
    model = random_assembly_model(tmp_path / "assembly.gguf")
    cache = tmp_path / "cache-of-model"
    decision = recorded(locking, ASKED, CR1_ASM_MODEL=str(model), CR1_CACHE_DIR=str(cache))
    tuned = locking.place.read("program.o")
    (described,) = cache.glob("asm-model-speed-*.json")
    assert " cost " in described.read_text()
    locking.write(decision)
    assert locking.build(*O3)[:2] == (tuned, "locked")


def test_they_are_repeated_byte_for_byte(locking: Locking, promised: Locked) -> None:
    recorded = locking.place.read("program.o")
    locking.write(promised)
    first, outcome, detail = locking.build(*O3)
    assert (outcome, first) == ("locked", recorded), detail
    event = locking.place.last()
    assert "proved=" in event.verdicts
    assert event.rewritten > 0
    for settings in ({"CR1_CACHE": "0"}, {"CR1_FROZEN": "1"}):
        assert locking.build(*O3, **settings)[:2] == (first, "locked")
    real = locking.real(*O3)
    assert first != real
    locking.build(*O3)
    out = locking.output(locking.name)
    assert locking.place.real("real.o", "-o", "plain", name=locking.name).status == 0
    assert subprocess.run([locking.place.folder / "plain"], capture_output=True).stdout == out


@pytest.mark.parametrize("donor", ["o2", "clang:o2"])
def test_they_go_with_donors_and_functions_of_donors(locking: Locking, donor: str) -> None:
    donor = donor if ":" in donor else f"{locking.name}:{donor}"
    locking.place.write("program.c", SOURCE + MORE)
    decision = chosen(locking.record(*O3), donor, windows=ANY)
    functions = (("stir", f"{locking.name}:scalar"),)
    for one in (decision, replace(decision, functions=functions)):
        locking.write(one)
        data, outcome, detail = locking.build(*O3)
        assert outcome == "locked", detail
        locking.write(replace(one, windows=""))
        assert locking.build(*O3)[0] != data
        locking.real(*O3)
        assert locking.place.real("real.o", "-o", "plain", name=locking.name).status == 0
        expected = subprocess.run([locking.place.folder / "plain"], capture_output=True).stdout
        assert locking.output(locking.name) == expected


@pytest.mark.parametrize(
    ("label", "settings", "outcome", "words"),
    [
        ("3:0123456789abcdef", {}, "lock_failed", "windows: decided for 3:0123456789abcdef, what"),
        ("", {"CR1_REWRITE": "off"}, "lock_stale", "windows: the setting `rewrite` is off"),
    ],
)
def test_what_is_not_as_promised_means_the_baseline(
    locking: Locking, promised: Locked, label: str, settings: dict[str, str], outcome: str,
    words: str,
) -> None:  # fmt: skip
    locking.write(replace(promised, windows=label or promised.windows))
    data, found, detail = locking.build(*O3, **settings)
    assert (data, found) == (locking.real(*O3), outcome)
    assert words in detail
    checked = subprocess.run(
        [sys.executable, "-m", "cr1cc.cli.main", "lock", "check"],
        cwd=locking.place.folder, env={**locking.place.environ(), **settings},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (checked.returncode != 0) == bool(settings), checked.stdout
    assert not settings or words.partition(": ")[2] in checked.stdout


@pytest.mark.parametrize(
    ("code", "outcome", "words"),
    [
        (WITHOUT_THE_EXTRA, "lock_failed", "; the extra `prove` is not installed"),
        (CRASHING, "lock_failed", "windows: "),
    ],
)
def test_without_a_prover_it_is_the_baseline(
    locking: Locking, promised: Locked, code: str, outcome: str, words: str
) -> None:
    locking.write(promised)
    environ = patched(locking.place, "broken", code)
    data, found, detail = locking.build(*O3, CR1_CACHE="0", **environ)
    assert (data, found) == (locking.real(*O3), outcome)
    assert words in detail


def test_debug_data_and_nothing_to_shorten_mean_the_baseline(locking: Locking) -> None:
    words = ("-g", *O3)
    locking.place.write("program.c", SOURCE)
    locking.write(chosen(locking.record(*words), f"{locking.name}:own", windows=ANY))
    data, outcome, detail = locking.build(*words)
    assert (data, outcome) == (locking.real(*words), "lock_failed")
    assert "it has debug data" in detail
    locking.place.write("program.c", "int f(int x) { return x; }")
    locking.write(chosen(locking.record(*O3), f"{locking.name}:own", windows=ANY))
    assert locking.build(*O3)[1:] == ("lock_failed", "windows: none is shorter")


@pytest.mark.parametrize("option", ["-m32", "-masm=intel"])
def test_other_machines_and_notations_mean_the_baseline(locking: Locking, option: str) -> None:
    """Their registers are not those that are looked at."""
    locking.place.write("program.c", "int g(int); int f(int x) { return g(x) + g(x + 1) * x; }")
    words = (option, *O3)
    if locking.place.real(*words, "-o", "real.o", name=locking.name).status:
        pytest.skip(f"{option} is not there")
    locking.write(chosen(locking.record(*words), f"{locking.name}:own", windows=ANY))
    data, outcome, detail = locking.build(*words)
    assert (data, outcome) == (locking.real(*words), "lock_failed")
    assert "for another machine than x86-64" in detail


def test_they_are_explained(locking: Locking, promised: Locked) -> None:
    locking.write(promised)
    assert locking.build(*O3)[1] == "locked"
    number = promised.windows.partition(":")[0]
    text = explained(locking.place, "program.c").stdout
    assert f"windows:     {number} made shorter, each proved" in text
    shown: set[str] = set()
    for name in ("stir", "length", "reserve", "grow", "main"):
        done = explained(locking.place, "program.c", "--function", name, "--json")
        for window in json.loads(done.stdout)["bodies"]["windows"]:
            assert window["verdict"] == "proved"
            assert window["saved"] > 0
            shown.add(name)
    assert shown
