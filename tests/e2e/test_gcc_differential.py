"""Every form of command line, through gcc and through cr1-gcc, side by side.

Both run in the same folder with the same files, one after the other; the wrapper runs
twice, so that the decision is made once and repeated once.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.e2e.argv_forms import Form
from tests.e2e.gcc_forms import GCC_FILES, GCC_FORMS
from tests.e2e.test_argv_differential import Run, check_same, execute

SETTINGS = {"CR1_BUDGET": "3"}  # small, so that the many builds here stay short


def compare(form: Form, gcc: str, gxx: str, folder: Path) -> tuple[Run, Run]:
    """The real run and the wrapper's second, after all checks."""
    environ = {
        **SETTINGS, "CR1_GCC": gcc, "CR1_GXX": gxx, "PYTHONPATH": str(Path(__file__).parents[2]),
    }  # fmt: skip
    name = "g++" if form.cxx else "gcc"
    wrapper = [sys.executable, "-m", "cr1cc.wrapper", name]
    expected = execute([gxx if form.cxx else gcc], form, folder, {}, GCC_FILES)
    for _ in range(2):
        ours = execute(wrapper, form, folder, environ, GCC_FILES)
        check_same(expected, ours)
    return expected, ours


def programs(suffix: str = "") -> tuple[str, str]:
    found = [shutil.which(f"{name}{suffix}") for name in ("gcc", "g++")]
    if None in found:
        pytest.skip(f"gcc{suffix} or g++{suffix} is missing")
    return str(found[0]), str(found[1])


@pytest.mark.parametrize("form", GCC_FORMS, ids=str)
def test_a_form_does_what_gcc_does(form: Form, tmp_path: Path) -> None:
    compare(form, *programs(), tmp_path / "work")


@pytest.mark.long
@pytest.mark.parametrize("suffix", ["-11", "-13", "-14"])
@pytest.mark.parametrize("form", GCC_FORMS, ids=str)
def test_a_form_does_what_other_versions_of_gcc_do(form: Form, suffix: str, tmp_path: Path) -> None:
    compare(form, *programs(suffix), tmp_path / "work")


def test_there_are_objects_that_are_replaced(tmp_path: Path) -> None:
    """Else the comparison above would prove nothing about replaced objects."""
    real, ours = compare(Form("-Os -c plain.c"), *programs(), tmp_path / "work")
    assert ours.files["plain.o"] != real.files["plain.o"]


def test_the_table_has_no_form_twice() -> None:
    assert len({str(form) for form in GCC_FORMS}) == len(GCC_FORMS)
