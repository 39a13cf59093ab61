"""The real projects: one row each, with the commands of its own build system.

Commands are run by `sh -eu` in the root of the unpacked source, with CC, CXX, CFLAGS
and CXXFLAGS set as a user would set them, JOBS (for `make -j`), PYTHON, SCRIPTS (the
folder `scripts` beside this file) and, for each used project, the root of its built
tree under its name in upper case. Version, size and sha256 are those of the upstream
archive that the row was written for; other versions usually build by the same row.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Project:
    """How one project is fetched, built and tested."""

    name: str
    version: str
    sha256: str
    size: int  # of the archive, in bytes
    system: str  # the build system, for people
    build: str  # everything whose objects are measured
    test: str  # the project's own test, exit status 0 if it passes
    passed: str  # regular expression that the test's output has then, too
    outputs: str  # prints what the built programs compute: equal for every right compiler
    configure: str = ""
    debian: str = ""  # the source package of the distribution
    pypi: str = ""  # the source distribution of the Python package index
    needs: tuple[str, ...] = ("make",)  # programs on PATH
    uses: tuple[str, ...] = ()  # projects that are built before, with the same compiler


_CMAKE = "-DCMAKE_BUILD_TYPE=None -DCMAKE_POLICY_VERSION_MINIMUM=3.5"

# Links a test program against the object that the build made: the project's own rule
# would compile the whole amalgamation once more for each program.
_SQLITE_LINK = r"""
relink() {
    make -n "$1" | sed -e ':a' -e '/\\$/{N' -e 's/\\\n//' -e 'ba' -e '}' |
        grep -e "-o $1 " | sed 's/ sqlite3\.c/ sqlite3.o/' > "$1-link.sh"
    sh -eu "$1-link.sh"
}
relink fuzzcheck
relink speedtest1
"""

_ROWS = (
    Project(
        name="zlib",
        debian="zlib",
        version="1.2.13.dfsg",
        sha256="71feb7947e3c00ef125f83b79a4e529bde31171e5babe48b391f06758d1ab0a1",
        size=1239825,
        system="its own configure, make",
        configure="./configure",
        build='make -j"$JOBS"',
        test="make test",
        passed=r"zlib test OK[^$]*zlib shared test OK[^$]*zlib 64-bit test OK",
        outputs='for level in 1 6 9; do ./minigzip -"$level" < zlib.h | sha256sum; done',
    ),
    Project(
        name="bzip2",
        debian="bzip2",
        version="1.0.8",
        sha256="ab5a03176ee106d3f0fa90e381da478ddae405918153cca248e682cd0c4a2269",
        size=810029,
        system="make",
        build='make -j"$JOBS" CC="$CC" CFLAGS="-Wall -Winline -D_FILE_OFFSET_BITS=64 $CFLAGS" '
        "libbz2.a bzip2 bzip2recover",
        test='make test CC="$CC"',
        passed=r"like you're in business",
        outputs='for level in 1 5 9; do ./bzip2 -"$level" < manual.html | sha256sum; done',
    ),
    Project(
        name="lua",
        debian="lua5.4",
        version="5.4.4",
        sha256="164c7849653b80ae67bec4b7473b884bf5cc8d2dca05653475ec2ed27b9ebf61",
        size=360876,
        system="make",
        build='make -C src -j"$JOBS" linux CC="$CC" MYCFLAGS="$CFLAGS"',
        # The archive has no test suite: `make test` only starts the interpreter.
        test='make -C src test && src/lua "$SCRIPTS/language.lua" '
        '&& src/lua "$SCRIPTS/library.lua"',
        passed=r"language: \d+ checks passed[^$]*library: \d+ checks passed",
        outputs='src/lua "$SCRIPTS/programs.lua"; '
        'src/luac -s -o programs.luac "$SCRIPTS/programs.lua"; sha256sum programs.luac',
    ),
    Project(
        name="lz4",
        debian="lz4",
        version="1.9.4",
        sha256="0b0e3aa07c8c063ddf40b082bdf7e37a1562bda40a0ff5272957f3e987e0e54b",
        size=354063,
        system="make",
        build='make -C programs -j"$JOBS" lz4 && '
        'make -C tests -j"$JOBS" fuzzer frametest datagen roundTripTest',
        test="make -C tests test-lz4-basic && cd tests && "
        "./fuzzer -s1 -i200 && ./frametest -s1 -i500",
        passed=r"fuzzer tests completed|All tests completed|all tests",
        outputs="for level in 1 9 12; do programs/lz4 -$level -c lib/lz4.c | sha256sum; done; "
        "tests/datagen -g200000 | programs/lz4 -c | programs/lz4 -dc | sha256sum",
    ),
    Project(
        name="expat",
        debian="expat",
        version="2.5.0",
        sha256="ab00ee05c7067fd10a35c5d2a4922ebba746ddd50ff83b79c828da17bbdf1757",
        size=8320988,
        system="CMake",
        needs=("cmake", "make"),
        configure=f"cmake -S expat -B build {_CMAKE} -DEXPAT_BUILD_DOCS=OFF",
        build='make -C build -j"$JOBS"',
        test="cd build && ctest --output-on-failure",
        passed=r"100% tests passed, 0 tests failed",
        outputs='mkdir -p out; "$(find build -name xmlwf -type f -perm -u+x)" '
        "-m -d out expat/doc/xmlwf.xml; sha256sum out/*",
    ),
    Project(
        name="libpng",
        debian="libpng1.6",
        version="1.6.39",
        sha256="a00e9d2f2f664186e4202db9299397f851aea71b36a35e74910b8820e380d441",
        size=1519415,
        system="autoconf, automake, libtool",
        uses=("zlib",),
        configure='./configure CPPFLAGS="-I$ZLIB" LDFLAGS="-L$ZLIB -Wl,-rpath,$ZLIB"',
        build='make -j"$JOBS" all && make -j"$JOBS" check TESTS=',
        test='make -j"$JOBS" check',
        passed=r"# FAIL:\s+0\b[^$]*# ERROR:\s+0\b",
        outputs="for image in pngtest.png contrib/pngsuite/basn*.png; do "
        './pngcp "$image" out.png > /dev/null; sha256sum out.png; done',
    ),
    Project(
        name="sqlite",
        debian="sqlite3",
        version="3.40.1",
        sha256="aaa776260ab4dc976db34aa7891819484c8676b5b2783123ebc6301e2ca5d655",
        size=8019048,
        system="autoconf, libtool, one amalgamated file",
        needs=("make", "tclsh"),
        configure="./configure --disable-tcl --disable-readline --disable-shared "
        'CFLAGS="$CFLAGS -DSQLITE_ENABLE_MEMSYS5 -DSQLITE_ENABLE_FTS4 -DSQLITE_ENABLE_FTS5 '
        '-DSQLITE_ENABLE_RTREE" && make sqlite3.c',
        build='make -j"$JOBS" libsqlite3.la',
        test=f"{_SQLITE_LINK} ./fuzzcheck test/fuzzdata[13-8].db",
        passed=r"fuzzcheck: 0 errors out of \d+ tests",
        outputs="./speedtest1 --size 5 --verify :memory: | grep 'Verification Hash'",
    ),
    Project(
        name="zstd",
        debian="libzstd",
        version="1.5.4+dfsg2",
        sha256="8cf4bbb65e77ec348d052c8d6230eba66d435bddf64c8b5be2fcb16880c19953",
        size=1582660,
        system="make",
        # The name of the compiler would be part of the objects' folder.
        build='make -C programs -j"$JOBS" zstd BUILD_DIR=obj HAVE_ZLIB=0 HAVE_LZMA=0 HAVE_LZ4=0 '
        '&& make -C tests -j"$JOBS" fuzzer',
        test="tests/fuzzer -s1 -i60",
        passed=r"\b60 fuzzer tests completed",
        outputs="for level in 1 3 9 19; do "
        "programs/zstd --single-thread -$level -c lib/compress/zstd_lazy.c | sha256sum; done",
    ),
    Project(
        name="cjson",
        debian="cjson",
        version="1.7.15",
        sha256="5308fd4bd90cef7aa060558514de6a1a4a0819974a26e6ed13973c5f624c24b2",
        size=352278,
        system="CMake",
        needs=("cmake", "make"),
        configure=f"cmake -S . -B build {_CMAKE} -DENABLE_CJSON_UTILS=ON",
        build='make -C build -j"$JOBS"',
        test="cd build && ctest --output-on-failure",
        passed=r"100% tests passed, 0 tests failed",
        outputs="build/cJSON_test",
    ),
    Project(
        name="jsoncpp",
        debian="libjsoncpp",
        version="1.9.5",
        sha256="f409856e5920c18d0c2fb85276e24ee607d2a09b5e7d5f0a371368903c275da2",
        size=216055,
        system="CMake, C++",
        needs=("cmake", "make"),
        configure=f"cmake -S . -B build {_CMAKE} -DBUILD_STATIC_LIBS=OFF "
        "-DBUILD_OBJECT_LIBS=OFF -DJSONCPP_WITH_POST_BUILD_UNITTEST=OFF",
        build='make -C build -j"$JOBS"',
        test="cd build && ctest --output-on-failure",
        passed=r"100% tests passed, 0 tests failed",
        outputs="cp test/data/*complex*.json .; for text in *complex*.json; do "
        'build/bin/jsontestrunner_exe "$text" > /dev/null; done; sha256sum *.actual *.rewrite',
    ),
    Project(
        name="brotli",
        pypi="brotli",
        version="1.2.1",
        sha256="02b2f7b5a83485efe448a44ddf7983def05c3bb1dcf917d4f7154070260e13de",
        size=7389447,
        system="setuptools",
        needs=(),
        build='"$PYTHON" setup.py build_ext --inplace --build-temp obj --parallel "$JOBS"',
        test='cd python && PYTHONPATH=. "$PYTHON" -m unittest discover -t . -s tests '
        "-p '[bd]*_test.py'",
        passed=r"Ran \d+ tests in [\d.]+s\s+OK",
        outputs='cd python && PYTHONPATH=. "$PYTHON" -c "import brotli, hashlib; '
        "data = open('../c/enc/encode.c', 'rb').read(); print(*(hashlib.sha256("
        'brotli.compress(data, quality=level)).hexdigest() for level in (1, 5, 9)))"',
    ),
)

PROJECTS = {project.name: project for project in _ROWS}

# What the end-to-end tests and the benchmark build; the last row is for machines whose
# distribution offers no sources.
ACCEPTANCE = tuple(name for name in PROJECTS if name != "brotli")
