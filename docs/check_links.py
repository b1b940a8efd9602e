"""Looks whether every link within the documentation leads somewhere: docs/check_links.py docs/_build/html."""

import functools
import html.parser
import pathlib
import sys
import urllib.parse


class _Page(html.parser.HTMLParser):
    """The links of a page, and the places in it that links can name."""

    def __init__(self, path: pathlib.Path):
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if value and name in ("href", "src"):
                self.links.append(value)
            elif value and name in ("id", "name"):
                self.places.add(value)


_page = functools.cache(_Page)


def dead_links(directory: pathlib.Path) -> tuple[int, list[str]]:
    """How many links within a directory of HTML there are, and those that lead nowhere, as ``page: link``."""
    count, dead = 0, []
    for path in sorted(directory.rglob("*.html")):
        for link in _page(path).links:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            count += 1
            target = (path.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file() or (parts.fragment and parts.fragment not in _page(target).places):
                dead.append(f"{path.relative_to(directory)}: {link}")
    return count, dead


if __name__ == "__main__":
    total, missing = dead_links(pathlib.Path(sys.argv[1]))
    print(f"{total:,} links, {len(missing)} of them dead", *missing, sep="\n")
    sys.exit(bool(missing))
