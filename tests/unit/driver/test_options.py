"""The option table against itself and against the real compilers."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from cr1cc.driver import options
from cr1cc.driver.clang import CLANG
from cr1cc.driver.dialect import spellings
from cr1cc.driver.option import Form, Meaning
from cr1cc.driver.words import UnknownOptionError, read
from cr1cc.outcome import Kind, Outcome
from cr1cc.records import Toolchain

SPELLINGS = sorted(options.BY_SPELLING)

# Rows that stand for a family of options: alone they are none.
FAMILIES = frozenset(
    {
        "-fcall-saved-",
        "-fcoverage-",
        "-fcs-profile-",
        "-fdump-",
        "-fexperimental-sanitize-",
        "-ffixed-",
        "-fmodules-",
        "-fno-modules-",
        "-fno-sanitize-",
        "-fobjc-",
        "-fprofile-",
        "-fsanitize-",
        "-fxray-",
    }
)

# Options that would change how the compiler reads or prints all the others.
DISTURBING = (
    "--config",
    "--driver-mode=",
    "--rsp-quoting=",
    "-fansi-escape-codes",
    "-fcolor-diagnostics",
    "-fdiagnostics-",
    "-fmessage-length=",
)


def forms_of(spelling: str) -> list[list[str]]:
    """The words of an option in every way its form allows."""
    form, _ = options.BY_SPELLING[spelling]
    joined, separate = [spelling + "1"], [spelling, "1"]
    return {
        Form.FLAG: [[spelling]],
        Form.JOINED: [[spelling], joined],
        Form.SEPARATE: [separate],
        Form.JOINED_OR_SEPARATE: [joined, separate],
        Form.COMMA_JOINED: [[spelling + "1,2"]],
        Form.JOINED_AND_SEPARATE: [[spelling + "1", "2"]],
    }[form]


@pytest.mark.parametrize("name", sorted(options.TABLES))
def test_every_table_is_sorted_by_spelling(name: str) -> None:
    spellings = [row[0] for row in options.TABLES[name]]
    assert spellings == sorted(spellings)


def test_no_spelling_stands_in_two_rows() -> None:
    every = [
        spelling
        for table in options.TABLES.values()
        for row in table
        for spelling in spellings(row)
    ]
    assert len(every) == len(set(every))


def test_every_row_reads_in_every_form_that_it_allows() -> None:
    for spelling in SPELLINGS:
        for texts in forms_of(spelling):
            words = read([*texts, "input.c"], CLANG)
            assert words[-1].value == "input.c", texts
            read_back = [text for word in words[:-1] for text in word.texts]
            assert read_back == texts, texts
            assert words[0].meaning is options.BY_SPELLING[words[0].spelling][1]


def test_a_row_is_not_hidden_by_a_longer_one() -> None:
    for spelling in SPELLINGS:
        found = options.match(forms_of(spelling)[0][0])
        assert found is not None
        assert found[0] == spelling


def test_options_without_their_value_are_unknown() -> None:
    for spelling in SPELLINGS:
        if options.BY_SPELLING[spelling][0] in (Form.SEPARATE, Form.JOINED_OR_SEPARATE):
            with pytest.raises(UnknownOptionError, match="missing"):
                read([spelling], CLANG)


def test_reasons_are_reasons_to_pass_through() -> None:
    for table in options.TABLES.values():
        for _, _, meaning in table:
            if isinstance(meaning, Outcome):
                assert meaning.kind is Kind.PASSTHROUGH


def test_every_meaning_has_a_row() -> None:
    used = {meaning for _, meaning in options.BY_SPELLING.values()}
    assert set(Meaning) <= used


@pytest.mark.parametrize("word", ["-fno-such-option", "--nonsense", "-Zi", "-y", "-Fwd"])
def test_words_outside_the_table_have_no_row_or_only_their_prefix(word: str) -> None:
    found = options.match(word)
    assert found is None or (found[0] == "-F" and word == "-Fwd")


def test_every_spelling_is_known_to_a_real_clang(
    usable_compilers: Mapping[int, Toolchain], tmp_path: Path
) -> None:
    """Each clang is asked once for all options: `-###` names those it does not know."""
    if not usable_compilers:
        pytest.skip("no clang")
    (tmp_path / "a.c").touch()
    asked = [
        spelling
        for spelling in SPELLINGS
        if options.BY_SPELLING[spelling][1] is not Outcome.QUERY
        and not spelling.startswith(DISTURBING)
        and spelling not in FAMILIES
    ]
    first = {forms_of(spelling)[-1][0]: spelling for spelling in asked}
    unknown = set(asked)
    for toolchain in usable_compilers.values():
        words = [word for spelling in asked for word in forms_of(spelling)[-1]]
        said = subprocess.run(
            [toolchain.driver, "-###", "-c", "a.c", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        ).stderr
        refused = re.findall(r"unknown argument[^']*'([^']*)'", said)
        unknown &= {first[word] for word in refused if word in first}
    newest = max(usable_compilers)
    if newest < 23:
        pytest.skip("clang 23, which the table describes as well, is missing")
    assert not unknown
