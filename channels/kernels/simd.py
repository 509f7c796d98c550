"""Vectors of signed bytes for numba kernels, each function one LLVM instruction per lane.

Numba widens loops over bytes to 64-bit integers, and these are rarely vectorised again; these
functions state the vector operations explicitly. If numba cannot compile vectors, one warning says
so, and the same functions work on a single lane: kernels then give the same numbers more slowly.

===========================  =================================================================
``load(a, i)``               the vector that starts at byte ``i`` of the C-contiguous array ``a``
``store(a, i, x)``           write ``x`` to ``a[i : i + WIDTH]``
``fill(value)``              the same byte in every lane
``add, subtract``            saturating at -128 and 127
``magnitude(x)``             absolute value, at least 127 for -128
``least, largest``           of two magnitudes
``reduce(x, y)``             ``x - y`` of two magnitudes, at least 0
``exclusive_or``             bitwise
``where_equal(a, b, x, y)``  ``x`` in lanes where ``a == b``, else ``y``
``with_sign(x, s)``          ``-x`` in lanes where ``s`` is negative, else ``x``
``sign_bit(x)``              1 in lanes that are negative, else 0
``any_negative(x)``          whether any lane is negative
``any_zero(x)``              whether any lane is 0
===========================  =================================================================

Reference: LLVM Language Reference Manual, "Vector Type" and "Saturation Arithmetic Intrinsics".
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

from channels.kernels.jit import kernel as _cached_kernel

_LANES = 64  # one register of AVX-512, two of AVX2, four of NEON

# --- compiled: LLVM vectors -------------------------------------------------------------------


class _Vector(types.Type):  # type: ignore[misc, unused-ignore]
    def __init__(self) -> None:
        super().__init__(name=f"int8x{_LANES}")


_vector = _Vector()
_IR = ir.VectorType(ir.IntType(8), _LANES)


@register_model(_Vector)
class _VectorModel(models.PrimitiveModel):  # type: ignore[misc, unused-ignore]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _IR)


def _call(builder: Any, name: str, *arguments: Any) -> Any:
    kind = ir.FunctionType(_IR, [argument.type for argument in arguments])
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{_LANES}i8")
    return builder.call(function, arguments)


def _lanewise(count: int, build: Callable[..., Any], returns: Any = _vector) -> Any:
    """Make a function of ``count`` vectors out of what emits its LLVM instructions."""
    signature = returns(*[_vector] * count)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return build(builder, *arguments)

    if count == 1:
        return intrinsic(lambda context, a: (signature, generate))
    if count == 2:
        return intrinsic(lambda context, a, b: (signature, generate))
    return intrinsic(lambda context, a, b, c, d: (signature, generate))


def _pointer(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), _IR.as_pointer())


def _load(context: Any, array: Any, index: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_pointer(context, builder, array, *arguments), align=1)

    return _vector(array, types.intp), generate


def _store(context: Any, array: Any, index: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, array, *arguments[:2])
        builder.store(arguments[2], pointer, align=1)
        return context.get_dummy_value()

    return types.void(array, types.intp, _vector), generate


def _fill(context: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        one = builder.insert_element(_IR(ir.Undefined), arguments[0], ir.IntType(32)(0))
        lanes = ir.VectorType(ir.IntType(32), _LANES)
        return builder.shuffle_vector(one, _IR(ir.Undefined), lanes([0] * _LANES))

    return _vector(types.int8), generate


def _negative(builder: Any, x: Any) -> Any:
    return builder.icmp_signed("<", x, _IR([0] * _LANES))


def _any(builder: Any, lanes: Any) -> Any:
    bits = ir.IntType(_LANES)
    return builder.icmp_unsigned("!=", builder.bitcast(lanes, bits), bits(0))


def _select_equal(builder: Any, a: Any, b: Any, x: Any, y: Any) -> Any:
    return builder.select(builder.icmp_signed("==", a, b), x, y)


def _negate(builder: Any, x: Any, s: Any) -> Any:
    return builder.select(_negative(builder, s), builder.neg(x), x)


def _vector_functions() -> dict[str, Any]:
    """Return every function on vectors."""

    def named(name: str) -> Any:
        return _lanewise(2, lambda builder, a, b: _call(builder, name, a, b))

    no = ir.IntType(1)(0)
    zero = _IR([0] * _LANES)
    return {
        "load": intrinsic(_load),
        "store": intrinsic(_store),
        "fill": intrinsic(_fill),
        "add": named("sadd.sat"),
        "subtract": named("ssub.sat"),
        "magnitude": _lanewise(1, lambda builder, a: _call(builder, "abs", a, no)),
        "least": named("umin"),
        "largest": named("umax"),
        "reduce": named("usub.sat"),
        "exclusive_or": _lanewise(2, lambda builder, a, b: builder.xor(a, b)),
        "where_equal": _lanewise(4, _select_equal),
        "with_sign": _lanewise(2, _negate),
        "sign_bit": _lanewise(1, lambda b, x: b.lshr(x, _IR([7] * _LANES))),
        "any_negative": _lanewise(1, lambda b, x: _any(b, _negative(b, x)), types.boolean),
        "any_zero": _lanewise(1, lambda b, x: _any(b, b.icmp_signed("==", x, zero)), types.boolean),
    }


# --- the same on one lane ---------------------------------------------------------------------


def _load_one(array: Any, index: int) -> Any:
    return array[index]


def _store_one(array: Any, index: int, value: Any) -> None:
    array[index] = value


def _one_lane_functions() -> dict[str, Any]:
    """Return every function on one lane; Python's integers do not overflow before the cast."""
    plain: dict[str, Callable[..., Any]] = {
        "load": _load_one,
        "store": _store_one,
        "fill": lambda value: np.int8(value),
        "add": lambda a, b: np.int8(min(max(int(a) + int(b), -128), 127)),
        "subtract": lambda a, b: np.int8(min(max(int(a) - int(b), -128), 127)),
        # Numba's int() and abs() do not widen: abs(-128) would be -128.
        "magnitude": lambda a: np.int8(127 if a == -128 else abs(a)),
        "least": lambda a, b: np.int8(min(a, b)),
        "largest": lambda a, b: np.int8(max(a, b)),
        "reduce": lambda a, b: np.int8(max(int(a) - int(b), 0)),
        "exclusive_or": lambda a, b: np.int8(a ^ b),
        "where_equal": lambda a, b, x, y: x if a == b else y,
        "with_sign": lambda x, s: np.int8(-int(x)) if s < 0 else x,
        "sign_bit": lambda x: np.int8(x < 0),
        "any_negative": lambda x: x < 0,
        "any_zero": lambda x: x == 0,
    }
    return {name: njit(inline="never")(function) for name, function in plain.items()}


def _works(functions: dict[str, Any]) -> bool:
    """Try vectors once: whether they compile depends on numba, LLVM and the machine."""
    load, store, add = functions["load"], functions["store"], functions["add"]

    @njit(cache=False)
    def double(array):  # type: ignore[no-untyped-def]
        store(array, 0, add(load(array, 0), load(array, 0)))

    array = np.full(_LANES, 100, dtype=np.int8)
    try:
        double(array)
    except Exception as error:  # a compiler may raise anything
        warnings.warn(
            f"vectors cannot be compiled here, so decoding will be slow: {error}",
            RuntimeWarning,
            stacklevel=2,
        )
        return False
    return bool((array == 127).all())


_functions = _vector_functions()
VECTORS = _works(_functions)
"""Whether vectors are available."""
WIDTH = _LANES if VECTORS else 1
"""Lanes of a vector."""
kernel = _cached_kernel if VECTORS else njit(nogil=True)
"""Decorator for kernels that use vectors. Without vectors, their code is not cached, since a later
process may support them."""
if not VECTORS:
    _functions = _one_lane_functions()
load, store, fill = _functions["load"], _functions["store"], _functions["fill"]
add, subtract, reduce = _functions["add"], _functions["subtract"], _functions["reduce"]
magnitude, least, largest = _functions["magnitude"], _functions["least"], _functions["largest"]
exclusive_or, with_sign = _functions["exclusive_or"], _functions["with_sign"]
where_equal, sign_bit = _functions["where_equal"], _functions["sign_bit"]
any_negative, any_zero = _functions["any_negative"], _functions["any_zero"]
