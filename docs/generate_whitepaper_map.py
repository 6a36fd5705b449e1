"""Writes `whitepaper_map.md`: which files serve which section of the whitepaper.

The sections of a file are those that the `Source:` part of its docstring names after "WP". Run
`python docs/generate_whitepaper_map.py` after a change; a test fails while the page is stale.
Source: the table of contents of the FLock whitepaper.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = Path(__file__).with_name("whitepaper_map.md")
PACKAGES: Final = ("runtime", "flockchain", "p2p", "ml", "genesis")
NO_CODE: Final = "*nothing to build*"
SECTIONS: Final[dict[str, str]] = {
    "I": "Introduction",
    "I.A": "The problems with centralised control over AI",
    "I.B": "FLock's solution",
    "II": "System overview",
    "II.A": "Blockchain layer",
    "II.B": "AI layer",
    "II.C": "AI Marketplace",
    "II.D": "Participants",
    "II.D.1": "Task creators",
    "II.D.2": "Training nodes",
    "II.D.3": "Validators",
    "II.D.4": "Delegators",
    "II.D.5": "FL clients",
    "II.D.6": "Model hosts",
    "III": "Tokenomics",
    "III.A": "Token supply",
    "III.A.1": "Emission",
    "III.A.2": "Burn",
    "III.A.3": "Slash",
    "III.B": "Token demand",
    "III.B.1": "Utility",
    "III.B.2": "Payment",
    "III.B.3": "Participation in governance",
    "IV": "Incentive and security",
    "IV.A": "Incentive: what tasks get and who pays",
    "IV.A.1": "Rewards among AI Arena tasks",
    "IV.A.2": "Rewards among FL Alliance tasks",
    "IV.B": "Security",
    "Table I": "Attacks and their mitigation",
    "V": "Consensus in AI Arena",
    "V.A": "Task creators",
    "V.B": "Selection of training nodes and validators",
    "V.C": "Training",
    "V.D": "Validation",
    "V.E": "Reward for training nodes",
    "V.F": "Reward for validators",
    "V.G": "Delegate staking",
    "V.H": "Two validation sets",
    "V.I": "Example",
    "Fig. 3": "Workflow of an Arena task",
    "Fig. 4": "Rate limit by stake",
    "Table II": "Rewards of one task over five days",
    "VI": "Consensus in FL Alliance",
    "VI.A": "Task creators",
    "VI.B": "Random role selection",
    "VI.C": "Training",
    "VI.D": "Aggregation",
    "VI.E": "Validation and voting",
    "VI.F": "Rewards and slashes",
    "VI.G": "Example",
    "VI.H": "Zero-knowledge proofs of aggregation",
    "Algorithm 1": "Federated training",
    "Algorithm 2": "Reward and slash",
    "Fig. 5": "Workflow of an FL Alliance task",
    "Fig. 6": "Balances under attack",
    "VII": "Governance",
    "VIII": "Applications",
    "VIII.A": "Large language models",
    "VIII.B": "Stable diffusion models",
    "VIII.C": "Linear regression",
    "IX": "Conclusion",
}
WITHOUT_CODE: Final = ("I", "I.A", "I.B", "IX")
# Sections that announce what another one rules in full.
RULED_IN: Final = {
    "II.D.1": "V.A",
    "II.D.2": "V.E",
    "II.D.3": "V.F",
    "II.D.4": "V.G",
    "II.D.5": "VI.F",
    "II.D.6": "II.C",
    "III.A.1": "III.A",
    "III.B": "V.A",
    "III.B.1": "V.B",
    "III.B.2": "II.C",
    "III.B.3": "VII",
    "IV.A.1": "IV.A",
    "IV.A.2": "VI.A",
}
_PARTS: Final = ("II", "III", "IV", "VI", "V", "VIII")  # headings: their sections carry the rules
_REFERENCE: Final = re.compile(
    r"Table I{1,2}\b|Fig\. \d|Algorithm \d"
    r"|\b(?:IX|IV|V?I{1,3}|V)(?:\.[A-I](?:\.[1-9])?)?\b(?![/\w])"
)


def references(docstring: str) -> Iterator[str]:
    """The sections that the `Source:` part of a docstring names after "WP"."""
    _, _, source = docstring.partition("Source: ")
    for part in source.replace("\n", " ").split(";"):
        _, found, named = part.partition("WP ")
        if found:
            # What stands in brackets explains; the words there are no sections.
            yield from _REFERENCE.findall(re.sub(r"\([^)]*\)", "", named))


def all_references() -> Iterator[tuple[str, str]]:
    """(file, section) of all packages, each pair once."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for section in dict.fromkeys(references(_docstring_of(path))):
                yield path.relative_to(ROOT).as_posix(), section


@functools.cache
def _docstring_of(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def files_by_section() -> dict[str, list[str]]:
    """Sections in the whitepaper's order, each with its files."""
    files: dict[str, list[str]] = {section: [] for section in SECTIONS}
    for name, section in all_references():
        if section in files:
            files[section].append(name)
    return files


def render() -> str:
    """The page."""
    lines = [
        "# The whitepaper, section by section",
        "",
        "Which files serve which section, taken from the `Source:` lines of their docstrings by",
        "`docs/generate_whitepaper_map.py`; do not edit this page. A file may serve several",
        "sections. Where the implementation departs from the text, see",
        "[deviations.md](deviations.md).",
        "",
        "| section | title | files |",
        "|---|---|---|",
    ]
    files = files_by_section()
    for section, title in SECTIONS.items():
        lines.append(f"| {section} | {title} | {_cell(section, files)} |")
    return "\n".join(lines) + "\n"


def _cell(section: str, files: dict[str, list[str]]) -> str:
    if files[section]:
        return "<br>".join(f"[{name}](../{name})" for name in files[section])
    if section in WITHOUT_CODE:
        return NO_CODE
    if section in _PARTS:
        return "see its sections"
    ruled_in = RULED_IN.get(section)
    return f"see {ruled_in}" if ruled_in and files[ruled_in] else "**not built yet**"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
