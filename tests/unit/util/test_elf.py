"""The ELF reader beside pyelftools, on objects of several compilers and machines."""

from __future__ import annotations

import io
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from cr1cc.records import Toolchain
from cr1cc.util.elf import NotElfError, ObjectFile

C = """
extern int outside(int); extern int table[];
__thread int local_to_thread = 3; static int zeroes[100]; int data[4] = {1, 2};
const char text[] = "abc";
__attribute__((weak)) int weak(int x) { return x * 3; }
__attribute__((visibility("hidden"))) int hidden(int x) { return weak(x) + zeroes[x & 7]++; }
static __attribute__((noinline)) int same(int x) { return x / 7 + table[x]; }
int open_to_all(int x) { return same(x) + hidden(x) + outside(data[x & 3]) + local_to_thread; }
"""
CXX = """
template <class T> struct Box { T value; virtual T get() { return value; } virtual ~Box() {} };
template <class T> T twice(Box<T> *box) { return box->get() + box->get(); }
int use(int x) { Box<int> b; b.value = x; return twice(&b); }
long use(long x) { Box<long> b; b.value = x; try { return twice(&b); } catch (int e) { return e; } }
"""
# (name of the test, language, options of clang)
CLANG = (
    ("x86-64", "c", ("-O2", "-g", "-ffunction-sections", "-fdata-sections", "-fcommon")),
    ("i386", "c", ("--target=i386-linux-gnu", "-Oz")),
    ("aarch64", "c", ("--target=aarch64-linux-gnu", "-Oz", "-fPIC")),
    ("mips", "c", ("--target=mips-linux-gnu", "-O2")),
    ("ppc64", "c", ("--target=powerpc64-linux-gnu", "-O2")),
    ("s390x", "c", ("--target=s390x-linux-gnu", "-O2")),
    ("comdat", "c++", ("-O1", "-g")),
)
TYPES = {0: "NOTYPE", 1: "OBJECT", 2: "FUNC", 3: "SECTION", 4: "FILE", 5: "COMMON", 6: "TLS"}
BINDINGS = ("LOCAL", "GLOBAL", "WEAK")
VISIBILITIES = ("DEFAULT", "INTERNAL", "HIDDEN", "PROTECTED")
SPECIAL = {"SHN_UNDEF": 0, "SHN_ABS": 0xFFF1, "SHN_COMMON": 0xFFF2}


def built(command: list[str], folder: Path, source: str, suffix: str) -> bytes:
    (folder / f"unit{suffix}").write_text(source)
    command = [*command, "-c", f"unit{suffix}", "-o", "unit.o"]
    done = subprocess.run(command, cwd=folder, capture_output=True)
    if done.returncode:
        pytest.skip(f"{command[0]} cannot build this: {done.stderr.decode()[:80]}")
    return (folder / "unit.o").read_bytes()


def compare(data: bytes) -> None:
    ours, theirs = ObjectFile(data), ELFFile(io.BytesIO(data))
    expected = [
        (s.name, s["sh_flags"], s["sh_size"], s["sh_offset"], s["sh_link"])
        for s in theirs.iter_sections()
    ]
    assert [(s.name, s.flags, s.size, s.offset, s.link) for s in ours.sections] == expected
    assert ours.loadable_bytes() == sum(
        s["sh_size"]
        for s in theirs.iter_sections()
        if s["sh_flags"] & 2 and s["sh_type"] != "SHT_NOBITS"
    )
    table = theirs.get_section_by_name(".symtab")
    assert isinstance(table, SymbolTableSection)
    symbols = [
        (
            symbol.name,
            symbol["st_info"]["type"],
            symbol["st_info"]["bind"],
            symbol["st_other"]["visibility"],
            SPECIAL.get(symbol["st_shndx"], symbol["st_shndx"]),
            symbol["st_size"],
        )
        for symbol in list(table.iter_symbols())[1:]
    ]
    # pyelftools 0.33 names a section's symbol after its section; the file says nothing.
    assert [
        (
            s.name,
            f"STT_{TYPES[s.type]}",
            f"STB_{BINDINGS[s.binding]}",
            f"STV_{VISIBILITIES[s.visibility]}",
            s.section,
            s.size,
        )
        for s in ours.symbols()
    ] == symbols


@pytest.mark.parametrize(("language", "options"), [c[1:] for c in CLANG], ids=[c[0] for c in CLANG])
def test_an_object_of_clang_reads_as_pyelftools_reads_it(
    language: str, options: tuple[str, ...], any_toolchain: Toolchain, tmp_path: Path
) -> None:
    command = [any_toolchain.driver, "-x", language, *options]
    compare(built(command, tmp_path, CXX if language == "c++" else C, ".c"))


def test_an_object_of_gcc_reads_as_pyelftools_reads_it(
    need: Callable[[str], str], tmp_path: Path
) -> None:
    compare(built([need("gcc"), "-Os", "-g", "-fcommon"], tmp_path, C, ".c"))


def test_more_sections_than_an_index_holds_are_all_found(
    any_toolchain: Toolchain, tmp_path: Path
) -> None:
    text = '.macro one\n.section .t\\@,"ax"\n.globl f\\@\n.type f\\@,@function\nf\\@: .byte 0\n'
    text += ".size f\\@,1\n.endm\n.rept 65400\none\n.endr\n"
    command = [any_toolchain.driver, "--target=x86_64-linux-gnu"]
    ours = ObjectFile(built(command, tmp_path, text, ".s"))
    homes = {
        symbol.name: ours.section_of(symbol).name
        for symbol in ours.symbols()
        if symbol.name.startswith("f")
    }
    assert len(homes) == 65400
    assert all(home == ".t" + name[1:] for name, home in homes.items())
    assert ours.loadable_bytes() == 65400


def test_damaged_files_raise_nothing_but_their_own_error(
    any_toolchain: Toolchain, tmp_path: Path
) -> None:
    data = built([any_toolchain.driver, "-Oz", "-ffunction-sections"], tmp_path, C, ".c")
    table = int.from_bytes(data[40:48], "little")
    rng = random.Random(1)
    refused = 0
    for _ in range(4000):
        damaged = bytearray(data)
        for _ in range(rng.randint(1, 6)):
            # Half of it where it hurts: the header and the table of sections.
            spot = rng.choice((rng.randrange(64), rng.randrange(table, len(data))))
            damaged[rng.choice((spot, rng.randrange(len(data))))] = rng.choice(
                (0, 0xFF, rng.randrange(256))
            )
        if rng.random() < 0.3:
            del damaged[rng.randrange(len(damaged)) :]
        try:
            read = ObjectFile(bytes(damaged))
            read.loadable_bytes()
            for symbol in read.symbols():
                if symbol.defined:
                    read.section_of(symbol)
            read.function_sizes()
        except NotElfError:
            refused += 1
    assert 500 < refused < 4000


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"\x7fELF\2", b"garbage" * 99, b"\0" * 64])
def test_what_is_no_elf_file_is_refused(data: bytes) -> None:
    with pytest.raises(NotElfError):
        ObjectFile(data)
