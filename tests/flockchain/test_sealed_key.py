"""The key document: opened by its password only, and by no altered byte."""

import json

import pytest

from flockchain.sealed_key import (
    DOCUMENT_BYTES_MAX,
    SealedKeyError,
    open_key,
    parse_document,
    seal_key,
    stretch,
)

URI = "bottom drive obey lake curtain smoke basket hold race lonely fit walk//Alice"
PASSWORD = "correct horse"
CONTENT = seal_key("acco", "sr25519", bytes(32), URI, stretch(PASSWORD, log_n=1))


def altered(**fields: object) -> bytes:
    document = {**json.loads(CONTENT), **fields}
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def test_what_is_sealed_opens() -> None:
    document = parse_document(CONTENT)
    assert open_key(document, PASSWORD) == URI
    assert b"bottom" not in CONTENT
    assert seal_key("acco", "sr25519", bytes(32), URI, stretch(PASSWORD, log_n=1)) != CONTENT


def test_wrong_password_is_refused() -> None:
    document = parse_document(CONTENT)
    for password in ("", "correct horse ", "Correct horse"):
        with pytest.raises(SealedKeyError, match=r"^wrong password or altered file$"):
            open_key(document, password)


def test_every_altered_byte_is_refused() -> None:
    opened = []
    for index in range(len(CONTENT)):
        for flip in (0x01, 0x20, 0x80):
            content = bytearray(CONTENT)
            content[index] ^= flip
            try:
                document = parse_document(bytes(content))
                # A lower cost is altered too, but 2^20 would only make this test slow.
                if document["scrypt_log_n"] < 8:
                    opened.append(open_key(document, PASSWORD))
            except SealedKeyError:
                continue
    assert opened == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 10_000, "not JSON"),
        (b"[]", "not an object"),
        (b"x" * (DOCUMENT_BYTES_MAX + 1), f"longer than {DOCUMENT_BYTES_MAX} bytes"),
        (altered(extra=1), "fields ['extra'] missing or unknown"),
        (altered(version=2), "version is not 1"),
        (altered(kdf="pbkdf2"), "kdf is not scrypt"),
        (altered(cipher="none"), "cipher is not chacha20-poly1305"),
        (altered(salt="zz"), "salt is not hexadecimal"),
        (altered(salt=7), "salt is not hexadecimal"),
        (altered(nonce="00"), "nonce is not 12 bytes long"),
        (altered(scheme="ecdsa"), "unknown scheme"),
        (altered(scrypt_log_n=64), "scrypt_log_n is outside 1 to 20"),
        (altered(scrypt_log_n=True), "scrypt_log_n is outside 1 to 20"),
        (CONTENT + b"\n", "not in canonical form"),
        (b" " + CONTENT, "not in canonical form"),
    ],
)
def test_each_rule_of_the_format_has_its_message(content: bytes, message: str) -> None:
    with pytest.raises(SealedKeyError) as caught:
        parse_document(content)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "fields", [{"key_type": "gran"}, {"scheme": "ed25519"}, {"public": "11" * 32}]
)
def test_the_public_fields_are_authenticated(fields: dict[str, object]) -> None:
    with pytest.raises(SealedKeyError, match=r"^wrong password or altered file$"):
        open_key(parse_document(altered(**fields)), PASSWORD)


def test_one_stretch_seals_several_documents() -> None:
    stretched = stretch(PASSWORD, log_n=1)
    first, second = (
        parse_document(seal_key(kind, "ed25519", bytes(32), URI, stretched))
        for kind in ("babe", "gran")
    )
    assert first["salt"] == second["salt"]
    assert first["nonce"] != second["nonce"]
    assert [open_key(each, PASSWORD) for each in (first, second)] == [URI, URI]
    assert stretched.key.hex() not in repr(stretched)
