"""The command lines of the differential test, and the files they work on."""

from __future__ import annotations

from dataclasses import dataclass

# Repetitive on purpose: recipes find something here with the smallest budget.
PLAIN = """
#include <stddef.h>
struct node { struct node *next; int key; char name[24]; };
static int compare(const char *a, const char *b) {
  while (*a && *a == *b) { a++; b++; }
  return (unsigned char)*a - (unsigned char)*b;
}
struct node *find(struct node *list, const char *name) {
  for (; list; list = list->next) if (compare(list->name, name) == 0) return list;
  return NULL;
}
int total(const struct node *list) {
  int sum = 0;
  for (; list; list = list->next) sum += list->key > 0 ? list->key : -list->key;
  return sum;
}
int total_again(const struct node *list) {
  int sum = 0;
  for (; list; list = list->next) sum += list->key > 0 ? list->key : -list->key;
  return sum;
}
unsigned hash(const char *text, size_t length) {
  unsigned value = 2166136261u;
  for (size_t i = 0; i < length; i++) value = (value ^ (unsigned char)text[i]) * 16777619u;
  return value;
}
extern int report(const char *, int);
extern int take(struct node *, int);
int parse(struct node *list, const char *text, int strict) {
  int seen = 0;
  for (const char *at = text; *at; at++) {
    switch (*at) {
    case 'a': if (!list) { report("empty", seen); return -1; } seen += take(list, 1); break;
    case 'b': if (!list) { report("empty", seen); return -1; } seen += take(list, 2); break;
    case 'c': if (!list) { report("empty", seen); return -1; } seen += take(list, 3); break;
    case 'n': if (!list) { report("empty", seen); return -1; } list = list->next; break;
    default: if (strict) { report("odd", *at); return -2; }
    }
  }
  return seen;
}
extern void emit(int, int, const char *);
void table(int a, int b) {
  emit(a, b, "one"); emit(a + 1, b * 2, "two"); emit(a, b, "one"); emit(a + 1, b * 2, "two");
  if (a > b) { emit(a, b, "one"); emit(a + 1, b * 2, "two"); } else { emit(b, a, "three"); }
  for (int i = 0; i < 8; i++) { emit(i, a, "four"); emit(a, b, "one"); emit(a + 1, b * 2, "two"); }
}
"""

FILES: dict[str, str] = {
    "plain.c": PLAIN,
    "a b.c": PLAIN,
    "-odd.c": PLAIN,
    "plain.txt": PLAIN,
    "dir/plain.c": PLAIN,
    "main.c": "int total(int); int main(void) { return 0; }\n",
    "other.c": "int other(int a) { return a * 3; }\n",
    "empty.c": "",
    "header.h": "#define FROM_HEADER 7\n",
    "inc/found.h": "static inline int found(int a) { return a + FROM_HEADER; }\n",
    "uses.c": '#include "found.h"\nint use(int a) { return found(a) * found(a + 1); }\n',
    "bare.c": "int loop(int *p, int n) { int s = 0; for (int i = 0; i < n; i++) s += p[i] / 3;"
    " return s; }\n",
    "syntax.c": "int f(int a) { return a + ; }\n",
    "warns.c": "int f(int a) { int unused; switch (a) { case 1: a = 2; } }\n",
    "missing_header.c": '#include "nowhere.h"\n',
    "lines.i": '# 1 "lines.c"\nint from_lines(int a) { return a - 1; }\n',
    "assembly.s": "\t.text\n\t.globl f\nf:\n\tret\n",
    "assembly.S": "#define NAME f\n\t.text\n\t.globl NAME\nNAME:\n\tret\n",
    "module.ll": "define i32 @f() {\n  ret i32 1\n}\n",
    "throws.cc": """
#include <new>
struct Guard { Guard(); ~Guard(); int value; };
int risky(int);
int attempt(int a) { Guard g; try { return risky(a); } catch (int e) { return e + g.value; } }
struct Shape { virtual ~Shape(); virtual int area() const; };
int Shape::area() const { return 1; }
Shape::~Shape() {}
template <class T> T largest(const T *p, int n) {
  T m = p[0]; for (int i = 1; i < n; i++) if (m < p[i]) m = p[i]; return m; }
int largest_int(const int *p, int n) { return largest(p, n); }
""",
    "linkage.c": """
__attribute__((weak)) int weak_one(int a) { return a + 1; }
int strong(int a) { return weak_one(a) * 2; }
int nick(int) __attribute__((alias("strong")));
_Thread_local int per_thread = 3;
__attribute__((visibility("hidden"))) int hidden(int a) { return a ^ per_thread; }
__attribute__((constructor)) static void at_start(void) { per_thread++; }
int common_like; static int local = 4;
int renamed(int a) __asm__("other_name");
int renamed(int a) { return a + local++ + common_like; }
""",
    "inline_asm.c": 'int f(int a) { __asm__ volatile("nop\\n\\t# %0" : "+r"(a)); return a; }\n'
    '__asm__(".globl from_asm\\n.data\\nfrom_asm: .long 1\\n.text");\n',
    "bad_asm.c": 'int f(int a) { __asm__ volatile("no_such_instruction"); return a; }\n',
    "pragma_loop.c": """
void f(int *p, int *q, int n) {
#pragma clang loop vectorize(enable) interleave(enable) unroll(full)
  for (int i = 0; i < n; i++) { if (q[p[i]] == 3) break; p[i + 1] = p[i] * q[i]; }
}
""",
    "attribute_warning.c": '__attribute__((warning("do not call"))) void noisy(void);\n'
    "void f(void) { noisy(); }\n",
    "attribute_error.c": '__attribute__((error("never call"))) void fatal(void);\n'
    "void f(void) { fatal(); }\n",
    "big_frame.c": "void use(char *); void f(void) { char room[5000]; use(room); }\n",
    "simple.rsp": "-Oz -c plain.c -o out.o",
    "outer.rsp": "@inner.rsp -DNAME='\"two words\"'\n",
    "inner.rsp": '-Oz\n-c "a b.c"\n-o out.o\n',
    "loop.rsp": "-Oz -c plain.c @loop.rsp",
}


@dataclass(frozen=True)
class Form:
    """One command line. `words` is split as a shell does; `cxx`: for the C++ compiler."""

    words: str
    cxx: bool = False
    stdin: str = ""
    environ: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        before = "".join(f"{name}={value} " for name, value in self.environ)
        return before + ("clang++ " if self.cxx else "") + (self.words or "nothing")


FORMS: tuple[Form, ...] = (
    # objects that may be replaced
    Form("-Oz -c plain.c"),
    Form("-Os -c plain.c -o out.o"),
    Form("-Oz -c plain.c -oout.o"),
    Form("-c plain.c -o sub/out.o -Oz"),
    Form("-Oz -c dir/plain.c"),
    Form("-Oz -c 'a b.c' -o 'out put.o'"),
    Form("-Oz -c -- -odd.c"),
    Form("-Oz -c -o out.o -- plain.c"),
    Form("-O2 -O0 -Oz -c plain.c"),
    Form("-Oz -c plain.c -o first.o -o second.o"),
    Form("-Oz -c plain.c -MD"),
    Form("-Oz -c plain.c -MD -o sub/out.o"),
    Form("-Oz -c plain.c -MMD -MP -MF sub/deps -o out.o"),
    Form("-Oz -c plain.c -MD -MT 'a target' -MQ 'b$c' -MFd.d -o out.o"),
    Form("-Oz -c plain.c -Wp,-MD,sub/.plain.d -o out.o"),
    Form("-Oz -c plain.c -MT unused"),
    Form("-Oz -c plain.c -MF unused.d"),
    Form("-Oz -c -g plain.c"),
    Form("-Oz -c -g3 -gdwarf-4 -fdebug-prefix-map=/=/x/ plain.c"),
    Form("-Oz -c -g -gsplit-dwarf plain.c -o sub/out.o"),
    Form("-Oz -c -g -gsplit-dwarf plain.c"),
    Form("-Oz -c -g -gsplit-dwarf=single plain.c -o out.o"),
    Form("-Oz -c -ffunction-sections -fdata-sections plain.c"),
    Form("-Oz -c -fPIC -fvisibility=hidden plain.c"),
    Form("-Oz -c -std=c99 -pedantic plain.c"),
    Form("-Oz -c -Iinc -include header.h uses.c"),
    Form("-Oz -c -isystem inc -imacros header.h -MMD uses.c"),
    Form("-Oz -c -I inc -D FROM_HEADER=3 -U NOTHING uses.c"),
    Form("-Oz -c uses.c -DFROM_HEADER=5", environ=(("CPATH", "inc"),)),
    Form("-Oz -c -march=x86-64 -mtune=generic --target=x86_64-linux-gnu bare.c"),
    Form("-Oz -c --target=aarch64-linux-gnu -ffreestanding bare.c"),
    Form("-Oz -c -target x86_64-linux-gnu -m32 -ffreestanding bare.c"),
    Form("-Oz -c -fno-exceptions -fno-asynchronous-unwind-tables plain.c"),
    Form("-Oz -c -fstack-protector-all -fno-omit-frame-pointer plain.c"),
    Form("-Oz -c -Wa,--noexecstack -pipe -pthread plain.c"),
    Form("-Oz -c -Wl,-z,now -lm -L. -shared plain.c"),
    Form("-Oz -c -x c plain.txt"),
    Form("-Oz -c -xc++ plain.txt -Wno-deprecated"),
    Form("-Oz -c -x assembler -x none plain.c"),
    Form("-Oz -c lines.i"),
    Form("-Oz -c empty.c"),
    Form("-Oz -c linkage.c"),
    Form("-Oz -c -fPIC -g linkage.c"),
    Form("-Oz -c -fcommon -ftls-model=initial-exec linkage.c"),
    Form("-Oz -c inline_asm.c"),
    Form("-Oz -c throws.cc"),
    Form("-Oz -c throws.cc", cxx=True),
    Form("-Os -c -g -fPIC -std=c++17 throws.cc", cxx=True),
    Form("-Oz -c plain.c -fpermissive", cxx=True),
    Form("-Oz -c main.c", cxx=True),
    Form("@simple.rsp"),
    Form("@outer.rsp"),
    Form("-Oz -c plain.c -o existing.o"),
    Form("-Oz -c plain.c -o link.o"),
    # diagnostics
    Form("-Oz -c warns.c -Wall -Wextra"),
    Form("-Oz -c warns.c -Wall -fcolor-diagnostics"),
    Form("-Oz -c warns.c -Wall -fno-caret-diagnostics -fdiagnostics-format=vi"),
    Form("-Oz -c warns.c -Wall -w"),
    Form("-Oz -c warns.c -Wall -Werror -MD"),
    Form("-Oz -c syntax.c -MD"),
    Form("-Oz -c syntax.c -fcolor-diagnostics -ferror-limit=1"),
    Form("-Oz -c missing_header.c -MD -o out.o"),
    Form("-Oz -c missing.c"),
    Form("-Oz -c folder.c"),
    Form("-Oz -c unreadable.c"),
    Form("-Oz -c plain.c -o nowhere/out.o"),
    Form("-Oz -c plain.c -MD -MF nowhere/out.d"),
    Form("-Oz -c plain.c -o"),
    Form("-Oz -c plain.c -fno-such-option"),
    Form("-Oz -c plain.c --no-such-option -o out.o"),
    Form("-Oz -c plain.c -march=no-such-machine"),
    Form("-Oz -c plain.c -std=c++17"),
    Form("-Oz -c plain.c -fgcse -funroll-all-loops"),
    Form("-Oz -c plain.c -Wno-such-warning"),
    Form("-Oz -c bad_asm.c"),
    Form("-Oz -c pragma_loop.c"),
    Form("-Oz -c attribute_warning.c"),
    Form("-Oz -c attribute_error.c"),
    Form("-Oz -c big_frame.c -Wframe-larger-than=64"),
    Form("-Oz -c plain.c -x c++"),
    Form("-Oz -c plain.c -H"),
    # commands that go through
    Form(""),
    Form("-c plain.c"),
    Form("-O2 -c plain.c -o out.o"),
    Form("-Oz -O1 -c plain.c"),
    Form("-E plain.c"),
    Form("-E -P -dM -Oz empty.c"),
    Form("-M plain.c"),
    Form("-MM -MP -MT x -Oz plain.c"),
    Form("-Oz -S plain.c"),
    Form("-Oz -S -emit-llvm plain.c -o -"),
    Form("-Oz -c -emit-llvm plain.c"),
    Form("-Oz -fsyntax-only warns.c -Wall"),
    Form("--version"),
    Form("-v"),
    Form("-v -Oz -c plain.c"),
    Form("-### -Oz -c plain.c"),
    Form("-print-search-dirs"),
    Form("-print-file-name=libc.so"),
    Form("-dumpversion"),
    Form("-dumpmachine"),
    Form("-Oz -c -x c -", stdin=PLAIN),
    Form("-Oz -c -x c - -o out.o", stdin=PLAIN),
    Form("-E -", stdin="__clang__\n"),
    Form("-Oz -c plain.c -o -"),
    Form("-Oz -c plain.c -o /dev/null"),
    Form("-Oz -c plain.c other.c"),
    Form("-Oz -c plain.c other.c -o out.o"),
    Form("-Oz main.c -o program"),
    Form("-Oz main.c other.c -o program"),
    Form("-Oz -c -flto plain.c"),
    Form("-Oz -c -fsanitize=undefined plain.c"),
    Form("-Oz -c --coverage plain.c"),
    Form("-Oz -c -save-temps plain.c"),
    Form("-Oz -c -fstack-usage plain.c"),
    Form("-Oz -c -Rpass=inline plain.c"),
    Form("-Oz -c -fsave-optimization-record plain.c"),
    Form("-Oz -c -mllvm -disable-lsr plain.c"),
    Form("-Oz -c -Xclang -no-such-thing plain.c"),
    Form("-Oz -c assembly.s"),
    Form("-Oz -c assembly.S"),
    Form("-Oz -c module.ll"),
    Form("-Oz -c -x assembler-with-cpp assembly.s"),
    Form("-Oz -x c-header header.h -o header.pch"),
    Form("@loop.rsp"),
    Form("-Oz -c @nowhere.rsp"),
    Form("-Oz -c plain.c", environ=(("DEPENDENCIES_OUTPUT", "deps.txt"),)),
    Form("-Oz -c plain.c", environ=(("CCC_OVERRIDE_OPTIONS", "# +-O1"),)),
)
