"""Whole compiles: never larger, the same behaviour, the same bytes in every cache state."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from cr1cc.records import Toolchain
from tests.e2e.wrapped import PROGRAM, Wrapped, check_smaller_and_alike, loadable, output

_THROWING = """
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>
struct Shape { virtual ~Shape() {} virtual int area() const = 0; };
struct Square : Shape {
    int a;
    explicit Square(int x) : a(x) {}
    int area() const override { return a * a; }
};
static int risky(int x) {
    if (x % 5 == 3) throw std::runtime_error("bad " + std::to_string(x));
    return x * 3;
}
template <typename T> T total(const std::vector<T> &v) {
    T s{};
    for (const T &x : v) s += x;
    return s;
}
int main() {
    std::vector<int> v;
    for (int i = 0; i < 40; i++) {
        try { v.push_back(risky(i)); } catch (const std::exception &e) { std::puts(e.what()); }
    }
    Square s(7);
    const Shape &shape = s;
    std::printf("%d %d\\n", total(v), shape.area());
}
"""

_ODDITIES = """
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
__thread int counter = 5;
static jmp_buf where;
struct __attribute__((packed)) odd { char c; int i; short s; };
int __attribute__((weak)) maybe(int x) { return x + 1; }
int real_name(int x) { return x * 2; }
int other_name(int) __attribute__((alias("real_name")));
static int sum(int n, ...) {
    va_list list; int total = 0;
    va_start(list, n);
    while (n--) total += va_arg(list, int);
    va_end(list);
    return total;
}
static int interpret(const unsigned char *code) {
    static void *labels[] = {&&add, &&twice, &&done};
    int value = 1;
    goto *labels[*code++];
add: value += 3; goto *labels[*code++];
twice: value *= 2; goto *labels[*code++];
done: return value;
}
int main(void) {
    volatile struct odd o = {1, 70000, 3};
    unsigned char code[] = {0, 1, 0, 1, 1, 2};
    if (setjmp(where) == 0) { counter++; longjmp(where, 1); }
    __asm__ volatile("" ::: "memory");
    printf("%d %d %d %d %d %d\\n", counter, sum(4, 1, 2, 3, 4), interpret(code), o.i + o.s,
           maybe(3), other_name(4));
    return 0;
}
"""

_SOURCES = {"program.c": PROGRAM, "oddities.c": _ODDITIES, "throwing.cpp": _THROWING}

_FLAGS = (
    ("-Oz",),
    ("-Os",),
    ("-Oz", "-g"),
    ("-Oz", "-fPIC", "-ffunction-sections", "-fdata-sections"),
    ("-Os", "-fno-pie", "-fomit-frame-pointer", "-fno-asynchronous-unwind-tables"),
    ("-Oz", "-g", "-gsplit-dwarf"),
)


@pytest.fixture
def place(tmp_path: Path, any_toolchain: Toolchain) -> Wrapped:
    return Wrapped(tmp_path, any_toolchain)


@pytest.mark.parametrize("flags", _FLAGS, ids=" ".join)
@pytest.mark.parametrize("source", _SOURCES)
def test_the_object_is_never_larger_and_the_program_does_the_same(
    place: Wrapped, source: str, flags: tuple[str, ...]
) -> None:
    name = "clang++" if source.endswith("pp") else "clang"
    check_smaller_and_alike(place, name, source, _SOURCES[source], flags)


def test_a_recipe_does_gain_something(place: Wrapped) -> None:
    place.write("program.c")
    place.cr1("-Oz", "-c", "program.c")
    event = place.last()
    assert event.outcome == "smaller"
    assert event.bytes_after == loadable(place.read("program.o")) < event.bytes_before


def test_every_supported_version_compiles_and_never_makes_it_larger(
    tmp_path: Path, toolchain: Toolchain
) -> None:
    place = Wrapped(tmp_path, toolchain)
    place.write("program.c")
    place.real("-Oz", "-c", "program.c", "-o", "plain.o")
    assert place.cr1("-Oz", "-c", "program.c", "-o", "ours.o").status == 0
    assert place.last().outcome in ("smaller", "nothing_better")
    assert loadable(place.read("ours.o")) <= loadable(place.read("plain.o"))
    assert output(place, "clang", "ours.o") == output(place, "clang", "plain.o")


def test_the_bytes_are_the_same_in_every_cache_state(place: Wrapped, tmp_path: Path) -> None:
    place.write("program.c")
    cache = tmp_path / "kept"
    made = {}
    hits = {}

    def build(state: str, **settings: str) -> None:
        (tmp_path / "program.o").unlink(missing_ok=True)
        assert place.cr1("-Oz", "-g", "-c", "program.c", **settings).status == 0
        made[state] = place.read("program.o")
        hits[state] = place.last().hit

    build("without", CR1_CACHE="0")
    build("cold", CR1_CACHE_DIR=str(cache))
    build("warm", CR1_CACHE_DIR=str(cache))
    for file in cache.glob("cache.db*"):
        data = bytearray(file.read_bytes())
        for at in range(4096, len(data), 97):
            data[at] ^= 0x55
        file.write_bytes(data)
    build("corrupted", CR1_CACHE_DIR=str(cache))
    build("after corruption", CR1_CACHE_DIR=str(cache))
    assert len(set(made.values())) == 1
    assert (hits["without"], hits["cold"], hits["warm"]) == ("", "", "object")


def test_a_known_decision_is_repeated_without_the_known_object(place: Wrapped) -> None:
    first = "int f(int x) { return x / 7; }\n" + PROGRAM
    place.write("one.c", first)
    place.cr1("-Oz", "-c", "one.c")
    expected = loadable(place.read("one.o"))
    # The name of the file is in the bitcode but not in what the decision depends on.
    place.write("two.c", first)
    place.cr1("-Oz", "-c", "two.c")
    assert place.last().hit == "module"
    assert loadable(place.read("two.o")) == expected


@pytest.mark.parametrize(
    ("text", "outcome"),
    [("int f(int x) { return x; }\n", "nothing_better"), ("extern int x;\n", "no_code")],
)
def test_that_nothing_is_better_is_remembered_too(place: Wrapped, text: str, outcome: str) -> None:
    hits = []
    for name in ("one.c", "two.c"):
        place.write(name, text)
        place.cr1("-Oz", "-c", name, CR1_PACKS="false")
        event = place.last()
        assert (event.outcome, event.store_problem) == (outcome, "")
        hits.append(event.hit)
    assert hits == ["", "module"]


def test_editing_one_function_leaves_what_is_known_of_the_others(place: Wrapped) -> None:
    settings = {"CR1_TAIL_BUDGET": "8"}
    place.write("program.c")
    place.cr1("-Oz", "-c", "program.c", **settings)
    place.write("program.c", PROGRAM.replace("swaps++", "swaps += 3"))
    place.cr1("-Oz", "-c", "program.c", **settings)
    event = place.last()
    assert event.hit == ""
    assert event.outcome == "smaller"


def test_warnings_and_dependency_files_are_the_same_cold_and_warm(place: Wrapped) -> None:
    place.write("part.h", "int unused_here(void);\n")
    place.write(
        "program.c", '#include "part.h"\n' + PROGRAM + "\nint g(void) { int x; return 1; }\n"
    )
    words = ("-Oz", "-Wall", "-MD", "-c", "program.c", "-o", "out.o")
    place.real(*words)
    expected = place.read("out.d")
    plain = place.real(*words).stderr
    assert b"unused variable" in plain
    for state in ("cold", "warm"):
        (place.folder / "out.d").unlink()
        assert place.cr1(*words).stderr == plain, state
        assert place.read("out.d") == expected, state


def test_eight_builds_at_once_give_the_same_bytes(place: Wrapped) -> None:
    jobs = []
    for number in range(8):
        place.write(f"job{number}/program.c")
        jobs.append(
            subprocess.Popen(
                place.command("-Oz", "-c", "program.c"),
                cwd=place.folder / f"job{number}",
                env=place.environ(),
            )
        )
    assert [job.wait() for job in jobs] == [0] * 8
    assert len({place.read(f"job{number}/program.o") for number in range(8)}) == 1


def test_debug_data_is_kept(place: Wrapped) -> None:
    place.write("program.c")
    place.cr1("-Oz", "-g", "-c", "program.c")
    assert place.last().outcome == "smaller"
    assert b".debug_info" in place.read("program.o")


def test_nothing_else_is_left_beside_the_object(place: Wrapped) -> None:
    place.write("program.c")
    for _ in range(2):
        place.cr1("-Oz", "-c", "program.c", "-o", "out.o")
        assert place.names() == {"program.c", "out.o"}
    assert os.stat(place.folder / "out.o").st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
