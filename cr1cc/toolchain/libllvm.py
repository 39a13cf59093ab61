"""The libLLVM that belongs to a clang: where it is, and what it was built with.

Nothing of libLLVM is called in this process: it ends the process on errors.
"""

from __future__ import annotations

import glob
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cr1cc.util.elf_dynamic import Dynamic, read_dynamic

# The suffixes of LLVMInitialize<target>Target, llvm-c/Target.h; those that clang can compile for.
TARGETS = (
    "AArch64", "AMDGPU", "ARC", "ARM", "AVR", "BPF", "CSKY", "Hexagon", "Lanai", "LoongArch",
    "M68k", "MSP430", "Mips", "NVPTX", "PowerPC", "RISCV", "SPIRV", "Sparc", "SystemZ", "VE",
    "WebAssembly", "X86", "XCore", "Xtensa",
)  # fmt: skip

_NAME = re.compile(r"libLLVM(-[\w.]+)?\.so(\.[\w.]+)?")  # not libLLVMSupport.so and its like
_FOLLOWED = re.compile(r"lib(clang|LLVM)")  # the libraries on the way from clang to libLLVM
_DIRECTORIES = ("/lib64", "/usr/lib64", "/lib", "/usr/lib")  # ld.so(8), after the configured ones
_CHILD_SECONDS = 30
_GET_VERSION_SINCE = 16  # LLVMGetVersion, llvm-c/Core.h

Version = tuple[int, int, int]


@dataclass(frozen=True)
class Library:
    """A libLLVM that can be loaded, or (`path` is None) why there is none."""

    path: str | None
    problem: str = ""
    targets: tuple[str, ...] = ()


def find_library(clang: str, version: Version, environ: Mapping[str, str]) -> Library:
    """The libLLVM of `clang`, the real program and not a link or script, of that version."""
    program = read_dynamic(clang)
    if program is None:
        return Library(None, f"{clang} is not a program whose libraries can be read")
    linked = _linked(clang, program, environ)
    if linked:
        return _checked(linked, version, exact=version[0] >= _GET_VERSION_SINCE)
    problem = f"{clang} is not linked against a shared libLLVM"
    for path in _beside(clang, version):
        library = _checked(path, version, exact=True)
        if library.path:
            return library
        problem = f"{clang} is linked statically, and {library.problem}"
    return Library(None, problem)


def _checked(path: str, version: Version, *, exact: bool) -> Library:
    """`path` as a Library if it loads and is of `version` (`exact`: and says so itself)."""
    answer = probe(path)
    if isinstance(answer, str):
        return Library(None, f"{path} cannot be loaded: {answer}")
    found, targets = answer
    wanted = ".".join(map(str, version))
    if found is None and exact:
        return Library(None, f"{path} does not tell its version, so it may not be {wanted}")
    if found is not None and found != version:
        other = ".".join(map(str, found))
        return Library(None, f"{path} is version {other}, but the compiler is {wanted}")
    return Library(path, "", targets)


def probe(path: str) -> tuple[Version | None, tuple[str, ...]] | str:
    """Load a libLLVM in a child; its version (None before LLVM 16) and targets, or why not."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            os.write(writing, json.dumps(_inspect(path)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        text = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if not text:
        return f"loading it ended the process (status {status})"
    answer = json.loads(text)
    if "error" in answer:
        return str(answer["error"])
    found = answer["version"]
    return (tuple(found) if found else None), tuple(answer["targets"])


def _inspect(path: str) -> dict[str, object]:
    """What the child of `probe` says; may end the process."""
    import ctypes  # only ever needed when a toolchain is seen for the first time
    import signal

    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(_CHILD_SECONDS)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 2)
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        return {"error": str(error)}
    if not hasattr(library, "LLVMContextCreate"):
        return {"error": "it is not a libLLVM with the C API"}
    version = None
    if hasattr(library, "LLVMGetVersion"):
        parts = [ctypes.c_uint() for _ in range(3)]
        library.LLVMGetVersion(*map(ctypes.byref, parts))
        version = [part.value for part in parts]
    targets = [name for name in TARGETS if hasattr(library, f"LLVMInitialize{name}Target")]
    return {"version": version, "targets": targets}


def _linked(clang: str, program: Dynamic, environ: Mapping[str, str]) -> str | None:
    """The libLLVM that the dynamic linker loads for `clang`, directly or for libclang-cpp."""
    pending = [(os.path.realpath(clang), program)]
    seen: set[str] = set()
    while pending:
        path, dynamic = pending.pop(0)
        for name in dynamic.needed:
            if name in seen or not _FOLLOWED.match(name):
                continue
            seen.add(name)
            found = _resolve(name, path, dynamic, program, environ)
            if found is None:
                continue
            if _NAME.fullmatch(name):
                return os.path.realpath(found)
            library = read_dynamic(found)
            if library:
                pending.append((found, library))
    return None


def _resolve(
    name: str, loader: str, dynamic: Dynamic, program: Dynamic, environ: Mapping[str, str]
) -> str | None:
    """Where the dynamic linker finds `name`, which `loader` needs (ld.so(8), in its order)."""
    origin = os.path.dirname(loader)
    rpath = () if dynamic.runpath else dynamic.rpath
    preloaded = tuple(filter(None, re.split("[:;]", environ.get("LD_LIBRARY_PATH", ""))))
    configured = (*rpath, *preloaded, *dynamic.runpath)
    for directory in (*configured, *_system_directories()):
        expanded = directory.replace("${ORIGIN}", origin).replace("$ORIGIN", origin)
        path = os.path.normpath(os.path.join(expanded, name))
        library = read_dynamic(path) if os.path.exists(path) else None
        # A library of another architecture in the way is passed over, as ld.so does.
        if library and library.machine == program.machine:
            return path
    return None


def _system_directories() -> tuple[str, ...]:
    return (*_configured("/etc/ld.so.conf", 0), *_DIRECTORIES)


def _configured(file: str, depth: int) -> Iterator[str]:
    """The directories that a file in the form of /etc/ld.so.conf names."""
    try:
        with open(file, encoding="utf-8", errors="surrogateescape") as lines:
            words = [line.split("#", 1)[0].split() for line in lines]
    except OSError:
        return
    for line in filter(None, words):
        if line[0] != "include":
            yield line[0]
        elif depth < 4:
            for pattern in line[1:]:
                place = os.path.join(os.path.dirname(file), pattern)
                for included in sorted(glob.glob(place)):
                    yield from _configured(included, depth + 1)


def _beside(clang: str, version: Version) -> Iterator[str]:
    """Where a statically linked clang's own prefix would have the library of its version."""
    prefix = os.path.dirname(os.path.dirname(os.path.realpath(clang)))
    major, minor, _ = version
    for folder in ("lib", "lib64"):
        for name in (f"libLLVM.so.{major}.{minor}", f"libLLVM-{major}.so", "libLLVM.so"):
            path = os.path.join(prefix, folder, name)
            if os.path.exists(path):
                yield os.path.realpath(path)
