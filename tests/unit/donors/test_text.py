"""What preprocessed text says: fingerprints, files, and what it does not show."""

from __future__ import annotations

import pytest

from cr1cc.donors.text import Text

PLAIN = b"""# 0 "a.c"
# 1 "inc/h.h" 1
extern int g(int);
# 2 "a.c" 2
# 1 "/usr/include/stdio.h" 1 3 4
extern int puts(const char *);
# 3 "a.c" 2
int f(int a) { return g(a); }
"""


def test_names_of_files_and_blank_lines_are_no_part_of_the_fingerprint() -> None:
    moved = PLAIN.replace(b"a.c", b"/other/place.c").replace(b"int f", b"\n\n \n\nint f")
    moved = moved.replace(b'# 3 "/other', b'# 93 "/other')
    assert Text(moved).fingerprint() == Text(PLAIN).fingerprint()


@pytest.mark.parametrize(
    ("old", "new"), [(b"g(a)", b"g(b)"), (b" 1 3 4", b" 1"), (b"int f", b"long f")]
)
def test_code_and_the_flags_of_linemarkers_are(old: bytes, new: bytes) -> None:
    assert Text(PLAIN.replace(old, new)).fingerprint() != Text(PLAIN).fingerprint()


@pytest.mark.parametrize("word", [b"__builtin_LINE", b"__builtin_FILE"])
def test_a_program_that_asks_for_its_place_keeps_its_linemarkers(word: bytes) -> None:
    asking = PLAIN.replace(b"g(a)", word + b"()")
    moved = asking.replace(b'# 3 "a.c" 2', b'# 4 "a.c" 2')
    assert Text(asking).fingerprint() != Text(moved).fingerprint()


def test_the_files_are_those_of_the_linemarkers() -> None:
    odd = PLAIN + b'# 1 "with \\"quotes\\" and \\\\" 1\n# 1 "<built-in>"\n# 1 "/tmp//"\n'
    assert Text(odd).files(system=False) == [b"a.c", b"inc/h.h", b'with "quotes" and \\']
    assert b"/usr/include/stdio.h" in Text(odd).files(system=True)


@pytest.mark.parametrize("word", [b'__asm__(".incbin \\"x\\"");', b'__asm__(".include \\"x\\"");'])
def test_a_text_whose_assembler_reads_files_is_not_complete(word: bytes) -> None:
    assert Text(PLAIN).complete
    assert not Text(PLAIN + word).complete


def test_a_precompiled_header_is_seen() -> None:
    assert not Text(PLAIN).uses_precompiled_header
    assert Text(b'#pragma GCC pch_preprocess "h.gch"\n' + PLAIN).uses_precompiled_header
