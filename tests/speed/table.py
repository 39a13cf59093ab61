"""The programs of `make bench-speed`, a row each: own ones, and libraries of open packages with
a driver that uses them.

`sources` are patterns in the unpacked package (or in `programs`), `driver` is compiled with
them; `run` is what the benchmark runs, in the folder of the built program.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One program."""

    name: str
    sources: tuple[str, ...]
    run: str = "./program"
    package: str = ""  # a row of tests/projects/table.py, "": an own program
    flags: str = ""
    driver: str = ""
    configure: str = ""  # run by sh in the unpacked package
    without: tuple[str, ...] = ()  # names of sources that the patterns find and nobody wants


_OWN = (
    "blur", "crc", "decimal", "distance", "fourier", "life", "machine", "mandelbrot", "matmul",
    "nbody", "queens", "rays", "saxpy", "search", "sha", "sort", "table",
)  # fmt: skip


def _package(
    names: str, package: str, sources: tuple[str, ...], driver: str, flags: str = "", **more: str
) -> list[Row]:
    """Rows that are one library; `names` are words `mode=rounds`."""
    pairs = [word.split("=") for word in names.split()]
    return [
        Row(f"{package}-{mode}", sources, f"./program {mode} {n}", package, flags, driver, **more)
        for mode, n in pairs
    ]  # fmt: skip


ROWS: tuple[Row, ...] = (
    *(Row(name, (f"{name}.c",)) for name in _OWN),
    *_package("deflate=5 inflate=120", "zlib", ("*.c",), "zlib.c", "-I.",
              configure="./configure > /dev/null"),
    *_package("compress=4 decompress=9", "bzip2",
              ("blocksort.c", "huffman.c", "crctable.c", "randtable.c", "compress.c",
               "decompress.c", "bzlib.c"), "bzip2.c", "-I. -DBZ_NO_STDIO"),
    *_package("fast=90 high=2 back=300", "lz4", ("lib/lz4.c", "lib/lz4hc.c"), "lz4.c", "-Ilib"),
    *_package("fast=50 high=5 back=150", "zstd",
              ("lib/common/*.c", "lib/compress/*.c", "lib/decompress/*.c"), "zstd.c",
              "-Ilib -DZSTD_DISABLE_ASM"),
    *_package("parse=60 print=40", "cjson", ("cJSON.c",), "cjson.c", "-I."),
    *_package("parse=60", "expat", ("expat/lib/xmlparse.c", "expat/lib/xmlrole.c",
                                    "expat/lib/xmltok.c"), "expat.c",
              "-Iexpat/lib -DXML_POOR_ENTROPY -DXML_DTD -DXML_NS -DXML_CONTEXT_BYTES=1024 "
              "-DHAVE_MEMMOVE"),
    *(
        Row(f"lua-{name}", ("src/*.c",), f"./program {name}.lua", "lua", "-DLUA_USE_POSIX",
            without=("luac.c",))
        for name in ("calls", "numbers", "strings", "tables")
    ),
)  # fmt: skip
