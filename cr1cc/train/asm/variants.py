"""The ways in which every source of the corpus is compiled to assembly."""

from __future__ import annotations

from typing import NamedTuple

GCC, CLANG = "gcc", "clang"


class Variant(NamedTuple):
    """`options` come behind those of the package. `counted`: its windows are the corpus; the
    others are there for what they make of small functions."""

    name: str
    family: str
    options: tuple[str, ...]
    counted: bool = True


VARIANTS: tuple[Variant, ...] = (
    Variant("gcc-O3", GCC, ("-O3",)),
    Variant("gcc-Os", GCC, ("-Os",)),
    Variant("clang-O3", CLANG, ("-O3",)),
    Variant("clang-Oz", CLANG, ("-Oz",)),
    Variant("gcc-O3-v2", GCC, ("-O3", "-march=x86-64-v2"), counted=False),
    Variant("gcc-O3-v3", GCC, ("-O3", "-march=x86-64-v3"), counted=False),
    Variant("clang-O3-v2", CLANG, ("-O3", "-march=x86-64-v2"), counted=False),
    Variant("clang-O3-v3", CLANG, ("-O3", "-march=x86-64-v3"), counted=False),
)
