"""A printed module, cut into the parts that a function's fingerprint is made of.

The text of LLVM 14 (typed pointers) to 23 (debug records) is accepted. Nothing is
parsed deeper than needed: a part is a list that alternates literal text and
tokens (names, metadata and attribute-group numbers, strings, what is dropped), so
that a caller renames by mapping every second element.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import blake2b

Parts = list[str]  # literal, token, literal, token, ..., literal

_NAME = r'(?:"[^"]*"|[-a-zA-Z$._0-9]+)'  # LLVM prints a quote inside a name as \22

# Metadata that only debuggers and diagnostics read; srcloc is an offset into the source.
_DEBUG_ATTACHMENT = r",? !(?:dbg|DIAssignID|heapallocsite|srcloc) !\d+"

_TOKEN = re.compile(
    "("
    r'"[^"]*"'
    r"|\n(?:"
    rf"{_NAME}:[^\n]*"  # a label, with its comment on predecessors
    r"|[ ]+(?:#dbg_|(?:tail |notail )?call void @llvm\.dbg\.)[^\n]*)"
    rf"|[%@]{_NAME}|\${_NAME}"
    rf"|{_DEBUG_ATTACHMENT}"
    r"|!\d+|\#\d+"
    ")"
)
_NUMBERED = re.compile(r"[!#]\d+")
_ENTITY = re.compile(rf"(attributes \#\d+|[!@%$]{_NAME}) = (.*)")
_FUNCTION_NAME = re.compile(rf'(?:[^"@]|"[^"]*")*(@{_NAME})\(')
_LOCAL_OR_TYPE = re.compile(rf'"[^"]*"|(%{_NAME})')
_VARIABLE = re.compile(r"([\w() ]*?)\b(global|constant) (.*)")
_ENTRY_LABEL = re.compile(rf"\n{_NAME}:[^\n]*")
_ESCAPE = re.compile(rb"\\([0-9A-Fa-f]{2})")
_BALANCE = re.compile(r'"[^"]*"|[\[\](){}<>, ]')
_STRING_OPERAND = re.compile(r', !"[^"]*"')
_DEBUG_NODE = ("!DI", "distinct !DI")

# Module flags that `-g` adds.
_DEBUG_FLAGS = (
    '!"CodeView"',
    '!"DWARF64"',
    '!"Debug Info Version"',
    '!"Dwarf Version"',
    '!"debug-info-assignment-tracking"',
)
# Named metadata that function passes read (errno's type tells them what stores cannot alias).
_READ_BY_PASSES = ("!llvm.module.flags", "!llvm.errno.tbaa")

_LONG = 200  # characters of an initializer from which a digest stands for it


def tokens(text: str) -> Parts:
    return _TOKEN.split(text)


def plain_name(token: str) -> str:
    """The symbol's name without sigil, quotes and escapes, as the C API gives it."""
    name = token[1:]
    if not name.startswith('"'):
        return name
    raw = _ESCAPE.sub(lambda m: bytes((int(m[1], 16),)), name[1:-1].encode())
    return raw.decode(errors="surrogateescape")


def digest(text: str) -> str:
    return blake2b(text.encode(errors="surrogatepass"), digest_size=20).hexdigest()


def function_texts(text: str) -> dict[str, str]:
    """Header and body of each function of a printed module, by plain name.

    Attributes stand there by content and metadata by a numbering of the function's own,
    so that what other functions use does not show.
    """
    module = ModuleText(text)
    return {
        plain_name(token): _with_own_numbers(module, module.headers[token] + body)
        for token, body in module.bodies.items()
    }


def _with_own_numbers(module: ModuleText, text: str) -> str:
    numbers: dict[str, str] = {}

    def own(match: re.Match[str]) -> str:
        token = match[0]
        if token[0] == "#":
            return module.attributes.get(token, token)
        return numbers.setdefault(token, f"!{len(numbers)}")

    return _NUMBERED.sub(own, text)


class ModuleText:
    """The top-level entities of a printed module, by the token that refers to them."""

    def __init__(self, text: str) -> None:
        self.headers: dict[str, str] = {}  # "@f" -> its line from `define`/`declare`, no brace
        self.bodies: dict[str, str] = {}  # "@f" -> what stands between the braces
        self.types: dict[str, str] = {}  # "%t" -> definition
        self.globals: dict[str, str] = {}  # "@x" -> variable, alias or ifunc
        self.comdats: dict[str, str] = {}  # "$c" -> selection kind
        self.attributes: dict[str, str] = {}  # "#0" -> digest of the contents
        self.metadata: dict[str, str] = {}  # "!0" -> node
        self.target: list[str] = []  # triple and data layout, as printed
        self.named: list[str] = []  # named metadata that passes read
        self._definitions: dict[str, Parts] = {}
        for line in self._cut_functions(text):
            self._top_level(line)

    def defined(self, function: str) -> bool:
        return function in self.bodies

    def function(self, token: str) -> Parts:
        """Header and body of a defined function, the entry block's label dropped."""
        body = self.bodies[token]
        label = _ENTRY_LABEL.match(body)
        body = body[label.end() if label else 0 :]
        return tokens(f"{self.headers[token]} {self._comdat_kind(token)}{body}")

    def module_wide(self) -> Parts:
        """What every function's passes may read of the module itself."""
        return tokens("\n".join((*self.target, *map(self._without_debug_flags, self.named))))

    def definition(self, token: str) -> Parts:
        """The properties of what a token refers to, its own name not among them."""
        parts = self._definitions.get(token)
        if parts is None:
            parts = self._definitions[token] = self._define(token)
        return parts

    def _cut_functions(self, text: str) -> list[str]:
        """Store headers and bodies; the other lines of the module."""
        rest, position = [], 0
        start = text.find("\ndefine ")
        while start >= 0:
            rest.append(text[position:start])
            end_of_header = text.index(" {\n", start)
            end = text.index("\n}\n", end_of_header)
            self._add_header(text[start + 1 : end_of_header], text[end_of_header + 2 : end])
            position = end + 2
            start = text.find("\ndefine ", position)
        rest.append(text[position:])
        return "".join(rest).split("\n")

    def _add_header(self, header: str, body: str | None) -> None:
        name = _FUNCTION_NAME.match(header)
        assert name, header
        self.headers[name[1]] = header
        if body is not None:
            self.bodies[name[1]] = body

    def _top_level(self, line: str) -> None:
        if line.startswith("declare "):
            self._add_header(line, None)
        elif line.startswith("target "):
            self.target.append(line)
        elif entity := _ENTITY.match(line):
            self._named_entity(entity[1], entity[2])

    def _named_entity(self, token: str, definition: str) -> None:
        match token[0]:
            case "!" if token[1].isdigit():
                self.metadata[token] = definition
            case "!" if token in _READ_BY_PASSES:
                self.named.append(f"{token} = {definition}")
            case "%":
                self.types[token] = definition.removeprefix("type ")
            case "$":
                self.comdats[token] = definition
            case "@":
                self.globals[token] = definition
            case "a":
                self.attributes[token.removeprefix("attributes ")] = digest(definition)

    def _define(self, token: str) -> Parts:
        match token[0]:
            case "%":
                return _without_pointees(tokens(self.types[token]))
            case "!":
                return self._metadata_node(token)
            case "$":
                return [self.comdats.get(token, "")]
        if token in self.headers:
            return tokens(self._declaration(token))
        return tokens(_global(self.globals.get(token, "")) + self._comdat_kind(token))

    def _declaration(self, token: str) -> str:
        """The header without the function's and its arguments' names."""

        def unnamed(match: re.Match[str]) -> str:
            return "" if match[1] and match[1] not in self.types else match[0]

        header = self.headers[token].replace(token + "(", "(", 1)
        return _LOCAL_OR_TYPE.sub(unnamed, header) + self._comdat_kind(token)

    def _comdat_kind(self, token: str) -> str:
        return self.comdats.get("$" + token[1:], "")

    def _metadata_node(self, token: str) -> Parts:
        text = self.metadata.get(token, "")
        if text.startswith(f"distinct !{{{token},") or text == f"distinct !{{{token}}}":
            text = _STRING_OPERAND.sub("", text)  # names of alias scopes and domains
        # Debug locations among the operands say where a loop begins and ends.
        return _without(
            tokens(text), lambda ref: self.metadata.get(ref, "").startswith(_DEBUG_NODE)
        )

    def _without_debug_flags(self, line: str) -> str:
        def is_debug_flag(ref: str) -> bool:
            return any(flag in self.metadata.get(ref, "") for flag in _DEBUG_FLAGS)

        return "".join(_without(tokens(line), is_debug_flag))


def _without(parts: Parts, dropped: Callable[[str], bool]) -> Parts:
    """A metadata node without some of its operands."""
    for i in range(1, len(parts), 2):
        if dropped(parts[i]):
            parts[i] = ""
            if parts[i - 1].endswith(", "):
                parts[i - 1] = parts[i - 1].removesuffix(", ")
            else:
                parts[i + 1] = parts[i + 1].removeprefix(", ")
    return parts


def _without_pointees(parts: Parts) -> Parts:
    """Mark the tokens of types that stand behind a typed pointer (LLVM 14).

    No pass looks through a pointer member of a structure into the layout behind it
    unless an instruction names that type; a marked token is renamed and not followed.
    """
    for i in range(1, len(parts), 2):
        if parts[i].startswith("%") and parts[i + 1].startswith("*"):
            parts[i] = "*" + parts[i]
    return parts


def _global(definition: str) -> str:
    """A variable without the initializer that may change at run time; aliases as they are."""
    variable = _VARIABLE.match(definition)
    if not variable:
        return definition
    prelude, kind, rest = variable.groups()
    type_end = _end_of_type(rest)
    value_end = _end_of_value(rest, type_end)
    value = rest[type_end:value_end]
    if kind == "global":
        value = " ..." if value else ""
    elif len(value) > _LONG and not re.search("[%@!]", value):
        value = digest(value)
    return f"{prelude}{kind} {rest[:type_end]}{value}{rest[value_end:]}"


def _end_of_type(text: str) -> int:
    """Where the type ends that `text` begins with."""
    end = _scan(text, 0, stops=" ,")
    while text.startswith((" (", " addrspace("), end):  # function types, address spaces
        end = _scan(text, end + 1, stops=" ,")
    return end


def _end_of_value(text: str, start: int) -> int:
    """Where the value that may follow the type ends: at a comma outside brackets."""
    return _scan(text, start, stops=",")


def _scan(text: str, start: int, stops: str) -> int:
    depth = 0
    for match in _BALANCE.finditer(text, start):
        character = match[0]
        if character in "[({<":
            depth += 1
        elif character in "])}>":
            depth -= 1
        elif depth == 0 and character in stops:
            return match.start()
    return len(text)
