"""Hostile model files: each is refused by name, cheaply, and none runs anything."""

from __future__ import annotations

import io
import json
import math
import struct
import tracemalloc
import zipfile

import pytest
import torch

from ml.artifact import (
    ArtifactDtypeError,
    ArtifactError,
    ArtifactHeaderError,
    ArtifactLimits,
    ArtifactMismatchError,
    ArtifactNameError,
    ArtifactNotCanonicalError,
    ArtifactNotFiniteError,
    ArtifactOffsetError,
    ArtifactShapeError,
    ArtifactSizeError,
    ArtifactTruncatedError,
)
from ml.checkpoint import is_canonical, load_checked, load_expected, save_canonical

LIMITS = ArtifactLimits(
    size_bytes_max=100_000, header_bytes_max=50_000, tensors_max=16, elements_max=1 << 20
)
GOOD = save_canonical({"a": torch.tensor([1.0, 2.0]), "b": torch.tensor([3.0])})
GOOD_HEADER = GOOD[8 : 8 + int.from_bytes(GOOD[:8], "little")]
BODY = struct.pack("<3f", 1, 2, 3)


def framed(header: bytes, body: bytes = BODY, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + body


def padded(header: bytes) -> bytes:
    return header + b" " * (-len(header) % 8)


def tensor(
    start: object, end: object, shape: object, dtype: object = "F32", **more: object
) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end], **more}


def described(tensors: object, body: bytes = BODY) -> bytes:
    return framed(padded(json.dumps(tensors, separators=(",", ":")).encode()), body)


def one(body: bytes = b"\0\0\0\0", name: str = "a", **fields: object) -> bytes:
    return described({name: {**tensor(0, len(body), [len(body) // 4]), **fields}}, body)


def a_zip_archive() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("archive/data.pkl", b"cos\nsystem\n(S'true'\ntR.")
        opened.writestr("archive/version", b"3")
    return archive.getvalue()


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


ENTRY_A = b'"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'
ENTRY_B = b'"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}'

HOSTILE: dict[str, tuple[bytes, type[ArtifactError]]] = {
    # Other formats and broken frames.
    "empty": (b"", ArtifactTruncatedError),
    "seven bytes": (bytes(7), ArtifactTruncatedError),
    "zip with a serialised object": (a_zip_archive(), ArtifactHeaderError),
    "serialised object": (b"\x80\x04\x95\x1e\x00\x00\x00cos\nsystem\n.", ArtifactHeaderError),
    "old serialised object": (b"cos\nsystem\n(S'true'\ntR.", ArtifactHeaderError),
    "numpy array": (b"\x93NUMPY\x01\x00v\x00{'descr'", ArtifactHeaderError),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(64), ArtifactHeaderError),
    "gguf": (b"GGUF\x03\x00\x00\x00" + bytes(64), ArtifactHeaderError),
    "gzip": (b"\x1f\x8b\x08\x00" + bytes(64), ArtifactHeaderError),
    "script": (b"#!/bin/sh\ntrue\n" + bytes(64), ArtifactHeaderError),
    "yaml object": (b"!!python/object/apply:os.system ['true']", ArtifactHeaderError),
    "all ones": (b"\xff" * 64, ArtifactHeaderError),
    "too large": (bytes(100_001), ArtifactSizeError),
    "header of no bytes": (framed(b""), ArtifactHeaderError),
    "header 2^63": (framed(GOOD_HEADER, length=1 << 63), ArtifactHeaderError),
    "header 2^64-1": (framed(GOOD_HEADER, length=(1 << 64) - 1), ArtifactHeaderError),
    "header above its limit": (framed(b"{" * 60_000), ArtifactHeaderError),
    "header past the end": (framed(GOOD_HEADER, b"", length=40_000), ArtifactTruncatedError),
    "header cut short": (GOOD[:40], ArtifactTruncatedError),
    "header length one too small": (
        framed(GOOD_HEADER, length=len(GOOD_HEADER.rstrip()) - 1),
        ArtifactHeaderError,
    ),
    "data cut short": (GOOD[:-1], ArtifactTruncatedError),
    "no data": (GOOD[:-12], ArtifactTruncatedError),
    # JSON.
    "not JSON": (framed(b"{nonsense}"), ArtifactHeaderError),
    "single quotes": (framed(b"{'a':1}"), ArtifactHeaderError),
    "a list": (described([]), ArtifactHeaderError),
    "white space first": (framed(b"  " + GOOD_HEADER), ArtifactHeaderError),
    "byte order mark": (framed(b"\xef\xbb\xbf" + GOOD_HEADER), ArtifactHeaderError),
    "two documents": (framed(b"{}{}"), ArtifactHeaderError),
    "zero byte padding": (framed(GOOD_HEADER.rstrip() + b"\0\0\0\0"), ArtifactHeaderError),
    "deep nesting": (framed(b'{"a":' + b"[" * 40_000), ArtifactHeaderError),
    "deep nesting behind strings": (framed(b'{"a":' + b'["]",' * 8_000), ArtifactHeaderError),
    "invalid UTF-8": (framed(b'{"\xff":1}'), ArtifactHeaderError),
    "duplicate tensor": (framed(b"{" + ENTRY_A + b"," + ENTRY_A + b"}"), ArtifactHeaderError),
    "duplicate field": (
        framed(b'{"a":{"dtype":"F32","dtype":"F32","shape":[3],"data_offsets":[0,12]}}'),
        ArtifactHeaderError,
    ),
    "duplicate by escape": (
        framed(b"{" + ENTRY_A + b',"\\u0061"' + ENTRY_A[3:] + b"}"),
        ArtifactHeaderError,
    ),
    "no tensors": (described({}, b""), ArtifactNameError),
    "too many tensors": (
        described({f"t{n:02}": tensor(4 * n, 4 * n + 4, [1]) for n in range(17)}, bytes(68)),
        ArtifactNameError,
    ),
    "metadata": (
        described({"__metadata__": {"format": "pt"}, "a": tensor(0, 12, [3])}),
        ArtifactNameError,
    ),
    "entry is a list": (described({"a": [0, 12]}), ArtifactHeaderError),
    "field missing": (described({"a": {"dtype": "F32", "shape": [3]}}), ArtifactHeaderError),
    "field unknown": (described({"a": tensor(0, 12, [3], code="x")}), ArtifactHeaderError),
    # Names.
    "empty name": (one(name=""), ArtifactNameError),
    "parent directory": (one(name="../../etc/passwd"), ArtifactNameError),
    "absolute path": (one(name="/etc/passwd"), ArtifactNameError),
    "dots": (one(name=".."), ArtifactNameError),
    "inner dots": (one(name="a..b"), ArtifactNameError),
    "back slash": (one(name="a\\b"), ArtifactNameError),
    "zero byte": (one(name="a\0b"), ArtifactNameError),
    "new line": (one(name="a\n"), ArtifactNameError),
    "unicode look-alike": (one(name="\u0430"), ArtifactNameError),
    "right-to-left": (one(name="a\u202eb"), ArtifactNameError),
    "dunder": (one(name="a.__class__()"), ArtifactNameError),
    "long name": (one(name="a" * 201), ArtifactNameError),
    # Dtypes.
    "float64": (described({"a": tensor(0, 8, [1], "F64")}, bytes(8)), ArtifactDtypeError),
    "float16": (described({"a": tensor(0, 4, [2], "F16")}, bytes(4)), ArtifactDtypeError),
    "integers": (described({"a": tensor(0, 8, [1], "I64")}, bytes(8)), ArtifactDtypeError),
    "lower case": (one(dtype="f32"), ArtifactDtypeError),
    "object": (one(dtype="O"), ArtifactDtypeError),
    "a number as dtype": (one(dtype=32), ArtifactDtypeError),
    # Shapes.
    "zero dimension": (described({"a": tensor(0, 0, [0])}, b""), ArtifactShapeError),
    "negative dimensions": (one(shape=[-1, -1]), ArtifactShapeError),
    "product overflows 64 bits": (one(shape=[1 << 32, 1 << 32]), ArtifactShapeError),
    "product wraps to four bytes": (one(shape=[1 << 62, 4, 1]), ArtifactShapeError),
    "dimension of 21 digits": (one(shape=[10**20]), ArtifactHeaderError),
    "nine dimensions": (one(shape=[1] * 9), ArtifactShapeError),
    "dimension is a float": (one(shape=[1.0]), ArtifactHeaderError),
    "dimension is true": (one(shape=[True]), ArtifactHeaderError),
    "dimension is text": (one(shape=["1"]), ArtifactHeaderError),
    "dimension is null": (one(shape=[None]), ArtifactHeaderError),
    "shape is a number": (one(shape=1), ArtifactHeaderError),
    "shape above its bytes": (one(shape=[2]), ArtifactShapeError),
    "shape below its bytes": (one(floats(1, 2), shape=[1]), ArtifactShapeError),
    # Offsets.
    "overlap": (
        described({"a": tensor(0, 8, [2]), "b": tensor(4, 12, [2])}),
        ArtifactOffsetError,
    ),
    "same bytes twice": (
        described({"a": tensor(0, 12, [3]), "b": tensor(0, 12, [3])}),
        ArtifactOffsetError,
    ),
    "gap": (described({"a": tensor(0, 4, [1]), "b": tensor(8, 12, [1])}), ArtifactOffsetError),
    "gap at the start": (described({"a": tensor(4, 12, [2])}), ArtifactOffsetError),
    "bytes left over": (GOOD + b"\0", ArtifactOffsetError),
    "a payload behind the tensors": (GOOD + a_zip_archive(), ArtifactOffsetError),
    "negative offset": (described({"a": tensor(-12, 0, [3])}), ArtifactOffsetError),
    "end before start": (described({"a": tensor(12, 0, [3])}), ArtifactOffsetError),
    "offset past the end": (described({"a": tensor(0, 4096, [1024])}), ArtifactTruncatedError),
    "three offsets": (one(data_offsets=[0, 2, 4]), ArtifactOffsetError),
    "no offsets": (one(data_offsets=[]), ArtifactOffsetError),
    "offset is a float": (one(data_offsets=[0, 4.0]), ArtifactHeaderError),
    "offsets 2^63": (
        described({"a": tensor(1 << 63, (1 << 63) + 12, [3])}),
        ArtifactOffsetError,
    ),
    # Other writings of the good file.
    "names out of order": (
        framed(b"{" + ENTRY_B + b"," + ENTRY_A + b"}"),
        ArtifactNotCanonicalError,
    ),
    "data out of order": (
        described({"b": tensor(0, 4, [1]), "a": tensor(4, 12, [2])}),
        ArtifactNotCanonicalError,
    ),
    "spaces inside": (
        framed(padded(b"{" + ENTRY_A + b", " + ENTRY_B + b"}")),
        ArtifactNotCanonicalError,
    ),
    "eight spaces more": (framed(GOOD_HEADER + b" " * 8), ArtifactNotCanonicalError),
    "padding of tabs": (
        framed(GOOD_HEADER.rstrip().ljust(len(GOOD_HEADER), b"\t") + b"\t" * 8),
        ArtifactNotCanonicalError,
    ),
    "no padding": (
        framed(b'{"abc":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}'),
        ArtifactNotCanonicalError,
    ),
    "escaped name": (
        framed(padded(b"{" + ENTRY_A.replace(b'"a"', b'"\\u0061"') + b"," + ENTRY_B + b"}")),
        ArtifactNotCanonicalError,
    ),
    "fields in another order": (
        framed(padded(b'{"a":{"shape":[3],"dtype":"F32","data_offsets":[0,12]}}')),
        ArtifactNotCanonicalError,
    ),
    # Values.
    "NaN": (one(floats(math.nan)), ArtifactNotFiniteError),
    "signalling NaN": (one(b"\x01\x00\x80\x7f"), ArtifactNotFiniteError),
    "infinity": (one(floats(1, math.inf)), ArtifactNotFiniteError),
    "minus infinity": (one(floats(-math.inf, 1)), ArtifactNotFiniteError),
}


def test_the_good_file_is_good() -> None:
    assert described({"a": tensor(0, 8, [2]), "b": tensor(8, 12, [1])}) == GOOD
    assert is_canonical(GOOD, LIMITS)


def test_the_table_is_long_and_covers_every_error() -> None:
    assert len(HOSTILE) >= 90
    refusals = {error for _, error in HOSTILE.values()}
    assert refusals == set(ArtifactError.__subclasses__()) - {ArtifactMismatchError}


@pytest.mark.parametrize("name", HOSTILE)
def test_refused_by_name(name: str) -> None:
    data, error = HOSTILE[name]
    with pytest.raises(ArtifactError) as caught:
        load_checked(data, LIMITS)
    assert type(caught.value) is error
    assert 0 < len(str(caught.value)) < 400


def test_refusals_allocate_little() -> None:
    tracemalloc.start()
    try:
        for data, _ in HOSTILE.values():
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            assert not is_canonical(data, LIMITS)
            _, peak = tracemalloc.get_traced_memory()
            assert peak - before < 4 << 20
    finally:
        tracemalloc.stop()


def test_every_single_byte_change_of_the_header_is_refused_or_another_model() -> None:
    header_end = 8 + len(GOOD_HEADER)
    for position in range(header_end):
        for value in (0, 0x20, 0x22, 0x30, 0x39, 0x5B, 0x7D, 0xFF):
            changed = GOOD[:position] + bytes([value]) + GOOD[position + 1 :]
            if changed != GOOD and is_canonical(changed, LIMITS):
                assert save_canonical(load_checked(changed, LIMITS)) == changed


def test_tensors_of_another_model() -> None:
    load_expected(GOOD, LIMITS, {"a": (None,), "b": (1,)})
    with pytest.raises(ArtifactMismatchError, match=r"^tensors \['a', 'b'\] are not those"):
        load_expected(GOOD, LIMITS, {"a": (2,)})
    with pytest.raises(
        ArtifactMismatchError,
        match=r"^tensor b has shape \[1\], the task's model has \[1, 1\]$",
    ):
        load_expected(GOOD, LIMITS, {"a": (2,), "b": (1, 1)})
