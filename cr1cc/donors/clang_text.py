"""Whether clang can be trusted with a text that gcc has preprocessed, and the text for it.

The text is gcc's own, so no `#ifdef __clang__` makes it another program. What the two
compilers may understand differently is looked for by name: better no donor than a wrong one.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Words that make two compilers disagree, or that one of them lacks: types whose layout or
# passing has changed between versions, builtins that see through calls, extensions of gcc.
_REFUSED_WORDS = (
    b"_Atomic", b"_BitInt", b"_Complex", b"_Decimal128", b"_Decimal32", b"_Decimal64", b"_Generic",
    b"__auto_type", b"__builtin_apply", b"__builtin_apply_args", b"__builtin_constant_p",
    b"__builtin_dynamic_object_size", b"__builtin_object_size", b"__builtin_return",
    b"__builtin_types_compatible_p", b"__builtin_va_arg_pack", b"__builtin_va_arg_pack_len",
    b"__complex__", b"__float128", b"__float80", b"__int128", b"__int128_t", b"__label__",
    b"__seg_fs", b"__seg_gs", b"__uint128_t",
)  # fmt: skip

# What the headers of the C library declare and define with such words in C, for every program.
_IN_SYSTEM_HEADERS = frozenset(
    {b"_Complex", b"__builtin_constant_p", b"__float128", b"_Generic"}
)  # fmt: skip

# Attributes that both compilers honour alike.
_ALIKE = frozenset(
    b"alias aligned alloc_align alloc_size always_inline assume_aligned cleanup cold common const "
    b"constructor deprecated destructor error fallthrough format format_arg gnu_inline hot malloc "
    b"may_alias maybe_unused mode no_instrument_function nocommon nodiscard noinline nonnull "
    b"noreturn nothrow packed pure returns_nonnull returns_twice sentinel tls_model "
    b"transparent_union unavailable unused used visibility warn_unused_result warning weak".split()
)
# Attributes without which code may be larger or a warning missing, and nothing else.
_HINTS = frozenset(
    b"access artificial designated_init externally_visible fd_arg flatten leaf noclone nonstring "
    b"null_terminated_string_arg".split()
)

_PRAGMAS = (b"GCC diagnostic", b"GCC poison", b"GCC visibility", b"pack", b"weak", b"STDC")

# gcc has these types by itself; for other compilers glibc's <bits/floatn-common.h> defines
# them as here.
_PRELUDE = (
    b"typedef float _Float32; typedef double _Float64; typedef double _Float32x; "
    b"typedef long double _Float64x; typedef __float128 _Float128;\n"
)
_SIZED_FLOATS = re.compile(rb"\b_Float\d+x?\b")

_WORD = re.compile(rb"[A-Za-z_]\w*")
_LITERAL = re.compile(rb'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'')
_ASSEMBLER = re.compile(rb"\b(?:asm|__asm|__asm__)\b")
# What stops a compiler from moving memory accesses, and is no instruction.
_BARRIER = re.compile(
    rb'\b(?:asm|__asm|__asm__)\s+(?:volatile|__volatile|__volatile__)\s*\(\s*""\s*'
    rb':\s*:\s*:\s*"memory"\s*\)'
)
# How glibc names the function that is really called: __REDIRECT, and sigpause by hand.
_REDIRECTION = re.compile(rb'\b__asm__ \((?:"" "\w+"|"__\w+")\)')
_ATTRIBUTE = re.compile(rb"\b__attribute(?:__)?\b\s*\(\(")
# Attributes of C23, without a namespace.
_IN_BRACKETS = re.compile(rb"\[\[\s*(\w+)\s*(?:\(\s*\"\"\s*\)\s*)?\]\]")
# Spelt so in headers only: `malloc (…)` without underscores would be a call as well.
_DEALLOCATOR = re.compile(rb"\b__malloc__ ?\([^()]*\)")
_PRAGMA = re.compile(rb"^[ \t]*#[ \t]*pragma[ \t]+(.*)$", re.MULTILINE)
_LINEMARKER = re.compile(rb'^# \d+ "(?:[^"\\]|\\.)*"((?: \d)*)$', re.MULTILINE)


@lru_cache(maxsize=1)
def refusal(text: bytes) -> str:
    """Why clang is not given this text, "" if it is."""
    for pragma in _PRAGMA.findall(text):
        if not pragma.startswith(_PRAGMAS):
            return f"it has #pragma {pragma.decode(errors='replace').strip()}"
    plain = _LITERAL.sub(b'""', _REDIRECTION.sub(b"", _BARRIER.sub(b"", text)))
    if _ASSEMBLER.search(plain):
        return "it has inline assembler"
    if b"[[" in _IN_BRACKETS.sub(b"", plain):
        return "it has attributes in brackets"
    for name in _attributes(plain):
        if name not in _ALIKE and name not in _HINTS:
            return f"it has the attribute {name.decode(errors='replace')}"
    system, own = _parts(plain)
    for word in _REFUSED_WORDS:
        if word in own or (word in system and word not in _IN_SYSTEM_HEADERS):
            return f"it has {word.decode()}"
    sized = next((word for word in own if _SIZED_FLOATS.fullmatch(word)), None)
    return f"it has {sized.decode()}" if sized else ""


@lru_cache(maxsize=1)  # for several builds
def for_clang(text: bytes) -> bytes:
    """The same program in words that clang accepts."""
    first = text.find(b"\n") + 1  # behind the linemarker that names the source
    prelude = _PRELUDE if _SIZED_FLOATS.search(text) else b""
    # With arguments the attribute names the function that frees, for warnings only.
    return text[:first] + prelude + _DEALLOCATOR.sub(b"", text[first:])


def _attributes(text: bytes) -> set[bytes]:
    """The names of all attributes, without underscores around them."""
    names = {name.removeprefix(b"__").removesuffix(b"__") for name in _IN_BRACKETS.findall(text)}
    for match in _ATTRIBUTE.finditer(text):
        depth, at, fresh = 2, match.end(), True
        while depth > 0 and at < len(text):
            if depth == 2 and fresh and (word := _WORD.match(text, at)):
                names.add(word[0].removeprefix(b"__").removesuffix(b"__"))
                at, fresh = word.end(), False
                continue
            character = text[at : at + 1]
            depth += {b"(": 1, b")": -1}.get(character, 0)
            fresh = fresh or (character == b"," and depth == 2)
            at += 1
    return names


def _parts(text: bytes) -> tuple[set[bytes], set[bytes]]:
    """The words of system headers and those of all other files."""
    system: set[bytes] = set()
    own: set[bytes] = set()
    at, in_system = 0, False
    for match in _LINEMARKER.finditer(text):
        (system if in_system else own).update(_WORD.findall(text, at, match.start()))
        at, in_system = match.end(), b"3" in match[1]
    (system if in_system else own).update(_WORD.findall(text, at))
    return system, own
