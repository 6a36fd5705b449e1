"""The map of the whitepaper: what counts as a reference, and that the page is up to date."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


def load() -> ModuleType:
    """The script, which lies outside of the packages."""
    spec = importlib.util.spec_from_file_location("wp_map", DOCS / "generate_whitepaper_map.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


whitepaper_map = load()


@pytest.mark.parametrize(
    ("docstring", "sections"),
    [
        ("Source: WP V.E (q, alpha_t), V.F (lambda_v).", ["V.E", "V.F"]),
        ("Source: WP IV.A and V (tasks).", ["IV.A", "V"]),
        ("Source: RFC 9381; WP VI.B; WP II.D.", ["VI.B", "II.D"]),
        ("Source: WP III.A.2, WP Fig. 3, Table II.", ["III.A.2", "Fig. 3", "Table II"]),
        ("Source: WP V.A, V.B (stakes of I and V),\nV.C.", ["V.A", "V.B", "V.C"]),
        ("Source: WP VI.E, Algorithm 1.", ["VI.E", "Algorithm 1"]),
        ("Source: WP VII (treasury); Substrate `pallet_treasury` V14.", ["VII"]),
        ("It follows WP V.E. Source: RFC 8032.", []),
    ],
)
def test_references(docstring: str, sections: list[str]) -> None:
    assert list(whitepaper_map.references(docstring)) == sections


def test_the_page_is_up_to_date() -> None:
    page = (DOCS / "whitepaper_map.md").read_text(encoding="utf-8")
    assert page == whitepaper_map.render(), "run python docs/generate_whitepaper_map.py"


def test_known_sections_have_their_files() -> None:
    files = whitepaper_map.files_by_section()
    assert "runtime/pallets/emission.py" in files["III.A"]
    assert "runtime/pallets/arena/ranking.py" in files["V.E"]


def test_no_file_names_a_section_that_the_whitepaper_lacks() -> None:
    named = whitepaper_map.all_references()
    assert [item for item in named if item[1] not in whitepaper_map.SECTIONS] == []
