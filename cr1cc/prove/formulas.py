"""One instruction as triton sees it, and its formulas as terms."""

from __future__ import annotations

from typing import Any

from cr1cc.errors import ProofError
from cr1cc.prove import term as t
from cr1cc.prove.builders import builders
from cr1cc.prove.effect import GENERAL, SEGMENTS, VECTORS, Access, Effect, register
from cr1cc.prove.instructions import FLAGS, Row
from cr1cc.prove.term import Term

# Where every instruction is lifted: constants near it can only be addresses relative to it.
ORIGIN = 0x0013_5791_0000_0000
PLACE = ORIGIN + 0x4000_0000  # where it refers to if it has a relocation
_NEAR = 1 << 32


class Formulas:
    """One instruction as triton sees it, and its formulas as terms."""

    def __init__(self, triton: Any, context: Any, names: dict[str, str], code: bytes) -> None:
        self._triton, self._context = triton, context
        context.reset()
        for mode in ("MEMORY_ARRAY", "SYMBOLIZE_LOAD", "SYMBOLIZE_STORE"):
            context.setMode(getattr(triton.MODE, mode), True)
        context.setMode(triton.MODE.SYMBOLIZE_INDEX_ROTATION, True)
        self._variables: dict[str, str] = {}
        for name, own in names.items():
            symbolic = context.symbolizeRegister(getattr(context.registers, name))
            self._variables[symbolic.getName()] = own
        self._names = names
        self._loads: dict[Term, Term] = {}
        self._terms: dict[int, Term] = {}
        context.setConcreteRegisterValue(context.registers.rip, ORIGIN)
        self.instruction = triton.Instruction(ORIGIN, code)
        self.size = len(code)
        status = context.processing(self.instruction)
        self.lifted = status == triton.EXCEPTION.NO_FAULT

    def effect(self, mnemonic: str, row: Row, relocated: int | None) -> Effect:
        if not self.lifted:
            raise ProofError(f"the instruction {self.instruction.getDisassembly()} is not modelled")
        self._check_operands(mnemonic, row)
        loads = [] if mnemonic in ("lea", "nop") else self._read_loads(row)
        stores = [
            Access(
                self._address(where), where.getSize(), self._term(value), self._aligned(where, row)
            )
            for where, value in self.instruction.getStoreAccess()
        ]
        if (loads or stores) and not row.memory:
            raise ProofError(f"{mnemonic} in memory is not modelled")
        registers: dict[str, Term] = {}
        taken, jump = None, None
        for expression in self.instruction.getSymbolicExpressions():
            if expression.getType() != self._triton.SYMBOLIC.REGISTER_EXPRESSION:
                continue
            name = expression.getOrigin().getName()
            if name == "rip":
                taken, jump = self._branch(expression.getAst(), relocated)
                continue
            if name == "ftw":  # as if vectors of SSE were those of MMX, which are refused below
                continue
            if name not in self._names:
                raise ProofError(f"{mnemonic} changes {name}, which is not modelled")
            own = self._names[name]
            value = self._term(expression.getAst())
            registers[own] = t.extract(value, 127, 0) if own in VECTORS else value
            if own in VECTORS and (mnemonic == "movq" or (mnemonic == "movsd" and loads)):
                registers[own] = t.zext(t.extract(value, 63, 0), 128)  # not so in triton 1.0.0rc4
        said = {one.getName() for one in self.instruction.getUndefinedRegisters()}
        if self._high_byte():
            said.add("pf")  # that of the lowest byte in triton 1.0.0rc4
        undefined = tuple(name for name in FLAGS if name in said or name in row.undefined)
        if said - set(FLAGS):
            raise ProofError(f"{mnemonic} leaves a register undefined")
        kind = "jump" if taken is not None else "plain"
        made = t.reachable([*registers.values(), *(one.address for one in (*loads, *stores))])
        if any(map(_is_near, made)):
            raise ProofError("an address in the code itself is not modelled")
        if kind == "plain" and relocated is not None and t.var("place", 64) not in made:
            raise ProofError(f"{mnemonic} refers to something in a way that is not modelled")
        return Effect(
            mnemonic, self.size, kind, registers, undefined, tuple(loads), tuple(stores),
            taken, jump, isa=row.isa,
        )  # fmt: skip

    def _check_operands(self, mnemonic: str, row: Row) -> None:
        operands, kinds = self.instruction.getOperands(), self._triton.OPERAND
        for one in operands:
            if one.getType() == kinds.REG:
                name = self._context.getParentRegister(one).getName()
                if (
                    name not in self._names or name in SEGMENTS
                ):  # the lifter takes a constant for its value
                    raise ProofError(f"{mnemonic} with {name} is not modelled")
        if operands and operands[0].getBitSize() < row.least:
            raise ProofError(f"{mnemonic} of {operands[0].getBitSize()} bits is not modelled")
        if row.immediate and operands[-1].getType() != kinds.IMM:
            raise ProofError(f"{mnemonic} by a register is not modelled")

    def _high_byte(self) -> bool:
        operands = self.instruction.getOperands()
        if not operands or operands[0].getType() != self._triton.OPERAND.REG:
            return False
        return int(operands[0].getBitvector().getLow()) == 8

    def operand(self, index: int) -> tuple[Term, tuple[Access, ...]]:
        """The value of an operand, and the loads that it takes."""
        operand = self.instruction.getOperands()[index]
        kind, kinds = operand.getType(), self._triton.OPERAND
        if kind == kinds.MEM:
            address = self._address(operand)
            size = operand.getSize()
            return t.var("load 0", 8 * size), (Access(address, size),)
        if kind == kinds.IMM:
            return t.const(operand.getValue(), operand.getBitSize()), ()
        whole = self._context.getParentRegister(operand).getName()
        if whole not in self._names or operand.getBitvector().getLow() >= 64:
            raise ProofError(f"{operand.getName()} is not modelled")
        bits = operand.getBitvector()
        return t.extract(register(self._names[whole]), bits.getHigh(), bits.getLow()), ()

    def whole_register(self, index: int) -> str:
        """The 64-bit register that an operand is."""
        operand = self.instruction.getOperands()[index]
        is_register = operand.getType() == self._triton.OPERAND.REG
        name = self._context.getParentRegister(operand).getName() if is_register else ""
        if operand.getSize() != 8 or name not in GENERAL:
            raise ProofError(f"{self.instruction.getDisassembly()} is not modelled")
        return str(name)

    def set_register(self, index: int, value: Term) -> tuple[str, Term]:
        """The register that an operand is a low part of, and its value after a write."""
        operand = self.instruction.getOperands()[index]
        name = self._context.getParentRegister(operand).getName()
        if operand.getBitvector().getLow():
            raise ProofError(f"{operand.getName()} is not modelled")
        if value.width == 32:
            return name, t.zext(value, 64)
        if value.width == 64:
            return name, value
        return name, t.concat([t.extract(register(name), 63, value.width), value])

    def _read_loads(self, row: Row) -> list[Access]:
        loads: list[Access] = []
        for where, _ in self.instruction.getLoadAccess():
            address, size = self._address(where), where.getSize()
            if any(one.address is address and one.size == size for one in loads):
                continue
            value = t.var(f"load {len(loads)}", 8 * size)
            for i in range(size):
                self._loads[t.plus(address, i)] = t.extract(value, 8 * i + 7, 8 * i)
            loads.append(Access(address, size, None, self._aligned(where, row)))
        return loads

    @staticmethod
    def _aligned(where: Any, row: Row) -> int:
        return 16 if row.aligned and where.getSize() == 16 else 1

    def _address(self, where: Any) -> Term:
        lea = where.getLeaAst()
        if lea is None:
            raise ProofError(f"{self.instruction.getDisassembly()}: its address is not modelled")
        address = self._term(lea)
        if any(map(_is_near, t.reachable([address]))):
            raise ProofError("an address in the code itself is not modelled")
        return address

    def _branch(self, tree: Any, relocated: int | None) -> tuple[Term | None, int | None]:
        """Of the formula of the program counter: the truth that it jumps, and where."""
        kinds = self._triton.AST_NODE
        if tree.getType() != kinds.ITE:
            return None, None
        condition, yes, no = tree.getChildren()
        targets = [child.evaluate() - ORIGIN for child in (yes, no)]
        if any(child.getType() != kinds.BV for child in (yes, no)):
            raise ProofError("a jump whose target is not modelled")
        truth = self._term(condition)
        if targets[0] == self.size:
            truth, targets = t.invert(truth), targets[::-1]
        if targets[1] != self.size:
            raise ProofError("a jump whose target is not modelled")
        return truth, None if relocated is not None else targets[0]

    def _term(self, tree: Any) -> Term:
        kinds = self._triton.AST_NODE
        kind = tree.getType()
        if kind == kinds.REFERENCE:
            expression = tree.getSymbolicExpression()
            number = expression.getId()
            if number not in self._terms:
                self._terms[number] = self._term(expression.getAst())
            return self._terms[number]
        if kind == kinds.BV:
            return self._constant(tree.evaluate(), tree.getBitvectorSize())
        if kind == kinds.VARIABLE:
            return self._variable(tree)
        children = tree.getChildren()
        if kind == kinds.SELECT:
            address = self._term(children[1])
            if address not in self._loads:
                raise ProofError("a load that the lifter does not announce")
            return self._loads[address]
        if kind in (kinds.ZX, kinds.SX):
            extend = t.zext if kind == kinds.ZX else t.sext
            inner = self._term(children[1])
            return extend(inner, inner.width + children[0].getInteger())
        if kind == kinds.EXTRACT:
            high, low = (child.getInteger() for child in children[:2])
            return t.extract(self._term(children[2]), high, low)
        build = builders(kinds).get(kind)
        if build is None:
            raise ProofError(f"a formula of the lifter's that is not modelled: {kind}")
        result = build(*map(self._term, children))
        if result.width != (1 if tree.isLogical() else tree.getBitvectorSize()):
            raise ProofError("a formula of the lifter's whose widths do not fit")
        return self._placed(result)

    def _constant(self, value: int, width: int) -> Term:
        return self._placed(t.const(value, width))

    @staticmethod
    def _placed(value: Term) -> Term:
        """Constants near the instruction are addresses: what its relocation refers to."""
        if value.width == 64 and value.constant and abs(value.data - PLACE) < 4096:
            return t.plus(t.var("place", 64), value.data - PLACE)
        return value

    def _variable(self, tree: Any) -> Term:
        own = self._variables[tree.getSymbolicVariable().getName()]
        if own in VECTORS:  # the upper bits are neither read nor written
            upper = t.var(f"upper {own}", 384)
            return t.concat([upper, register(own)])
        return register(own)


def _is_near(term: Term) -> bool:
    """Whether a constant is, or is added to make, an address near the instruction."""
    value = {"const": term.data, "sum": term.data}.get(term.operation)
    value = value[0] if isinstance(value, tuple) else value
    return value is not None and term.width == 64 and abs(value - ORIGIN) < _NEAR
