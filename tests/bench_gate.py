"""How many pairs of calls a second the driver makes, by kind of function.

    python -m tests.bench_gate [--compiler gcc]

Both bodies come from the compiler, at -O1 and at -O2. Pairs are counted by the processor time of
the driver, input, both calls and comparison included.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess

from cr1cc.gate.body import read_body
from cr1cc.gate.driver import PAIRS, make_driver
from cr1cc.gate.prototype import parse_prototype
from cr1cc.gate.verdict import Verdict

# prototype, body
FUNCTIONS = (
    ("int f(int x)", "return x / 10;"),
    ("int f(int a, int b)", "return a < b ? a - b : b ^ a;"),
    ("double f(double x, double y)", "return x * y + x;"),
    ("unsigned f(const unsigned char *p)", "return p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];"),
    ("void f(int *p, int *q)", "int a = *p; *p = *q; *q = a;"),
    (
        "long f(const int *p, unsigned long n)",
        "long s = 0; for (unsigned long i = 0; i < n; i++) s += p[i]; return s;",
    ),
    ("unsigned long f(const char *s)", "unsigned long n = 0; while (s[n]) n++; return n;"),
    (
        "void f(int *p, const int *q, unsigned long n)",
        "for (unsigned long i = 0; i < n; i++) p[i] += q[i];",
    ),
)


def pairs_a_second(prototype: str, body: str, compiler: str) -> float:
    """Pairs of calls for each second of processor time."""
    texts = [
        subprocess.run(
            [compiler, level, "-S", "-x", "c", "-", "-o", "-"],
            input=f"{prototype} {{ {body} }}\n",
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for level in ("-O1", "-O2")
    ]
    original, new = (read_body(text, "f") for text in texts)
    with make_driver(original, new, parse_prototype(prototype), os.environ, compiler) as driver:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        judgement = driver.test()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert judgement.verdict is Verdict.TESTED, judgement
    return PAIRS / (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    """Print a line for each function, and the geometric mean."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--compiler", default="gcc")
    compiler = shutil.which(parser.parse_args().compiler)
    if compiler is None:
        parser.error("there is no such compiler")
    rates = []
    for prototype, body in FUNCTIONS:
        rates.append(pairs_a_second(prototype, body, compiler))
        print(f"{rates[-1] / 1e6:6.2f} million pairs a second  {prototype}", flush=True)
    print(f"{statistics.geometric_mean(rates) / 1e6:6.2f} million pairs a second  geometric mean")


if __name__ == "__main__":
    main()
