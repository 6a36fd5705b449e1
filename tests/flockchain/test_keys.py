"""Key pairs against the values of `subkey` and polkadot.js, and no secret where it can be read."""

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flockchain.keys import (
    DEV_PHRASE,
    KeyDerivationError,
    KeySchemeError,
    Scheme,
    key_pair_from_seed,
    key_pair_from_uri,
)
from runtime.primitives import vrf
from runtime.primitives.signatures import ed25519_verify, sr25519_verify

ABANDON = "abandon " * 11 + "about"
PJS_DOC = "seed sock milk update focus rotate barely fade car face mechanic mercy"
DEV_SEED = "0xfac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e"
RFC_SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")


@pytest.mark.parametrize(
    ("uri", "public"),
    [
        ("//Alice", "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"),
        ("/Alice", "d6c71059dbbe9ad2b0ed3f289738b800836eb425544ce694825285b958ca755e"),
        (DEV_PHRASE, "46ebddef8cd9bb167dc30878d7113b7e168e6f0646beffd77d69d39bad76b47a"),
        (DEV_SEED, "46ebddef8cd9bb167dc30878d7113b7e168e6f0646beffd77d69d39bad76b47a"),
        (f"{DEV_SEED}//Alice", "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"),
        ("//0", "2afba9278e30ccf6a6ceb3a8b6e336b70068f045c666f2e7f4f9cc5f47db8972"),
        (f"{ABANDON}//0", "5244eb2b8a9f975c603485c5a76eeec41fdad88aa6ef204b7c56691940ad1671"),
        (f"{ABANDON}///TREZOR", "baa4036a6b212012c67b91fd47c2e3e64b65bbd538969544c71b2f905227374c"),
        (f"{PJS_DOC}//0", "e27ed800d359cd3b336d97b637056d05c499102870ae784d94a89164abb2d626"),
    ],
)
def test_sr25519_keys_are_substrates(uri: str, public: str) -> None:
    assert key_pair_from_uri(uri).public.hex() == public


@pytest.mark.parametrize(
    ("uri", "public"),
    [
        ("//Alice", "88dc3417d5058ec4b4503e0c12ea1a0a89be200fe98922423d4334014fa6b0ee"),
        ("//Bob", "d17c2d7823ebf260fd138f2d7e27d114c0145d968b5ff5006125f2414fadae69"),
        ("//Charlie", "439660b36c6c03afafca027b910b4fecf99801834c62a5e6006f27d978de234f"),
    ],
)
def test_ed25519_keys_are_substrates(uri: str, public: str) -> None:
    assert key_pair_from_uri(uri, "ed25519").public.hex() == public


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("//Alice", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"),
        ("//Alice//stash", "5GNJqTPyNqANBkUVMN1LPPrxXnFouWXoe2wNSmmEoLctxiZY"),
        ("//Bob", "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"),
        ("//Bob//stash", "5HpG9w8EBLe5XCrbczpwq5TSXvedjrBGCwqxK1iQ7qUsSWFc"),
    ],
)
def test_development_addresses(uri: str, address: str) -> None:
    assert key_pair_from_uri(uri).address() == address


def test_seeds_of_sp_core() -> None:
    assert key_pair_from_seed(RFC_SEED).public.hex() == (
        "44a996beb1eef7bdcab976ab6d2ca26104834164ecf28fb375600576fcc6eb0f"
    )
    assert key_pair_from_seed(b"12345678901234567890123456789012").public.hex() == (
        "741c08a06f41c596608f6774259bd9043304adfa5d3eea62760bd9be97634d63"
    )
    assert key_pair_from_seed(RFC_SEED, "ed25519").public.hex() == (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    )


def test_signatures_verify_under_their_scheme_only() -> None:
    ed25519, sr25519 = key_pair_from_uri("//Alice", "ed25519"), key_pair_from_uri("/a//b/c")
    assert ed25519_verify(ed25519.sign(b"message"), b"message", ed25519.public)
    assert sr25519_verify(sr25519.sign(b"message"), b"message", sr25519.public)
    assert not sr25519_verify(ed25519.sign(b"message"), b"message", ed25519.public)
    assert ed25519.sign(b"message") == ed25519.sign(b"message")
    assert sr25519.account == sr25519.public


def test_vrf_proofs_come_from_ed25519_keys_only() -> None:
    pair = key_pair_from_uri("//Alice", "ed25519")
    assert vrf.verify(pair.public, pair.vrf_prove(b"slot"), b"slot") is not None
    with pytest.raises(KeySchemeError, match=r"^VRF proofs need an ed25519 key, this is sr25519$"):
        key_pair_from_uri("//Alice").vrf_prove(b"slot")
    with pytest.raises(KeySchemeError, match=r"^VRF outputs need an ed25519 key, this is sr25519$"):
        key_pair_from_uri("//Alice").vrf_evaluate(b"slot")


def test_password_argument_stands_for_the_one_in_the_uri() -> None:
    given_in_uri = key_pair_from_uri(f"{ABANDON}//0///TREZOR")
    assert key_pair_from_uri(f"{ABANDON}//0", password="TREZOR") == given_in_uri
    assert key_pair_from_uri(f"{ABANDON}//0///other", password="TREZOR") == given_in_uri
    assert key_pair_from_uri(f"{ABANDON}//0") != given_in_uri


def test_junction_numbers_and_long_names() -> None:
    assert key_pair_from_uri("//007") == key_pair_from_uri("//7") == key_pair_from_uri("//+7")
    names = {f"//{2**64 - 1}", f"//{2**64}", "//" + "x" * 31, "//" + "x" * 32, "//é", "//-1"}
    assert len({key_pair_from_uri(name).public for name in names}) == len(names)


@pytest.mark.parametrize(
    ("uri", "scheme", "message"),
    [
        ("//Alice/", "sr25519", "the secret URI is malformed; its form is <phrase>//hard/soft"),
        ("a-b", "sr25519", "the secret URI is malformed; its form is <phrase>//hard/soft"),
        ("zebra", "sr25519", "a phrase has 12, 15, 18, 21, 24 words, not 1"),
        ("0xabcd", "sr25519", "a seed in a secret URI is 0x and 64 hexadecimal digits"),
        ("0x" + "g" * 64, "sr25519", "a seed in a secret URI is 0x and 64 hexadecimal digits"),
        ("/Alice", "ed25519", "ed25519 has no soft junctions: write // instead of /"),
        ("//a" * 33, "sr25519", "a secret URI has at most 32 junctions"),
        ("//" + "a" * 5000, "sr25519", "a secret URI has at most 4096 characters"),
        ("//Alice", "ecdsa", "unknown scheme 'ecdsa', known are ed25519, sr25519"),
    ],
)
def test_bad_uris_are_refused(uri: str, scheme: str, message: str) -> None:
    with pytest.raises(KeyDerivationError) as caught:
        key_pair_from_uri(uri, scheme)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_seed_of_wrong_length_is_refused() -> None:
    with pytest.raises(KeyDerivationError, match=r"^a seed has 32 bytes, not 31$"):
        key_pair_from_seed(bytes(31))


@pytest.mark.parametrize("scheme", ["ed25519", "sr25519"])
def test_a_key_pair_shows_no_secret(scheme: str) -> None:
    pair = key_pair_from_seed(RFC_SEED, scheme)  # type: ignore[arg-type]
    shown = f"{pair!r} {pair} {[pair]}"
    assert RFC_SEED.hex() not in shown
    assert repr(RFC_SEED)[2:-1] not in shown
    assert "seed" not in shown
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(pair)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["ed25519", "sr25519"]))
def test_any_text_gives_a_key_or_the_named_error(text: str, scheme: str) -> None:
    try:
        pair = key_pair_from_uri(text, scheme)  # type: ignore[arg-type]
    except KeyDerivationError:
        return
    assert len(pair.public) == 32


@pytest.mark.parametrize(
    ("uri", "scheme"),
    [
        ("//Alice", "ed25519"),
        ("//Alice", "sr25519"),
        ("//Alice/soft//hard/softer", "sr25519"),
        (f"0x{'5a' * 32}", "sr25519"),
    ],
)
def test_derived_secrets_are_stable_and_apart(uri: str, scheme: Scheme) -> None:
    first, again = (key_pair_from_uri(uri, scheme) for _ in range(2))
    assert first.derive(b"a") == again.derive(b"a")
    assert len({first.derive(b"a"), first.derive(b"b"), first.public, first.seed}) == 4
    assert first.derive(b"a").hex() not in repr(first)
