"""The licence of a package, from Debian's machine-readable file."""

from __future__ import annotations

import pytest

from cr1cc.train.licences import UNNAMED, licence

HEAD = (
    "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: x\n"
)


@pytest.mark.parametrize(
    ("stanzas", "expected"),
    [
        (("Files: *\nCopyright: A\nLicense: GPL-3+", "Files: lib/*\nLicense: LGPL-2.1+"), "GPL-3+"),
        (("Files:  *\nLicense: BSD-2-clause\n Redistribution and use\n .\n in source",),
         "BSD-2-clause"),
        (("Files: a/*\nLicense: Zlib", "Files: b/*\nLicense: MIT", "Files: c\nLicense: MIT"),
         "MIT / Zlib"),
        (("License: GPL-2\n the text of it, for no files",), UNNAMED),
        (("This package was debianized by hand.\nIt is free.",), UNNAMED),
        ((" \nFiles:\n\n\n",), UNNAMED),
    ],
)  # fmt: skip
def test_the_stanza_for_all_files_says_it(stanzas: tuple[str, ...], expected: str) -> None:
    assert licence("\n\n".join((HEAD, *stanzas))) == expected
