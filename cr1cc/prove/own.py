"""Instructions whose formulas are ours: triton's are for other ends, wrong, or blind to faults."""

from __future__ import annotations

from cr1cc.errors import ProofError
from cr1cc.prove import term as t
from cr1cc.prove.effect import Access, Effect, register
from cr1cc.prove.formulas import Formulas
from cr1cc.prove.instructions import FLAGS
from cr1cc.prove.term import Term


def own_effect(decoded: Formulas, mnemonic: str, size: int) -> Effect:
    """What a member of `instructions.OWN` does. Raises ProofError for a form of it that is not
    modelled."""
    stack, frame = register("rsp"), register("rbp")
    if mnemonic == "leave":
        after = {"rsp": t.plus(frame, 8), "rbp": t.var("load 0", 64)}
        return Effect(mnemonic, size, registers=after, loads=(Access(frame, 8),))
    if mnemonic == "pop":
        target = decoded.whole_register(0)
        after = {"rsp": t.plus(stack, 8)} | {target: t.var("load 0", 64)}
        return Effect(mnemonic, size, registers=after, loads=(Access(stack, 8),))
    value, loads = decoded.operand(0)
    if mnemonic == "push":
        if value.width not in (8, 32, 64):
            raise ProofError("a push of 16 bits is not modelled")
        down = t.plus(stack, -8)
        pushed = Access(down, 8, t.sext(value, 64))
        return Effect(mnemonic, size, registers={"rsp": down}, loads=loads, stores=(pushed,))
    if mnemonic in ("div", "idiv"):
        return _division(mnemonic, size, value, loads)
    return _bit_scan(decoded, mnemonic, size)


def _division(mnemonic: str, size: int, divisor: Term, loads: tuple[Access, ...]) -> Effect:
    width = divisor.width
    if width < 32:
        raise ProofError(f"{mnemonic} of {width} bits is not modelled")
    signed = mnemonic == "idiv"
    low = [t.extract(register(name), width - 1, 0) for name in ("rax", "rdx")]
    dividend = t.concat([low[1], low[0]])
    wide = (t.sext if signed else t.zext)(divisor, 2 * width)
    quotient = t.division("sdiv" if signed else "udiv", dividend, wide)
    rest = t.division("srem" if signed else "urem", dividend, wide)
    fault = t.invert(t.below(low[1], divisor))
    if signed:
        fault = _overflows(dividend, divisor)
    after = {
        name: t.zext(t.extract(value, width - 1, 0), 64)
        for name, value in (("rax", quotient), ("rdx", rest))
    }
    return Effect(mnemonic, size, "plain", after, FLAGS, loads, fault=fault)


def _overflows(dividend: Term, divisor: Term) -> Term:
    """Whether a signed quotient does not fit, or the divisor is 0, without a division.

    With W bits it fits if -(2^(W-1) + 1) |d| < D' < 2^(W-1) |d|, D' being D with d's sign."""
    width = divisor.width
    wide = 2 * width + 2
    negative = t.extract(divisor, width - 1, width - 1)
    many, by = t.sext(dividend, wide), t.sext(divisor, wide)
    many, by = t.ite(negative, t.neg(many), many), t.ite(negative, t.neg(by), by)
    high = t.mul(by, t.const(1 << (width - 1), wide))
    low = t.neg(t.add(high, by))
    return t.invert(t.conj(t.signed_below(low, many), t.signed_below(many, high)))


def _bit_scan(decoded: Formulas, mnemonic: str, size: int) -> Effect:
    """bsf and bsr leave the target undefined for 0; what decodes as tzcnt is bsf on processors
    without BMI, so it is undefined for 0, too, and so are all flags."""
    value, loads = decoded.operand(1)
    width = value.width
    order = range(width) if mnemonic == "bsr" else reversed(range(width))
    found = t.var("any 0", width)
    for bit in order:
        found = t.ite(t.extract(value, bit, bit), t.const(bit, width), found)
    target, after = decoded.set_register(0, found)
    registers = {target: after}
    undefined: tuple[str, ...] = FLAGS
    if mnemonic != "tzcnt":
        registers["zf"] = t.equal(value, t.const(0, width))
        undefined = tuple(name for name in FLAGS if name != "zf")
    return Effect(mnemonic, size, "plain", registers, undefined, loads)
