"""Verdicts are kept, and what crashes costs no more than the window."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton")
pytest.importorskip("z3")
pytest.importorskip("bitwuzla")

from cr1cc.errors import GateError
from cr1cc.gate.body import assembled
from cr1cc.gate.verdict import Verdict
from cr1cc.prove import engines
from cr1cc.prove.window import WindowProver
from cr1cc.rewrite.judge import Judge, Key
from cr1cc.rewrite.places import GENERAL, flags, whole
from cr1cc.storage.local import LocalStore

_ESI = whole(GENERAL.index("rsi"))
_RIGHT: Key = ((("addl\t$1, %esi",), ("incl\t%esi",)), _ESI)
_ALIVE: Key = (_RIGHT[0], _ESI | flags("cf"))
_WRONG: Key = ((("addl\t$2, %esi",), ("incl\t%esi",)), _ESI)
_LONGER: Key = ((("incl\t%esi",), ("addl\t$1, %esi",)), _ESI)
_NONSENSE: Key = ((("addl\t$1, %esi",), ("frobnicate\t%esi",)), _ESI)
_HARD: Key = ((("imull\t%edi, %esi", "addl\t$0, %esi"), ("imull\t%esi, %edi",)), _ESI)


def assemble(text: str) -> bytes:
    return assembled(text, os.environ)


def test_each_window_gets_its_own_verdict_whatever_else_is_asked() -> None:
    known = Judge(assemble).judge([_WRONG, _NONSENSE, _RIGHT, _LONGER, _ALIVE])
    verdicts = [known[key].judgement for key in (_RIGHT, _WRONG, _ALIVE)]
    found = [one.verdict for one in verdicts if one]
    assert found == [Verdict.PROVED, Verdict.UNKNOWN, Verdict.UNKNOWN]
    assert known[_RIGHT].saved == 1
    assert known[_NONSENSE].judgement is None
    assert known[_LONGER] == (-1, None, True)


def test_what_is_kept_is_neither_assembled_nor_proved_again(tmp_path: Path) -> None:
    keys = [_RIGHT, _WRONG, _LONGER]
    before = Judge(assemble, "as", LocalStore(str(tmp_path), 1 << 20)).judge(keys)

    def no_assembler(text: str) -> bytes:
        raise AssertionError(text)

    after = Judge(no_assembler, "as", LocalStore(str(tmp_path), 1 << 20)).judge(keys)
    assert after == before
    with pytest.raises(AssertionError):
        Judge(no_assembler, "another", LocalStore(str(tmp_path), 1 << 20)).judge(keys)


def test_a_warm_store_loads_none_of_the_packages(tmp_path: Path) -> None:
    Judge(assemble, "as", LocalStore(str(tmp_path), 1 << 20)).judge([_RIGHT])
    code = (
        "import sys\n"
        "from cr1cc.rewrite.judge import Judge\n"
        "from cr1cc.storage.local import LocalStore\n"
        f"judge = Judge(None, 'as', LocalStore({str(tmp_path)!r}, 1 << 20))\n"
        f"assert judge.judge([{_RIGHT!r}])[{_RIGHT!r}].saved == 1\n"
        "print(*sorted({'bitwuzla', 'capstone', 'triton', 'z3'} & set(sys.modules)))\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == []


@pytest.mark.parametrize("damaged", [b"", b"CR1", b"7 proved"])
def test_a_damaged_verdict_is_found_anew(damaged: bytes, tmp_path: Path) -> None:
    store = LocalStore(str(tmp_path), 1 << 20)
    before = Judge(assemble, "as", store).judge([_RIGHT])[_RIGHT]
    store.put({name: damaged for name, _ in store.rows()})
    assert Judge(assemble, "as", store).judge([_RIGHT])[_RIGHT] == before


def test_a_crash_of_the_prover_is_one_of_its_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def crash(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(WindowProver, "judge", crash)
    store = LocalStore(str(tmp_path), 1 << 20)
    known = Judge(assemble, "as", store).judge([_RIGHT])[_RIGHT]
    assert known.judgement is not None
    assert known.judgement.verdict is Verdict.UNKNOWN
    assert not known.lasting
    assert list(store.rows()) == []


def test_a_crash_of_both_solvers_is_not_remembered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def crash(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    store = LocalStore(str(tmp_path), 1 << 20)
    with monkeypatch.context() as patched:
        patched.setattr(engines, "TABLE", {"z3": crash, "bitwuzla": crash})
        known = Judge(assemble, "as", store).judge([_HARD])[_HARD]
        assert known.judgement is not None
        assert "failures" in dict(known.judgement.evidence)
        assert not known.lasting
    assert list(store.rows()) == []


def test_text_that_no_assembler_takes_is_no_window() -> None:
    def refuse(text: str) -> bytes:
        raise GateError("no")

    assert Judge(refuse).judge([_RIGHT])[_RIGHT].judgement is None
