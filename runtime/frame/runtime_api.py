"""Runtime APIs: named, versioned methods that clients call by name with SCALE bytes.

A class declared by `@runtime_api` is one trait; its public methods are the trait's. One object may
stand for several traits by inheriting them; a method always runs as its own trait defines it.

Source: Substrate `sp_api` (`decl_runtime_apis!`, `state_call`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import FunctionType
from typing import Any, TypeVar, get_type_hints

from runtime.primitives.hashing import blake2b_64
from runtime.primitives.scale import Codec, shape_of
from runtime.primitives.scale.codec import codec_of_shape
from runtime.primitives.scale.shape import Shape, TupleShape
from runtime.primitives.types import Bytes8

T = TypeVar("T")


class UnknownApiMethod(Exception):
    """No runtime API of the object has the method; the message is what Substrate's nodes say."""


@dataclass(frozen=True, slots=True)
class ApiMethod:
    """One method, ready to decode and run."""

    name: str
    function: Callable[..., Any]
    inputs: tuple[tuple[str, Shape], ...]  # name, type; in wire order
    output: Shape
    docs: tuple[str, ...]
    arguments_codec: Codec[tuple[Any, ...]]
    output_codec: Codec[Any]


@dataclass(frozen=True, slots=True)
class RuntimeApi:
    """One trait."""

    name: str
    version: int
    methods: tuple[ApiMethod, ...]
    docs: tuple[str, ...]


_APIS: dict[type, RuntimeApi] = {}


def runtime_api(name: str, *, version: int) -> Callable[[type[T]], type[T]]:
    """Declare a class as the runtime API `name`. Raise `version` when a method changes."""

    def declare(cls: type[T]) -> type[T]:
        methods = tuple(
            _method(function)
            for function in vars(cls).values()
            if isinstance(function, FunctionType) and not function.__name__.startswith("_")
        )
        _APIS[cls] = RuntimeApi(name, version, methods, _docs_of(cls))
        return cls

    return declare


def _method(function: FunctionType) -> ApiMethod:
    hints = get_type_hints(function, include_extras=True)
    assert "return" in hints, f"{function.__qualname__} declares no result"
    inputs = tuple((name, shape_of(tp)) for name, tp in hints.items() if name != "return")
    output = shape_of(hints["return"])
    return ApiMethod(
        function.__name__,
        function,
        tuple((name.rstrip("_"), shape) for name, shape in inputs),
        output,
        _docs_of(function),
        codec_of_shape(TupleShape(tuple(shape for _, shape in inputs))),
        codec_of_shape(output),
    )


def _docs_of(thing: Any) -> tuple[str, ...]:
    return tuple(inspect.cleandoc(thing.__doc__ or "").splitlines())


def apis_of(kind: type) -> tuple[RuntimeApi, ...]:
    """The traits that a class stands for, in the order in which it inherits them."""
    return tuple(_APIS[base] for base in kind.__mro__ if base in _APIS)


def call(api_object: object, method_name: str, data: bytes) -> bytes:
    """Run `Trait_method` with SCALE arguments; the SCALE result.

    Raises UnknownApiMethod, DecodeError for bad arguments, and what the method raises.
    """
    for api in apis_of(type(api_object)):
        if method_name.startswith(f"{api.name}_"):
            short = method_name[len(api.name) + 1 :]
            for method in api.methods:
                if method.name == short:
                    arguments = method.arguments_codec.decode_all(data)
                    result = method.function(api_object, *arguments)
                    return method.output_codec.encode(result)
    raise UnknownApiMethod(f"Exported method {method_name} is not found")


def method_of(function: Callable[..., Any]) -> tuple[str, ApiMethod]:
    """A declared method and the name that clients call it by: `method_of(CoreApi.version)`.

    Raises LookupError for any other function.
    """
    for api in _APIS.values():
        for method in api.methods:
            if method.function is function:
                return f"{api.name}_{method.name}", method
    raise LookupError(f"{function.__qualname__} is no method of a runtime API")


def api_id(name: str) -> Bytes8:
    """blake2b-64 of the trait's name."""
    return blake2b_64(name.encode())


def api_versions(apis: Iterable[RuntimeApi]) -> list[tuple[Bytes8, int]]:
    """Ids and versions as `RuntimeVersion.apis` lists them."""
    return [(api_id(api.name), api.version) for api in apis]
