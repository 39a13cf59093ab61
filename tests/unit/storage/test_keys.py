"""Keys: everything that a decision depends on, and nothing else."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from cr1cc.records import Recipe
from cr1cc.storage.keys import (
    KEY_BYTES,
    Basis,
    KeyContext,
    Shelf,
    candidate_key,
    function_key,
    local_key,
    module_key,
    split_name,
)


def test_equal_contexts_have_equal_keys(context: KeyContext) -> None:
    assert module_key(context, "ab") == module_key(replace(context), "ab")
    assert len(module_key(context, "ab")) == 2 * KEY_BYTES


@pytest.mark.parametrize("field", [row.name for row in fields(KeyContext) if row.name != "basis"])
def test_each_part_of_the_context_changes_the_key(context: KeyContext, field: str) -> None:
    other = replace(context, **{field: changed(getattr(context, field))})
    assert module_key(other, "f") != module_key(context, "f")


@pytest.mark.parametrize("field", [row.name for row in fields(Basis)])
def test_each_part_of_the_basis_changes_the_key(context: KeyContext, field: str) -> None:
    basis = replace(context.basis, **{field: changed(getattr(context.basis, field))})
    assert module_key(replace(context, basis=basis), "f") != module_key(context, "f")


def changed(value: object) -> object:
    return value + 1 if isinstance(value, int) else ("x",) if isinstance(value, tuple) else "x"


def test_kinds_fingerprints_and_recipes_have_keys_of_their_own(context: KeyContext) -> None:
    keys = {
        module_key(context, "ab"),
        module_key(context, "abc"),
        function_key(context, "ab", ()),
        function_key(context, "ab", ("-x",)),
        function_key(context, "ab", (), ("-x",)),
        function_key(context, "ab", ("-x", "-y")),
        candidate_key(context, "ab", Recipe(("a", "b"))),
        candidate_key(context, "ab", Recipe(("a,b",))),
        candidate_key(context, "ab", Recipe(("a",), ("b",))),
    }
    assert len(keys) == 9


def test_flags_are_not_glued_together(context: KeyContext) -> None:
    one = module_key(replace(context, flags=("-a", "-b")), "ab")
    assert one != module_key(replace(context, flags=("-a-b",)), "ab")
    assert one != module_key(replace(context, flags=("-a\0-b",)), "ab")


def test_packs_are_named_in_local_keys(context: KeyContext) -> None:
    key = module_key(context, "ab")
    assert local_key(key, "") == key
    assert len({key, local_key(key, "1"), local_key(key, "2")}) == 3


def test_names_can_be_split_again_and_nothing_else_can(context: KeyContext) -> None:
    key = module_key(context, "ab")
    for shelf in Shelf:
        assert split_name(shelf.name_of(key)) == (shelf, key)
    for wrong in ("", key, "module/" + key, "module.better/", "module.better/" + key[:-1] + "Z"):
        with pytest.raises(ValueError, match="not the name"):
            split_name(wrong)
