"""Every relative link in the documents leads somewhere."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest
from tree import ROOT, text, tracked

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)[^)]*\)|!\[[^\]]*\]\(([^)\s]+)\)")
OUTSIDE = ("http://", "https://", "mailto:", "#")


def heading_anchors(content: str) -> set[str]:
    """The anchors of a Markdown page's headings, as GitHub makes them."""
    prose = re.sub(r"^```.*?^```", "", content, flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ +(.+?) *$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", [name for name in tracked() if name.endswith(".md")])
def test_relative_links_lead_somewhere(name: str) -> None:
    prose = re.sub(r"^```.*?^```", "", text(name), flags=re.MULTILINE | re.DOTALL)
    for target in (first or second for first, second in LINK.findall(prose)):
        if target.startswith(OUTSIDE):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / PurePosixPath(name).parent / path).resolve()
        assert file.is_relative_to(ROOT), f"{name} links to {target}, outside the project"
        assert file.exists(), f"{name} links to {target}, which is not there"
        if anchor and file.suffix == ".md":
            assert anchor in heading_anchors(file.read_text(encoding="utf-8")), f"{name}: {target}"
