"""Register tiles for Numba: explicit LLVM vectors behind a dozen and a half intrinsics.

A `Tile` is rows x cols SIMD vectors held as one Numba value; LLVM keeps it in registers.  Memory is
a `Mem`: a bare pointer whose type carries the element type and the vector width, made from an address
by `mem`, or for any type of elements by `cells`; offsets and strides count elements.  Loops written
with these functions do not depend on the instruction set.  An integer argument that is a literal or a
closure constant is a Python int while code is emitted, so tile shapes are fixed there and everything
else may vary at run time.

`_part` variants touch only the first m rows and n columns (elements): nothing else is read or written.
Multiply-add is `llvm.fmuladd`, which becomes two instructions where there is no FMA; `llvm.fma` would
call libm.
"""

from __future__ import annotations

import functools
from typing import Any

from llvmlite import ir
from numba.core import cgutils
from numba.core import types as numba_types
from numba.extending import intrinsic as numba_intrinsic
from numba.extending import models, register_model

types: Any = numba_types  # their stubs have neither bit widths nor the arguments of intrinsics
intrinsic: Any = numba_intrinsic

I1, I32, I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)


class Mem(types.Type):
    """Pointer to elements of `dtype`, read and written in vectors of `w` elements."""

    def __init__(self, dtype, w):
        self.dtype, self.w = dtype, w
        super().__init__(f"Mem({dtype} x {w})")


class Tile(types.Type):
    """rows x cols vectors of w elements; dtype boolean is a mask."""

    def __init__(self, dtype, rows, cols, w):
        self.dtype, self.rows, self.cols, self.w = dtype, rows, cols, w
        super().__init__(f"Tile({dtype}, {rows}x{cols}x{w})")


def _element(dtype):
    if dtype == types.boolean:
        return I1
    if isinstance(dtype, types.Integer):
        return ir.IntType(dtype.bitwidth)
    return ir.FloatType() if dtype.bitwidth == 32 else ir.DoubleType()


@register_model(Mem)
class _MemModel(models.PrimitiveModel):
    def __init__(self, dmm, t):
        super().__init__(dmm, t, _element(t.dtype).as_pointer())


@register_model(Tile)
class _TileModel(models.PrimitiveModel):
    def __init__(self, dmm, t):
        super().__init__(dmm, t, ir.ArrayType(ir.VectorType(_element(t.dtype), t.w), t.rows * t.cols))


class Emit:
    """Helpers that emit code: vectors of `dtype`, addresses, masks."""

    def __init__(self, builder, dtype, w):
        self.b, self.elt, self.w = builder, _element(dtype), w
        self.vec = ir.VectorType(self.elt, w)
        self.unsigned = isinstance(dtype, types.Integer) and not dtype.signed
        if dtype != types.boolean:
            self.align = dtype.bitwidth // 8
            self.suffix = f"v{w}{'f' if isinstance(dtype, types.Float) else 'i'}{dtype.bitwidth}"

    def call(self, name, ret, *args):
        fn = cgutils.get_or_insert_function(self.b.module, ir.FunctionType(ret, [a.type for a in args]), name)
        return self.b.call(fn, args)

    def i64(self, x):
        return ir.Constant(I64, x) if isinstance(x, int) else x

    def at(self, p, off, *steps):
        """p + off + sum(k * stride): k Python ints, off and strides ints or values."""
        const = sum(k * s for k, s in steps if isinstance(s, int))
        off = self.i64(off)
        for k, s in steps:
            if k and not isinstance(s, int):
                off = self.b.add(off, self.b.mul(s, self.i64(k)))
        return self.b.gep(self.b.gep(p, [off]), [self.i64(const)])

    def splat(self, s, n=None):
        vt = ir.VectorType(s.type, n or self.w)
        one = self.b.insert_element(ir.Constant(vt, ir.Undefined), s, ir.Constant(I32, 0))
        return self.b.shuffle_vector(
            one, ir.Constant(vt, ir.Undefined), ir.Constant(ir.VectorType(I32, vt.count), None)
        )

    def bcast(self, p):
        return self.splat(self.b.load(p, align=self.align))

    def narrow(self, x):
        """`x` clamped to 0 .. w, as the 32 bits that lane numbers have."""
        if isinstance(x, int):
            return ir.Constant(I32, max(0, min(x, self.w)))
        low, high = self.i64(0), self.i64(self.w)
        x = self.b.select(self.b.icmp_signed("<", x, low), low, x)
        return self.b.trunc(self.b.select(self.b.icmp_signed(">", x, high), high, x), I32)

    def below(self, limit):
        """Mask of lanes l < limit; None when that is all of them."""
        if isinstance(limit, int) and limit >= self.w:
            return None
        lanes = ir.Constant(ir.VectorType(I32, self.w), list(range(self.w)))
        return self.b.icmp_signed("<", lanes, self.splat(self.narrow(limit)))

    def columns(self, cols, r, m, n):
        """For row r of a part of m rows and n elements: the mask of each vector; None for a whole one."""
        if isinstance(m, int):
            n = n if r < m else 0
        else:
            n = self.b.select(self.b.icmp_signed("<", self.i64(r), m), self.i64(n), self.i64(0))
        for c in range(cols):
            yield self.below(n - c * self.w if isinstance(n, int) else self.b.sub(n, self.i64(c * self.w)))

    def load(self, p, m=None):
        if m is None:
            return self.b.load(self.b.bitcast(p, self.vec.as_pointer()), align=self.align)
        name = f"llvm.masked.load.{self.suffix}.p0"
        return self.call(name, self.vec, p, ir.Constant(I32, self.align), m, ir.Constant(self.vec, None))

    def store(self, v, p, m=None):
        if m is None:
            self.b.store(v, self.b.bitcast(p, self.vec.as_pointer()), align=self.align)
        else:
            self.call(f"llvm.masked.store.{self.suffix}.p0", ir.VoidType(), v, p, ir.Constant(I32, self.align), m)

    def fma(self, x, y, z):
        return self.call(f"llvm.fmuladd.{self.suffix}", self.vec, x, y, z)

    def pick(self, order, a, b):
        """Lanes of a and b (b's numbers follow a's) in `order`."""
        return self.b.shuffle_vector(a, b, ir.Constant(ir.VectorType(I32, len(order)), list(order)))

    def transpose(self, rows):
        """w vectors -> the w vectors of their transpose, by log2(w) rounds of interleaving."""
        h = self.w // 2
        zips = [[o + i // 2 + i % 2 * self.w for i in range(self.w)] for o in (0, h)]
        for _ in range(self.w.bit_length() - 1):
            rows = [self.pick(z, rows[i], rows[i + h]) for i in range(h) for z in zips]
        return rows


def op(result):
    """Intrinsic from `body(e, *values)`; `result(*values)` is its Numba type (types for memory and tiles)."""

    def wrap(body):
        def typer(typing_context, *args):
            known = [getattr(t, "literal_value", t) for t in args]
            ret = result(*known)
            main = next(t for t in args if isinstance(t, (Tile, Mem)))
            signature = ret(*[types.intp if type(t) is types.Integer else t for t in args])

            def generate(context, builder, sig, values):
                e, vs = Emit(builder, main.dtype, main.w), []
                for t, k, v in zip(args, known, values, strict=True):
                    if isinstance(t, Tile):
                        v = [[builder.extract_value(v, r * t.cols + c) for c in range(t.cols)] for r in range(t.rows)]
                    elif isinstance(k, int):
                        v = k
                    elif isinstance(t, types.Integer) and t.bitwidth < 64:
                        v = builder.sext(v, I64)
                    vs.append(v)
                out = body(e, *vs)
                if ret == types.void:
                    return context.get_dummy_value()
                if not isinstance(ret, Tile):
                    return out
                agg = ir.Constant(context.get_value_type(ret), ir.Undefined)
                for i, v in enumerate(v for row in out for v in row):
                    agg = builder.insert_value(agg, v, i)
                return agg

            return signature, generate

        functools.update_wrapper(typer, body)  # name, doc, and the signature that Numba binds arguments by
        return intrinsic(prefer_literal=True)(typer)

    return wrap


def _like(t, *_):
    return t


def _tile(m, R, C):
    return Tile(m.dtype, R, C, m.w)


# Memory.


@intrinsic(prefer_literal=True)
def mem(typing_context, address, bits, vbytes):
    """The floats of `bits` bits at `address`, in vectors of `vbytes` bytes."""
    dtype = types.float32 if bits.literal_value == 32 else types.float64
    ret = Mem(dtype, vbytes.literal_value * 8 // dtype.bitwidth)

    def generate(context, builder, sig, values):
        return builder.inttoptr(values[0], context.get_value_type(ret))

    return ret(types.intp, bits, vbytes), generate


# Types of elements by number, as `base.CELLS` names them; a bool is a byte.
CELL_TYPES = (
    types.uint8, types.uint8, types.int8, types.uint16, types.int16, types.uint32, types.int32, types.uint64,
    types.int64, types.float32, types.float64,
)  # fmt: skip
BOOL = 0


@intrinsic(prefer_literal=True)
def cells(typing_context, address, cell, lanes):
    """The elements at `address`, of the type of number `cell`, in vectors of `lanes` elements."""
    ret = Mem(CELL_TYPES[cell.literal_value], lanes.literal_value)

    def generate(context, builder, sig, values):
        return builder.inttoptr(values[0], context.get_value_type(ret))

    return ret(types.intp, cell, lanes), generate


@intrinsic
def ttable(typing_context, address):
    """The int64 at `address`: read as t[i]."""
    ret = types.CPointer(types.int64)

    def generate(context, builder, sig, values):
        return builder.inttoptr(values[0], context.get_value_type(ret))

    return ret(types.intp), generate


@op(lambda m: types.intp)
def tlanes(e, m):
    """Elements in one vector."""
    return e.i64(e.w)


@op(lambda m, i: m.dtype)
def get(e, m, i):
    """m[i]"""
    return e.b.load(e.at(m, i), align=e.align)


@op(lambda *_: types.void)
def put(e, m, i, v):
    """m[i] = v, a float of m's type, or an integer of which the lowest bits are kept"""
    if isinstance(v, int):
        v = ir.Constant(e.elt, v)
    narrower = isinstance(v.type, ir.IntType) and v.type != e.elt
    e.b.store(e.b.trunc(v, e.elt) if narrower else v, e.at(m, i), align=e.align)


@op(lambda m, i: types.int64)
def order_key(e, m, i):
    """An integer, of as many bits as m[i] has, that is larger for larger elements, if neither has a sign"""
    v = e.b.load(e.at(m, i), align=e.align)
    integer = ir.IntType(e.align * 8)
    top, ones = ir.Constant(integer, 1 << (e.align * 8 - 1)), ir.Constant(integer, -1)
    if not isinstance(e.elt, ir.IntType):
        v = e.b.bitcast(v, integer)
        v = e.b.xor(v, e.b.select(e.b.icmp_signed("<", v, ir.Constant(integer, 0)), ones, top))
    elif not e.unsigned:
        v = e.b.xor(v, top)
    return v if integer == I64 else e.b.zext(v, I64)


@intrinsic
def count_bits(typing_context, x):
    """Bits of an int64 that are 1."""
    return types.int64(types.int64), lambda context, builder, sig, values: builder.ctpop(values[0])


@intrinsic
def lowest_bit(typing_context, x):
    """The place of the lowest bit of an int64 that is 1; one is."""

    def generate(context, builder, sig, values):
        return builder.cttz(values[0], ir.Constant(I1, 1))

    return types.int64(types.int64), generate


@op(lambda m, v: m.dtype)
def cast(e, m, v):
    """v, a float64, rounded to m's type"""
    return v if v.type == e.elt else e.b.fptrunc(v, e.elt)


# Tiles from memory, and back.


@op(_tile)
def tzero(e, m, R, C):
    """R x C tile of zeros"""
    return [[ir.Constant(e.vec, None)] * C] * R


@op(lambda m, v, R, C: Tile(m.dtype, R, C, m.w))
def tfull(e, m, v, R, C):
    """R x C tile of v, a float of m's type, in every lane"""
    return [[e.splat(v)] * C] * R


@op(lambda m, off, rs, cs, R, C: _tile(m, R, C))
def tload(e, m, off, rs, cs, R, C):
    """t[r, c] = m[off + r*rs + c*cs : +W]"""
    return [[e.load(e.at(m, off, (r, rs), (c, cs))) for c in range(C)] for r in range(R)]


@op(lambda m, off, rs, cs, R, C, mr, n: _tile(m, R, C))
def tload_part(e, m, off, rs, cs, R, C, mr, n):
    """tload of the first mr rows and n columns; zero elsewhere"""
    return [[e.load(e.at(m, off, (r, rs), (c, cs)), k) for c, k in enumerate(e.columns(C, r, mr, n))] for r in range(R)]


@op(lambda *_: types.void)
def tstore(e, t, m, off, rs, cs):
    """m[off + r*rs + c*cs : +W] = t[r, c]"""
    for r, row in enumerate(t):
        for c, v in enumerate(row):
            e.store(v, e.at(m, off, (r, rs), (c, cs)))


@op(lambda *_: types.void)
def tstore_part(e, t, m, off, rs, cs, mr, n):
    """tstore of the first mr rows and n columns"""
    for r, row in enumerate(t):
        for c, k in enumerate(e.columns(len(row), r, mr, n)):
            e.store(row[c], e.at(m, off, (r, rs), (c, cs)), k)


@op(lambda m, off, rs, R, C: _tile(m, R, C))
def tsplat(e, m, off, rs, R, C):
    """t[r, c] = m[off + r*rs] in every lane"""
    return [[e.bcast(e.at(m, off, (r, rs)))] * C for r in range(R)]


@op(lambda *_: types.void)
def tcopy_transposed(e, x, xi, xs, y, yi, ys, m, n):
    """y[yi + j*ys + i] = x[xi + i*xs + j] for i < m, j < n; at least 1 and at most W of each count"""
    full, low = e.i64(e.w), e.i64(e.w - 1)
    whole = e.b.and_(e.b.icmp_signed(">=", e.i64(m), full), e.b.icmp_signed(">=", e.i64(n), full))
    with e.b.if_else(whole) as (all_lanes, some_lanes):
        with all_lanes:
            rows = [e.load(e.at(x, xi, (r, xs))) for r in range(e.w)]
            for r, v in enumerate(e.transpose(rows)):
                e.store(v, e.at(y, yi, (r, ys)))
        with some_lanes:
            # Rows after the last are read from the last one: their lanes are never stored.
            last = e.b.sub(e.i64(m), e.i64(1))
            last = e.b.select(e.b.icmp_signed("<", last, low), last, low)
            rows = []
            for r in range(e.w):
                row = e.b.select(e.b.icmp_signed("<", e.i64(r), last), e.i64(r), last)
                rows.append(e.load(e.at(x, e.b.add(e.i64(xi), e.b.mul(row, e.i64(xs)))), e.below(n)))
            mask = e.below(m)
            for r, v in enumerate(e.transpose(rows)):
                with e.b.if_then(e.b.icmp_signed("<", e.i64(r), e.i64(n)), likely=True):
                    e.store(v, e.at(y, yi, (r, ys)), mask)


@op(lambda *_: types.void)
def tcopy_even(e, x, xi, y, yi):
    """y[yi + i] = x[xi + 2*i] for i < W; reads 2*W - 1 elements"""
    h = e.w // 2
    low, high = e.load(e.at(x, xi)), e.load(e.at(x, xi, (1, e.w - 1)))
    order = [2 * i for i in range(h)] + [e.w + 2 * i + 1 for i in range(h)]
    e.store(e.pick(order, low, high), e.at(y, yi))


# Arithmetic.


@op(_like)
def tfma(e, acc, a, ai, sa, x, xi, sx):
    """acc[r, c] += a[ai + r*sa] * x[xi + c*sx : +W]: the inner step of GEMM and of convolution"""
    xs = [e.load(e.at(x, xi, (c, sx))) for c in range(len(acc[0]))]
    out = []
    for r, row in enumerate(acc):
        s = e.bcast(e.at(a, ai, (r, sa)))
        out.append([e.fma(s, v, z) for v, z in zip(xs, row, strict=True)])
    return out


@op(_like)
def tfma_part(e, acc, a, ai, sa, x, xi, sx, n):
    """tfma that reads the first n elements of x only and takes zeros for the others"""
    masks = e.columns(len(acc[0]), 0, 1, n)
    xs = [e.load(e.at(x, xi, (c, sx)), k) for c, k in enumerate(masks)]
    out = []
    for r, row in enumerate(acc):
        s = e.bcast(e.at(a, ai, (r, sa)))
        out.append([e.fma(s, v, z) for v, z in zip(xs, row, strict=True)])
    return out


def _each(f, *tiles):
    return [[f(*v) for v in zip(*rows, strict=True)] for rows in zip(*tiles, strict=True)]


@op(_like)
def tmac(e, acc, x, y):
    """acc + x * y"""
    return _each(lambda a, u, v: e.fma(u, v, a), acc, x, y)


@op(_like)
def tadd(e, x, y):
    """x + y"""
    return _each(e.b.fadd, x, y)


@op(_like)
def tplus(e, x, y):
    """x + y of elements of any type; integers wrap around"""
    return _each(e.b.add if isinstance(e.elt, ir.IntType) else e.b.fadd, x, y)


@op(_like)
def tsub(e, x, y):
    """x - y"""
    return _each(e.b.fsub, x, y)


@op(_like)
def tmul(e, x, y):
    """x * y, rounded: nothing that follows is fused with it"""
    return _each(e.b.fmul, x, y)


@op(_like)
def tdiv(e, x, y):
    """x / y"""
    return _each(e.b.fdiv, x, y)


@op(_like)
def tscale(e, x, s):
    """x * s, a float of x's type"""
    v = e.splat(s)
    return _each(lambda u: e.b.fmul(u, v), x)


@op(_like)
def trelu(e, x):
    """max(x, 0); NaN stays"""
    zero = ir.Constant(e.vec, None)
    return _each(lambda v: e.b.select(e.b.fcmp_ordered("<", v, zero), zero, v), x)


def _joined(e, order, acc, x):
    """x where it precedes acc, or is NaN; else acc."""

    def one(a, v):
        if isinstance(e.elt, ir.IntType):
            before = (e.b.icmp_unsigned if e.unsigned else e.b.icmp_signed)(order, v, a)
        else:
            before = e.b.or_(e.b.fcmp_ordered(order, v, a), e.b.fcmp_unordered("uno", v, v))
        return e.b.select(before, v, a)

    return _each(one, acc, x)


@op(_like)
def tmax(e, acc, x):
    """Where x is greater than acc or NaN: x; else acc"""
    return _joined(e, ">", acc, x)


@op(_like)
def tmin(e, acc, x):
    """Where x is less than acc or NaN: x; else acc"""
    return _joined(e, "<", acc, x)


@op(lambda x: types.boolean)
def thas_nan(e, x):
    """Whether any lane is NaN"""
    found = None
    for v in (v for row in x for v in row):
        nan = e.b.fcmp_unordered("uno", v, v)
        found = nan if found is None else e.b.or_(found, nan)
    bits = ir.IntType(e.w)
    return e.b.icmp_unsigned("!=", e.b.bitcast(found, bits), ir.Constant(bits, 0))


# Conversions of elements, as C has them on this machine: towards zero, and narrow integers wrap around.


@intrinsic(prefer_literal=True)
def tconvert(typing_context, tile, cell):
    """The elements of a tile as those of the type of number `cell`."""
    target, source = CELL_TYPES[cell.literal_value], tile.dtype
    ret = Tile(target, tile.rows, tile.cols, tile.w)
    to_bool = cell.literal_value == BOOL

    def generate(context, builder, sig, values):
        made = ir.Constant(context.get_value_type(ret), ir.Undefined)
        for i in range(tile.rows * tile.cols):
            v = _converted(builder, builder.extract_value(values[0], i), source, target, to_bool, tile.w)
            made = builder.insert_value(made, v, i)
        return made

    return ret(tile, cell), generate


def _converted(b, v, source, target, to_bool, w):
    vector = ir.VectorType(_element(target), w)
    if source == target and not to_bool:
        return v
    if isinstance(target, types.Float):
        if isinstance(source, types.Float):
            return (b.fpext if target.bitwidth > source.bitwidth else b.fptrunc)(v, vector)
        return (b.sitofp if source.signed else b.uitofp)(v, vector)

    def number(value):
        return ir.Constant(v.type, [value] * w)

    if isinstance(source, types.Integer):
        return b.zext(b.icmp_unsigned("!=", v, number(0)), vector) if to_bool else b.trunc(v, vector)
    if to_bool:  # what is not zero when truncated, NaN included
        inside = b.and_(b.fcmp_ordered("<", v, number(1.0)), b.fcmp_ordered(">", v, number(-1.0)))
        return b.zext(b.not_(inside), vector)
    wide = ir.VectorType(I32 if target.bitwidth <= 16 or target == types.int32 else I64, w)
    if target == types.uint64:
        large = b.fcmp_ordered(">=", v, number(2.0**63))
        low = b.fptosi(b.select(large, b.fsub(v, number(2.0**63)), v), wide)
        return b.xor(low, b.shl(b.zext(large, wide), ir.Constant(wide, [63] * w)))
    whole = b.fptosi(v, wide)
    return b.trunc(whole, vector) if wide != vector else whole


# Maxima with indices: of equal values, and of NaN, the first is kept.


def _index(m, *_):
    return Tile(types.int32 if m.dtype.bitwidth == 32 else types.int64, 1, 1, m.w)


@op(_index)
def tplace(e, m, first, step):
    """first + lane * step as integers of m's width"""
    it = ir.IntType(e.align * 8)
    numbers = [e.i64(first), e.i64(step)]
    base, slope = [e.splat(e.b.trunc(v, it) if it != I64 else v) for v in numbers]
    return [[e.b.add(base, e.b.mul(slope, ir.Constant(ir.VectorType(it, e.w), list(range(e.w)))))]]


@op(lambda x, *_: Tile(types.boolean, 1, 1, x.w))
def tbetter(e, x, best, place, first, step, limit):
    """Lanes where x at position first + lane*step, if that is in 0 .. limit - 1, replaces best"""
    v, a, p = x[0][0], best[0][0], place[0][0]
    fresh = e.b.icmp_signed("<", p, ir.Constant(p.type, None))
    nan = e.b.and_(e.b.fcmp_unordered("uno", v, v), e.b.fcmp_ordered("ord", a, a))
    better = e.b.or_(fresh, e.b.or_(e.b.fcmp_ordered(">", v, a), nan))
    it = p.type.element
    numbers = [e.i64(n) for n in (first, step, limit)]
    base, slope, end = [e.splat(e.b.trunc(n, it) if it != I64 else n) for n in numbers]
    at = e.b.add(base, e.b.mul(slope, ir.Constant(p.type, list(range(e.w)))))
    inside = e.b.and_(e.b.icmp_signed(">=", at, ir.Constant(p.type, None)), e.b.icmp_signed("<", at, end))
    return [[e.b.and_(better, inside)]]


@op(lambda mask, x, y: x)
def tselect(e, mask, x, y):
    """x where the mask is set, else y"""
    return _each(e.b.select, mask, x, y)


@op(lambda *_: types.void)
def tstore_place(e, place, address, n):
    """int64 at address + 8*l = place[l] for l < n"""
    wide = place[0][0]
    vec = ir.VectorType(I64, e.w)
    if wide.type != vec:
        wide = e.b.sext(wide, vec)
    p = e.b.inttoptr(address, I64.as_pointer())
    # Eight lanes at a time: a vector of 16 int64 is wider than any register.
    part = min(8, e.w)
    for first in range(0, e.w, part):
        piece = e.pick(range(first, first + part), wide, wide)
        rest = e.b.sub(e.i64(n), e.i64(first))
        mask = e.b.icmp_signed("<", ir.Constant(ir.VectorType(I64, part), list(range(part))), e.splat(rest, part))
        e.call(f"llvm.masked.store.v{part}i64.p0", ir.VoidType(), piece, e.at(p, first), ir.Constant(I32, 8), mask)
