"""The system's configured sources, in both of apt's formats, as sources of source code."""

from __future__ import annotations

from pathlib import Path

import pytest

from cr1cc.errors import UserError
from cr1cc.train.apt import PrivateApt, source_lines, source_stanzas


def test_a_stanza_keeps_its_key_and_becomes_deb_src() -> None:
    text = (
        "# comment\nTypes: deb deb-src\nURIs: http://deb.example\nSuites: stable\n"
        "Components: main\nArchitectures: amd64\nSigned-By:\n -----BEGIN\n .\n key\n"
    )
    assert source_stanzas(text) == (
        "Types: deb-src\nURIs: http://deb.example\nSuites: stable\nComponents: main\n"
        "Signed-By:\n -----BEGIN\n .\n key\n"
    )


def test_a_stanza_that_is_switched_off_stays_off() -> None:
    on = "Types: deb\nURIs: http://a.example\nSuites: s\nComponents: main\n"
    off = "Enabled: no\nTypes: deb\nURIs: http://b.example\nSuites: s\nComponents: main\n"
    assert "b.example" not in source_stanzas(f"{on}\n{off}")
    assert "a.example" in source_stanzas(f"{on}\n{off}")


def test_a_source_given_for_binaries_and_for_sources_appears_once() -> None:
    stanza = "Types: {}\nURIs: http://a.example\nSuites: s\nComponents: main\n"
    text = stanza.format("deb") + "\n" + stanza.format("deb-src")
    assert source_stanzas(text).count("a.example") == 1


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("deb http://a.example stable main", "deb-src http://a.example stable main\n"),
        ("deb-src http://a.example stable main", "deb-src http://a.example stable main\n"),
        ("deb [arch=amd64] http://a.example s main", "deb-src http://a.example s main\n"),
        (
            "deb [arch=amd64 signed-by=/k.gpg] http://a.example s main # note",
            "deb-src [signed-by=/k.gpg] http://a.example s main\n",
        ),
        ("# deb http://a.example stable main", ""),
        ("nonsense", ""),
    ],
)
def test_a_line_becomes_deb_src_without_architectures(line: str, expected: str) -> None:
    assert source_lines(line + "\n") == expected


def test_a_machine_without_sources_is_a_sentence(tmp_path: Path) -> None:
    system = tmp_path / "etc"
    system.mkdir()
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(UserError, match=r"list of source packages|not installed"):
        PrivateApt(tmp_path / "state", system).download("zlib", target)
