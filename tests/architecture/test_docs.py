"""Pages lead where they say: every link and anchor, on GitHub and on the site."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from command_page import document as command_page

from forecast_config import names
from forecast_config.settings import SEVERITIES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "examples" / "README.md", *sorted(DOCS.glob("*.md"))]

_FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


@cache
def _text(page: Path) -> str:
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


@cache
def _anchors(page: Path) -> frozenset[str]:
    """Anchors that GitHub gives a page's headings; so does the site, which is told to."""
    found: dict[str, int] = {}
    anchors = set()
    for heading in _HEADING.findall(_text(page)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).strip().replace(" ", "-")
        count = found.get(anchor, 0)
        found[anchor] = count + 1
        anchors.add(f"{anchor}-{count}" if count else anchor)
    return frozenset(anchors)


def _links(page: Path) -> list[str]:
    return _LINK.findall(_CODE.sub("", _text(page)))


def _wrong_with(page: Path, link: str) -> str | None:
    """What is wrong with a link to this repository; None when it leads somewhere."""
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return "no such file"
    if ROOT not in target.parents:
        return "outside of the repository"
    if anchor and anchor not in _anchors(target):
        return "no such heading"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_every_link_to_the_repository_leads_somewhere(page: Path) -> None:
    inside = [link for link in _links(page) if not re.match(r"[a-z]+:", link)]

    wrong = {link: why for link in inside if (why := _wrong_with(page, link)) is not None}

    assert wrong == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_every_link_to_another_site_is_well_formed(page: Path) -> None:
    for link in _links(page):
        if re.match(r"[a-z]+:", link):
            parts = urlsplit(link)
            assert parts.scheme == "https", link
            assert re.fullmatch(r"([a-z0-9-]+\.)+[a-z]{2,}", parts.hostname or ""), link
            assert "…" not in link, link


class _Loader(yaml.SafeLoader):
    """YAML with the one tag that MkDocs adds."""


_Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)


def _site() -> dict[str, Any]:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506 - it makes no objects
    return loaded


def _named(entry: Any) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    members = entry.values() if isinstance(entry, dict) else entry
    return [page for member in members for page in _named(member)]


def test_every_page_is_in_the_navigation_once() -> None:
    named = _named(_site()["nav"])

    assert len(named) == len(set(named))
    own = {page for page in named if not page.startswith("source/")}
    assert own == {page.name for page in DOCS.glob("*.md")}
    copied = [page.removeprefix("source/") for page in named if page.startswith("source/")]
    assert [page for page in copied if not (ROOT / page).is_file()] == []


def test_building_the_site_is_strict_and_fetches_nothing() -> None:
    site = _site()

    assert site["strict"] is True
    assert site["validation"]["links"] == dict.fromkeys(
        ("not_found", "anchors", "absolute_links", "unrecognized_links"), "warn"
    )
    assert site["validation"]["nav"]["omitted_files"] == "warn"
    assert site["theme"]["font"] is False
    assert site["plugins"] == ["search"]
    assert not {"extra_css", "extra_javascript"} & site.keys()


@pytest.mark.parametrize(
    ("page", "link", "written"),
    [
        ("packaging.md", "../examples/README.md#data", "source/examples/README.md#data"),
        ("rules.md", "../constructs/x.rego", "source/constructs/x.rego"),
        ("alarms.md", "runbooks.md#rollback", "runbooks.md#rollback"),
        ("alarms.md", "https://example.com/a.md", "https://example.com/a.md"),
        ("source/examples/README.md", "../docs/packaging.md", "../../packaging.md"),
        ("source/examples/README.md", "#data", "#data"),
        ("source/examples/README.md", "train.py", "train.py"),
    ],
)
def test_links_out_of_the_pages_lead_to_copies_on_the_site(
    page: str, link: str, written: str
) -> None:
    found = importlib.util.spec_from_file_location("hook", DOCS / "site" / "outside_links.py")
    assert found is not None
    assert found.loader is not None
    hook = importlib.util.module_from_spec(found)
    found.loader.exec_module(hook)
    given = SimpleNamespace(file=SimpleNamespace(src_uri=page))

    assert hook.on_page_markdown(f"see [x]({link}).", page=given) == f"see [x]({written})."


def test_the_page_of_commands_is_current() -> None:
    assert (DOCS / "commands.md").read_text(encoding="utf-8") == command_page(), (
        "run: python tests/support/command_page.py --write docs/commands.md"
    )


def test_every_runbook_says_what_it_means_how_to_look_and_what_to_do() -> None:
    runbooks = re.split(r"^## ", _text(DOCS / "runbooks.md"), flags=re.MULTILINE)[1:]

    assert len(runbooks) > 10
    for runbook in runbooks:
        for word in ("**Means**", "**Look**", "**Do**"):
            assert word in runbook, runbook.splitlines()[0]


def test_the_page_makes_the_file_that_it_bootstraps_with(tmp_path: Path) -> None:
    page = (DOCS / "real-account.md").read_text(encoding="utf-8")
    found = re.search(
        r"^(export ACCOUNT=.*?) > forecast-deployment.json$", page, re.MULTILINE | re.DOTALL
    )
    assert found is not None
    command = found[1].replace("ACCOUNT=111111111111", "ACCOUNT=222222222222")
    made = tmp_path / "forecast-deployment.json"

    subprocess.run(["/bin/sh", "-ec", f"{command} > {made}"], check=True, cwd=ROOT)

    text = made.read_text(encoding="utf-8")
    actions = [each["Action"] for each in json.loads(text)["Statement"]]
    assert "iam:PassRole" in actions
    assert ":222222222222:" in text
    assert "111111111111" not in text
    assert "file://forecast-deployment.json" in page


_TEMPLATES = ROOT / "tests" / "snapshot" / "__snapshots__" / "test_templates"


@cache
def _alarms() -> frozenset[str]:
    """What every alarm of the reviewed templates watches: its name without endpoint, severity."""
    watched = set()
    for path in _TEMPLATES.glob("*.json"):
        template = json.loads(path.read_text(encoding="utf-8"))
        resources = template["Resources"].values()
        endpoint = template.get("Outputs", {}).get("EndpointName", {}).get("Value", "")
        variant = names.challenger_variant("AllTraffic")
        for each in resources:
            if each["Type"] in {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"}:
                name = each["Properties"]["AlarmName"]
                assert name.startswith(names.alarm(endpoint, "")), name
                condition = name.removeprefix(names.alarm(endpoint, ""))
                condition = condition.removeprefix(f"{variant}-")
                watched.add(re.sub(rf"-({'|'.join(SEVERITIES)})$", "", condition))
    return frozenset(watched)


def test_the_reviewed_templates_hold_every_kind_of_alarm() -> None:
    assert _alarms() >= {
        "backlog-without-capacity",
        "incident",
        "off-hours-undelivered",
        "rollback-failed-requests",
        "rollback-latency",
        "throttling",
    }


def test_every_alarm_has_a_runbook() -> None:
    # Two alarms undo a rollout; what to do then is the same.
    wanted = {"rollback" if each.startswith("rollback-") else each for each in _alarms()}

    assert wanted - _anchors(DOCS / "runbooks.md") == set()


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("nowhere.md", "no such file"),
        ("alarms.md#nowhere", "no such heading"),
        ("#nowhere", "no such heading"),
        ("../../elsewhere.md", "no such file"),
        ("alarms.md#one-incident-one-message", None),
        ("../README.md#configuration", None),
    ],
)
def test_a_link_that_leads_nowhere_is_found(link: str, why: str | None) -> None:
    assert _wrong_with(DOCS / "runbooks.md", link) == why
