"""Small modules, and a way to run a pipeline on them in a forked child."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from cr1cc.llvm.library import Library
from cr1cc.llvm.module import Module
from cr1cc.llvm.passes import PassRunner
from cr1cc.llvm.target import TargetMachine, TargetSpec
from cr1cc.records import Toolchain

# A loop, a switch, a call, a local global, memory: something for passes of every level.
_IR = b"""
target triple = "x86_64-pc-linux-gnu"
@table = internal global [4 x i32] [i32 1, i32 2, i32 3, i32 4]
define internal i32 @helper(i32 %x) {
  %y = mul i32 %x, 3
  ret i32 %y
}
define i32 @work(i32 %n) minsize optsize {
entry:
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %next, %latch ]
  %sum = phi i32 [ 0, %entry ], [ %new, %latch ]
  switch i32 %i, label %latch [ i32 1, label %one
                                i32 2, label %two ]
one:
  br label %latch
two:
  br label %latch
latch:
  %add = phi i32 [ %i, %loop ], [ 7, %one ], [ 9, %two ]
  %called = call i32 @helper(i32 %add)
  %new = add i32 %sum, %called
  %next = add i32 %i, 1
  %done = icmp sge i32 %next, %n
  br i1 %done, label %end, label %loop
end:
  ret i32 %new
}
"""

Accepts = Callable[[list[str]], dict[str, str]]


@pytest.fixture
def accepts(toolchain: Toolchain) -> Accepts:
    """`accepts(pipelines)`: what LLVM said against each, nothing for all well.

    All run in one child that reports after each, so a death names its pipeline.
    """
    path = toolchain.libllvm
    assert path is not None

    def run(pipelines: list[str]) -> dict[str, str]:
        problems: dict[str, str] = {}
        todo = list(pipelines)
        while todo:
            reports = _in_child(path, todo)
            for pipeline, report in zip(todo, reports, strict=False):
                if report != "ok":
                    problems[pipeline] = report
            todo = todo[len(reports) :]
            if todo:
                problems[todo.pop(0)] = "the process died"
        return problems

    return run


def _in_child(path: str, pipelines: list[str]) -> list[str]:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            library = Library(path)
            for pipeline in pipelines:
                os.write(writer, (_attempt(library, pipeline) + "\n").encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as reports:
        text = reports.read()
    os.waitpid(child, 0)
    return text.splitlines()


def _attempt(library: Library, pipeline: str) -> str:
    module = Module.parse_text(library, _IR)
    try:
        machine = TargetMachine(library, module, TargetSpec())
        PassRunner(library, machine).run(module, pipeline)
        return " ".join((module.invalid() or "ok").split())
    except Exception as error:
        return " ".join(str(error).split()) or "error"
