# ruff: noqa: INP001 - MkDocs imports it by its path
"""Links that lead out of `docs/`, on the site: what they lead to comes along under `source/`.

On GitHub a page links to a file of the repository as it is. The site holds `docs/` alone, so that
such a file is copied beside the pages, and links to it are written anew.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

_REPOSITORY = Path(__file__).parents[2]
_DOCS = "docs/"
_COPIES = "source/"
_LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?(?=\))")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take what pages link to outside of `docs/` along, and what that links to."""
    waiting = [f"{_DOCS}{file.src_uri}" for file in files.documentation_pages()]
    while waiting:
        page = waiting.pop()
        text = (_REPOSITORY / page).read_text(encoding="utf-8")
        for path in {_target(page, found[1]) for found in _LINK.finditer(text)}:
            site_path = _on_site(path)
            if not site_path.startswith(_COPIES) or files.get_file_from_path(site_path):
                continue
            if (_REPOSITORY / path).is_file():
                files.append(
                    File.generated(config, site_path, abs_src_path=str(_REPOSITORY / path))
                )
                if path.endswith(".md"):
                    waiting.append(path)
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Write links anew that lead out of `docs/`, or from a copy back into it."""
    site_path = page.file.src_uri
    copied = site_path.startswith(_COPIES)
    here = site_path.removeprefix(_COPIES) if copied else f"{_DOCS}{site_path}"

    def rewrite(found: re.Match[str]) -> str:
        target = _on_site(_target(here, found[1]))
        if not copied and not target.startswith(_COPIES):
            return found[0]
        return posixpath.relpath(target, posixpath.dirname(site_path)) + (found[2] or "")

    return _LINK.sub(rewrite, markdown)


def _target(page: str, link: str) -> str:
    """Path in the repository that a link of a page leads to."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), link))


def _on_site(path: str) -> str:
    return path.removeprefix(_DOCS) if path.startswith(_DOCS) else f"{_COPIES}{path}"
