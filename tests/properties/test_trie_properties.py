"""The batch-updated trie against a full rebuild by a second implementation."""

from hypothesis import given, settings
from hypothesis import strategies as st

from flockchain.storage.node_store import NODE_PREFIX
from flockchain.storage.trie_build import root_of
from flockchain.storage.trie_codec import StateVersion
from flockchain.storage.trie_view import TrieView
from tests.flockchain.storage.naive_trie import naive_nodes, naive_root
from tests.flockchain.storage.node_fixture import LooseTrie

# Few symbols, so that keys share paths, are prefixes of each other and come again.
keys = st.binary(max_size=5).map(lambda raw: bytes((0, 1, 0x10, 0x11, 0xFF)[b % 5] for b in raw))
long_keys = st.builds(lambda stem, key: stem * 40 + key, st.sampled_from([b"", b"\x10"]), keys)
values = st.one_of(
    st.binary(max_size=3), st.integers(28, 40).map(lambda n: b"v" * n), st.just(b"w" * 70)
)
batches = st.lists(
    st.dictionaries(st.one_of(keys, long_keys), st.one_of(st.none(), values), max_size=12),
    max_size=6,
)
versions = st.sampled_from(StateVersion)


@given(batches=batches, version=versions)
@settings(max_examples=150, deadline=None)
def test_every_batch_gives_the_root_of_a_full_rebuild_and_leaks_no_node(
    batches: list[dict[bytes, bytes | None]], version: StateVersion
) -> None:
    trie, pairs = LooseTrie(version), dict[bytes, bytes]()
    for batch in batches:
        delta = trie.apply(batch)
        trie.remove(delta)
        for key, value in batch.items():
            if value is None:
                pairs.pop(key, None)
            else:
                pairs[key] = value
        assert trie.root.hash == naive_root(pairs, version)
        assert len(list(trie.store.iterate(NODE_PREFIX))) == naive_nodes(pairs, version)
    assert root_of(pairs, version) == trie.root.hash
    fresh = TrieView(trie.nodes, trie.root)
    assert list(fresh.pairs()) == sorted(pairs.items())


@given(batches=batches, version=versions)
@settings(max_examples=60, deadline=None)
def test_old_roots_stay_readable_from_records_alone(
    batches: list[dict[bytes, bytes | None]], version: StateVersion
) -> None:
    trie, pairs = LooseTrie(version, nodes_max=2), dict[bytes, bytes]()
    history = [(trie.root, dict(pairs))]
    for batch in batches:
        trie.apply(batch)
        pairs.update({key: value for key, value in batch.items() if value is not None})
        for key in (key for key, value in batch.items() if value is None):
            pairs.pop(key, None)
        history.append((trie.root, dict(pairs)))
    for root, then in history:
        view = TrieView(trie.nodes, root)
        assert list(view.pairs()) == sorted(then.items())
        assert all(view.get(key) == then.get(key) for key in pairs)


@given(
    pairs=st.dictionaries(keys, values, max_size=20),
    prefix=keys,
    after=st.one_of(st.none(), keys),
)
@settings(max_examples=150, deadline=None)
def test_walks_list_what_a_sorted_dict_lists(
    pairs: dict[bytes, bytes], prefix: bytes, after: bytes | None
) -> None:
    trie = LooseTrie(StateVersion.V1)
    view = TrieView(trie.nodes, trie.root_of(pairs))
    expected = [
        key for key in sorted(pairs) if key.startswith(prefix) and (after is None or key > after)
    ]
    assert list(view.keys(prefix, after)) == expected
    assert (view.closest_descendant_merkle_value(prefix) is not None) == any(
        key.startswith(prefix) for key in pairs
    )
