"""Signatures from prototypes and from debug data, and the places of the ABI, beside compilers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cr1cc.errors import GateError
from cr1cc.gate.dwarf import signature_in_source, signature_of
from cr1cc.gate.prototype import parse_prototype
from cr1cc.gate.signature import Kind, Place

SOURCE = """\
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
struct node { struct node *next; int value; };
struct device { int plain; struct { const volatile int reg[2]; } inner; };
enum colour { RED, GREEN };
typedef uint16_t half;
extern int declared(int);
long sum(const int *p, size_t n) { return declared(p[n]); }
bool many(float x, double y, int8_t c, half h, enum colour q, struct node *m, char **z,
          void *restrict w, int a[4], int (*b)[3], long last, volatile short *v)
{ return x < y; }
void none(void) {}
int reads(struct device *d) { return d->plain; }
int variable(const char *s, ...) { return 0; }
struct node by_value(int a) { struct node n = {0}; return n; }
int takes(struct node n) { return n.value; }
int callback(int (*f)(int)) { return f(1); }
long double wide(int a) { return a; }
__int128 wider(int a) { return a; }
"""
COMPILERS = [name for name in ("gcc", "clang-19", "clang-14") if shutil.which(name)]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("signature") / "a.c"
    path.write_text(SOURCE)
    return str(path)


def seen(compiler: str, source: str, name: str) -> str:
    return str(signature_in_source([shutil.which(compiler) or ""], source, name, os.environ))


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize(
    ("name", "prototype"),
    [
        ("sum", "long sum(const int *p, unsigned long n)"),
        ("none", "void none(void)"),
        ("reads", "int reads(volatile struct[12] *d)"),
        ("many", "_Bool many(float x, double y, signed char c, unsigned short h, unsigned int q, "
                 "struct[16] *m, signed char **z, void *restrict w, int *a, int b[3], long last, "
                 "volatile short *v)"),
    ],
)  # fmt: skip
def test_debug_data_gives_the_prototype(
    compiler: str, source: str, name: str, prototype: str
) -> None:
    assert seen(compiler, source, name) == prototype
    assert str(parse_prototype(prototype)) == prototype


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("variable", "a variable list of arguments"),
        ("by_value", "by value"),
        ("takes", "parameter n is a struct"),
        ("callback", "a pointer to a function"),
        ("wide", "long double is not supported"),
        ("wider", "__int128.* is not supported"),
        ("declared", "says nothing of a function declared"),
        ("missing", "says nothing of a function missing"),
    ],
)
def test_what_is_passed_otherwise_is_refused(
    compiler: str, source: str, name: str, reason: str
) -> None:
    with pytest.raises(GateError, match=reason):
        seen(compiler, source, name)


def test_a_source_that_does_not_compile_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.c"
    path.write_text("int f(\n")
    with pytest.raises(GateError, match=r"does not compile: .*error"):
        seen("gcc", str(path), "f")


def test_damaged_and_missing_debug_data_are_said(tmp_path: Path, source: str) -> None:
    for options, data in ((["-g"], "cut"), ([], "whole")):
        out = tmp_path / "a.o"
        subprocess.run(["gcc", *options, "-c", source, "-o", out], check=True)
        given = out.read_bytes()
        with pytest.raises(GateError, match="debug data"):
            signature_of(given[: len(given) // 2] if data == "cut" else given, "sum")
    with pytest.raises(GateError, match="debug data"):
        signature_of(b"no object", "sum")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("size_t f(unsigned, char)", "unsigned long f(unsigned int a0, signed char a1)"),
        ("extern unsigned long long int f(void);", "unsigned long f(void)"),
        ("int f(short const s[static 3])", "int f(const short s[3])"),
        ("void f(struct [24] * restrict p)", "void f(struct[24] *restrict p)"),
        ("const int f(int *const *p)", "int f(int *const *p)"),
        ("uint8_t *f(bool b, double, float)", "unsigned char * f(_Bool b, double a1, float a2)"),
    ],
)
def test_prototypes_are_understood_as_c_means_them(text: str, meant: str) -> None:
    found = parse_prototype(text)
    assert str(found) == meant
    assert parse_prototype(meant) == found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "a type is missing"),
        ("int", "names no function"),
        ("int f()", "none are `\\(void\\)`"),
        ("int f(", "a type is missing"),
        ("int f(void) x", "x behind its end"),
        ("int f(int, ...)", "variable list"),
        ("int f(struct s *p)", "how large a struct is"),
        ("int f(struct[8] s)", "parameter 1 is a struct by value"),
        ("struct[8] f(void)", "given by value"),
        ("int f(void, int)", "parameter 1 is void"),
        ("foo_t f(void)", "type foo_t is not known"),
        ("long double f(void)", "long double is not supported"),
        ("unsigned signed f(void)", "is no type"),
        ("int f(int x, int x)", "one name"),
        ("int f(int a[2][3])", "array of arrays"),
        ("int f(int (*g)(int))", "pointer to a function"),
        ("int f(enum e x)", "enumeration"),
        ("int f(int x = 3)", "= is not understood"),
        ("int f(int p[0])", "not a size"),
        ("int f(__int128 x)", "128 bits"),
    ],
)
def test_what_is_no_prototype_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(GateError, match=reason):
        parse_prototype(text)


def test_places_are_those_that_the_compiler_reads(tmp_path: Path) -> None:
    # Integers and floats in turn, more of each than there are registers.
    kinds = ("int", "double", "const char *", "float", "long", "_Bool", "unsigned short") * 3
    parameters = ", ".join(f"{kind} p{number}" for number, kind in enumerate(kinds))
    signature = parse_prototype(f"void f({parameters})")
    for parameter, place in zip(signature.parameters, signature.places(), strict=True):
        is_float = parameter.type.kind is Kind.FLOAT
        result = re.sub(" p$", "", f"{kinds[int(parameter.name[1:])]} p")
        path = tmp_path / "a.c"
        path.write_text(f"{result} f({parameters}) {{ return {parameter.name}; }}\n")
        text = subprocess.run(
            ["gcc", "-O2", "-S", "-o", "-", path], capture_output=True, text=True, check=True
        ).stdout
        body = text.split("f:\n")[1].split("\tret")[0]
        if place.register:
            names = {place.register, *_parts(place.register)}
            assert is_float == place.register.startswith("xmm")
            assert any(f"%{name}" in body for name in names) or place == Place("xmm0")
        else:
            assert f"{place.offset}(%rsp)" in body


def _parts(register: str) -> tuple[str, ...]:
    """How the parts of an integer register are called."""
    if register in ("r8", "r9"):
        return register + "d", register + "w", register + "b"
    low = register[1] + "l" if register.endswith("x") else register[1:] + "l"
    return "e" + register[1:], register[1:], low
