"""Functions of a printed module, compared body by body."""

from __future__ import annotations

from collections.abc import Callable

from cr1cc.errors import EvaluationError
from cr1cc.ir.text import function_texts
from cr1cc.llvm.module import Module

Parse = Callable[[str], Module]

FIRST = """
define i32 @"first one"() #0 {{
  %x = load i32, i32* @g, align 4, !range !{range}
  ret i32 %x
}}
"""
MODULE = """
@g = external global i32
{first}
define i32 @second() #1 {{
  %x = load i32, i32* @g, align {align}, !range !1
  %y = load i32, i32* @g, align 4, !range !{other}
  %z = add i32 %x, %y
  ret i32 %z
}}
attributes #0 = {{ noinline }}
attributes #1 = {{ {attribute} }}
!0 = !{{i32 0, i32 5}}
!1 = !{{i32 0, i32 9}}
"""


def texts(
    parse: Parse, *, first: str = FIRST.format(range=0), align: int = 4, other: int = 1,
    attribute: str = "cold",
) -> dict[str, str]:  # fmt: skip
    source = MODULE.format(first=first, align=align, other=other, attribute=attribute)
    try:
        return function_texts(parse(source).text())
    except EvaluationError:  # LLVM without typed pointers
        return function_texts(parse(source.replace("i32*", "ptr")).text())


def test_names_are_plain(parse: Parse) -> None:
    assert set(texts(parse)) == {"first one", "second"}


def test_what_other_functions_use_does_not_show(parse: Parse) -> None:
    # Without the first function, every number of the second one moves.
    assert texts(parse)["second"] == texts(parse, first="")["second"]


def test_a_change_of_the_body_the_attributes_or_the_metadata_shows(parse: Parse) -> None:
    plain = texts(parse)["second"]
    assert texts(parse, align=1)["second"] != plain
    assert texts(parse, attribute="hot")["second"] != plain
    assert texts(parse, other=0)["second"] != plain
