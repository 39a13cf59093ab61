"""What gcc is told for a command of clang, and what a decision depends on."""

from __future__ import annotations

from pathlib import Path

import pytest

from cr1cc.driver.argv import parse
from cr1cc.driver.clang import CLANG
from cr1cc.driver.gcc import GCC
from cr1cc.records import GccToolchain, Plan
from cr1cc.speed.circumstances import options_digest
from cr1cc.speed.foreign import for_gcc, gcc_options

TOOL = GccToolchain("/usr/bin/gcc", (12, 2, 0), "gcc 12", "x86_64-linux-gnu", ("__x86_64__",))
MACROS = b"#define __x86_64__ 1\n#define __STDC_VERSION__ 201710L\n#define __PIE__ 2\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.c", "a.cc"):
        (tmp_path / name).touch()
    return tmp_path


def plan_of(folder: Path, words: str, dialect: object = CLANG) -> Plan:
    found = parse(words.split(), cxx=False, cwd=str(folder), dialect=dialect)  # type: ignore[arg-type]
    assert isinstance(found, Plan), found
    return found


def test_gcc_does_what_clang_does_unasked(folder: Path) -> None:
    told = gcc_options(plan_of(folder, "-O3 -fwrapv -DX=1 -Wall -c a.c"), MACROS, TOOL)
    assert told is not None
    assert {"-fwrapv", "-fPIE", "-std=gnu17", "-ffp-contract=off", "-fno-strict-aliasing"} <= {
        *told
    }
    assert not any(word.startswith(("-D", "-W", "-O")) for word in told)
    stated = gcc_options(plan_of(folder, "-O3 -std=c99 -fno-pic -c a.c"), MACROS, TOOL)
    assert stated is not None
    assert {"-std=c99", "-fno-pic"} <= {*stated}
    assert not {"-std=gnu17", "-fPIE"} & {*stated}


@pytest.mark.parametrize(
    ("words", "macros"),
    [
        ("-O3 -c a.cc", MACROS),
        ("-O3 -mavx2 -c a.c", MACROS),
        ("-O3 -ffast-math -c a.c", MACROS),
        ("-O3 -fstack-protector-strong -c a.c", MACROS),
        ("-O3 -c a.c", MACROS.replace(b"x86_64", b"aarch64")),
        ("-O3 -c a.c", MACROS + b"#define __SSP_STRONG__ 2\n"),
        ("-O3 -c a.c", MACROS + b"#define __CET__ 3\n"),
        ("-O3 -c a.c", MACROS.replace(b"201710", b"202311")),
    ],
)
def test_what_both_may_not_mean_alike_has_no_donor_by_gcc(
    folder: Path, words: str, macros: bytes
) -> None:
    assert gcc_options(plan_of(folder, words), macros, TOOL) is None


def test_types_that_gcc_has_by_itself_are_not_declared() -> None:
    text = b"typedef float _Float32;\ntypedef double _Float64x;\ntypedef float mine;\n"
    assert for_gcc(text) == b"\n\ntypedef float mine;\n"


def test_the_digest_of_options_is_of_what_decides_the_code(folder: Path) -> None:
    def digest(words: str) -> str:
        return options_digest(plan_of(folder, f"{words} -c a.c", GCC))

    plain = digest("-O3")
    same = ("-O3 -DX", "-O3 -Iinc", "-O3 -Wall", "-O3 -ffile-prefix-map=/a=b", "-O2 -O3")
    assert {digest(words) for words in same} == {plain}
    others = [digest(w) for w in ("-O2", "-O3 -fwrapv", "-O3 -g", "-O3 -mavx", "-O3 -std=c99")]
    assert len({plain, *others}) == len(others) + 1
