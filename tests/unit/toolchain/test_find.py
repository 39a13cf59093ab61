"""Finding the real compiler, and never ourselves."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from cr1cc.errors import ToolchainError
from cr1cc.toolchain import find
from cr1cc.toolchain.find import find_compiler, is_ourselves, mode_arguments

CONSOLE_SCRIPT = (
    f"#!{sys.executable}\nimport sys\nfrom cr1cc.wrapper import clang\nsys.exit(clang())\n"
)


def program(path: Path, text: str = "#!/bin/sh\nexit 0\n") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def found(name: str, *folders: Path, setting: str | None = None, own: str = "") -> str:
    environ = {"PATH": os.pathsep.join(map(str, folders))}
    return find_compiler(name, setting=setting, environ=environ, own=own)


@pytest.fixture(autouse=True)
def nothing_beside_this_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(find.sys, "prefix", str(tmp_path / "prefix"))
    monkeypatch.setattr(find.sys, "executable", str(tmp_path / "prefix/bin/python"))


def test_clang_on_path_is_found(tmp_path: Path) -> None:
    clang = program(tmp_path / "a/clang")
    assert found("clang", tmp_path / "none", tmp_path / "a") == clang


def test_a_console_script_of_ours_named_clang_is_skipped(tmp_path: Path) -> None:
    program(tmp_path / "a/clang", CONSOLE_SCRIPT)
    clang = program(tmp_path / "b/clang")
    assert found("clang", tmp_path / "a", tmp_path / "b") == clang


def test_a_shell_shim_around_us_is_skipped(tmp_path: Path) -> None:
    program(tmp_path / "a/clang", '#!/bin/sh\nexec cr1-clang "$@"\n')
    clang = program(tmp_path / "b/clang")
    assert found("clang", tmp_path / "a", tmp_path / "b") == clang


def test_a_chain_of_symlinks_to_us_is_skipped(tmp_path: Path) -> None:
    own = program(tmp_path / "own/cr1-clang", CONSOLE_SCRIPT)
    (tmp_path / "a").mkdir()
    (tmp_path / "a/middle").symlink_to(own)
    (tmp_path / "a/clang").symlink_to("middle")
    clang = program(tmp_path / "b/clang")
    assert found("clang", tmp_path / "a", tmp_path / "b") == clang


def test_the_running_wrapper_is_skipped_whatever_it_contains(tmp_path: Path) -> None:
    own = program(tmp_path / "own/launcher", "\x7fELF of another kind")
    (tmp_path / "a").mkdir()
    (tmp_path / "a/clang").symlink_to(own)
    clang = program(tmp_path / "b/clang")
    assert found("clang", tmp_path / "a", tmp_path / "b", own=own) == clang


def test_a_script_in_a_folder_named_like_us_is_not_ourselves(tmp_path: Path) -> None:
    script = program(tmp_path / "clang", "#!/home/me/cr1cc/.venv/bin/python\nprint()\n")
    assert not is_ourselves(script, "")


def test_a_dangling_link_a_folder_and_a_plain_file_are_skipped(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).mkdir()
    (tmp_path / "a/clang").symlink_to("nowhere")
    (tmp_path / "b/clang").mkdir()
    (tmp_path / "c/clang").write_text("not executable")
    clang = program(tmp_path / "d/clang")
    assert found("clang", *(tmp_path / name for name in "abcd")) == clang


def test_plain_clang_wins_over_versioned_names_and_newer_over_older(tmp_path: Path) -> None:
    program(tmp_path / "a/clang-14")
    newest = program(tmp_path / "b/clang-19")
    assert found("clang", tmp_path / "a", tmp_path / "b") == newest
    plain = program(tmp_path / "c/clang")
    assert found("clang", tmp_path / "a", tmp_path / "b", tmp_path / "c") == plain


def test_the_pip_installed_clang_is_the_last_resort_without_being_on_path(tmp_path: Path) -> None:
    clang = program(tmp_path / "prefix/bin/clang")
    assert found("clang", tmp_path / "empty") == clang


def test_clang_beside_the_wrapper_is_found(tmp_path: Path) -> None:
    own = program(tmp_path / "venv/bin/cr1-clang", CONSOLE_SCRIPT)
    clang = program(tmp_path / "venv/bin/clang")
    assert found("clang", tmp_path / "empty", own=own) == clang


def test_no_clang_at_all_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="no clang found") as error:
        found("clang", tmp_path)
    assert "\n" not in str(error.value)


def test_a_setting_wins_over_path(tmp_path: Path) -> None:
    program(tmp_path / "a/clang")
    mine = program(tmp_path / "b/my-cc")
    assert found("clang", tmp_path / "a", setting=mine) == mine


def test_a_setting_may_be_a_name_on_path(tmp_path: Path) -> None:
    clang = program(tmp_path / "a/clang-16")
    assert found("clang", tmp_path / "a", setting="clang-16") == clang


@pytest.mark.parametrize("name", ["clang", "clang++"])
def test_a_setting_that_does_not_exist_is_an_error_that_names_it(name: str, tmp_path: Path) -> None:
    program(tmp_path / "a/clang")
    with pytest.raises(ToolchainError, match=r"/no/such/clang.*does not exist"):
        found(name, tmp_path / "a", setting="/no/such/clang")
    with pytest.raises(ToolchainError, match=r"clang-99.*not on PATH"):
        found(name, tmp_path / "a", setting="clang-99")


def test_a_setting_that_is_ourselves_or_not_executable_is_an_error(tmp_path: Path) -> None:
    own = program(tmp_path / "cr1-clang", CONSOLE_SCRIPT)
    with pytest.raises(ToolchainError, match="cr1cc itself"):
        found("clang", setting=own)
    (tmp_path / "text").write_text("")
    with pytest.raises(ToolchainError, match="not executable"):
        found("clang", setting=str(tmp_path / "text"))


@pytest.mark.parametrize(("c", "cxx"), [("clang", "clang++"), ("clang-19", "clang++-19")])
def test_the_cxx_compiler_is_the_sibling_of_the_setting(c: str, cxx: str, tmp_path: Path) -> None:
    setting, sibling = program(tmp_path / c), program(tmp_path / cxx)
    assert found("clang++", setting=setting) == sibling
    assert mode_arguments("clang++", sibling) == ()
    assert found("clang", setting=sibling) == setting


def test_without_a_sibling_the_c_compiler_is_told_its_mode(tmp_path: Path) -> None:
    setting = program(tmp_path / "my-cc")
    assert found("clang++", setting=setting) == setting
    assert mode_arguments("clang++", setting) == ("--driver-mode=g++",)
    assert mode_arguments("clang", setting) == ()


def test_a_sibling_that_is_ourselves_is_not_taken(tmp_path: Path) -> None:
    setting = program(tmp_path / "clang")
    program(tmp_path / "clang++", CONSOLE_SCRIPT)
    assert found("clang++", setting=setting) == setting


def test_c_and_cxx_come_from_the_same_version(tmp_path: Path) -> None:
    clang = program(tmp_path / "a/clang")
    program(tmp_path / "a/clang++-22")
    assert found("clang++", tmp_path / "a") == clang


def test_a_setting_that_links_to_a_versioned_clang_finds_its_partner(tmp_path: Path) -> None:
    real = program(tmp_path / "llvm/clang-23")
    (tmp_path / "llvm/clang++").symlink_to("clang-23")
    (tmp_path / "cc").symlink_to(real)
    assert found("clang++", setting=str(tmp_path / "cc")) == str(tmp_path / "llvm/clang++")


def test_gcc_is_found_by_its_plain_name_then_by_version(tmp_path: Path) -> None:
    versioned = program(tmp_path / "a/gcc-13")
    program(tmp_path / "a/gcc-12")
    assert found("gcc", tmp_path / "a") == versioned
    plain = program(tmp_path / "b/gcc")
    assert found("gcc", tmp_path / "a", tmp_path / "b") == plain


def test_a_shim_around_cr1_gcc_is_skipped(tmp_path: Path) -> None:
    program(tmp_path / "a/gcc", '#!/bin/sh\nexec cr1-gcc "$@"\n')
    gcc = program(tmp_path / "b/gcc")
    assert found("gcc", tmp_path / "a", tmp_path / "b") == gcc


@pytest.mark.parametrize(
    ("c_name", "cxx_name"),
    [("gcc", "g++"), ("gcc-12", "g++-12"), ("aarch64-linux-gnu-gcc", "aarch64-linux-gnu-g++"),
     ("arm-none-eabi-gcc-12", "arm-none-eabi-g++-12"), ("cc", "c++")],
)  # fmt: skip
def test_the_partner_of_a_gcc_is_beside_it(tmp_path: Path, c_name: str, cxx_name: str) -> None:
    c_path, cxx_path = program(tmp_path / c_name), program(tmp_path / cxx_name)
    assert found("g++", tmp_path, setting=c_path) == cxx_path
    assert found("gcc", tmp_path, setting=cxx_path) == c_path
    assert mode_arguments("g++", cxx_path) == mode_arguments("gcc", c_path) == ()


def test_a_gcc_without_a_partner_is_no_compiler_for_cxx(tmp_path: Path) -> None:
    c_path = program(tmp_path / "gcc")
    with pytest.raises(ToolchainError, match="CR1_GXX"):
        found("g++", tmp_path, setting=c_path)
    with pytest.raises(ToolchainError, match="no gcc found"):
        found("g++", tmp_path)


def test_a_setting_of_gcc_is_named_in_complaints(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="the setting `gcc` names"):
        found("gcc", tmp_path, setting=str(tmp_path / "nowhere"))
