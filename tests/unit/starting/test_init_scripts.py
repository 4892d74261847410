"""The scripts of a new project's pipeline, against servers of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs, urlparse

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Started

PULL = "https://github.com/shop/prices/pull/7"
MARKER = "<!-- forecast plan prod -->"
STS = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA</AccessKeyId>
<SecretAccessKey>a b</SecretAccessKey><SessionToken>t</SessionToken>
<Expiration>2030-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>"""


class _Server(BaseHTTPRequestHandler):
    """GitHub's comments of one pull request, and the one call of STS."""

    comments: ClassVar[list[dict[str, Any]]] = []
    pulls: ClassVar[list[dict[str, Any]]] = []
    asked: ClassVar[list[tuple[str, str, str]]] = []

    def _answer(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_GET(self) -> None:
        if self.headers["Authorization"] != "Bearer right":
            self._answer(401, b"{}")
            return
        if self.path == "/user":
            self._answer(200, b'{"login": "ci"}')
            return
        if self.path.endswith("/pulls"):
            self.asked.append(("GET", self.path, ""))
            self._answer(200, json.dumps(self.pulls).encode())
            return
        page = int(parse_qs(urlparse(self.path).query)["page"][0])
        self._answer(200, json.dumps(self.comments[100 * (page - 1) : 100 * page]).encode())

    def do_POST(self) -> None:
        body = self._body()
        if self.path == "/":
            self.asked.append(("POST", self.path, body.decode()))
            self._answer(200, STS.encode(), "text/xml")
            return
        self.asked.append(("POST", self.path, json.loads(body)["body"]))
        self._answer(201, b"{}")

    def do_PATCH(self) -> None:
        self.asked.append(("PATCH", self.path, json.loads(self._body())["body"]))
        self._answer(200, b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    _Server.comments, _Server.pulls, _Server.asked = [], [], []
    http = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    thread.join()
    http.server_close()


def _script(
    project: Started, name: str, *arguments: str, cwd: Path | None = None, **variables: str
) -> Any:
    return subprocess.run(
        [sys.executable, str(project.root / "ci" / name), *arguments],
        cwd=cwd or project.root,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def _comment(
    projects: dict[str, Started],
    plan: Path,
    server: str,
    *,
    cwd: Path | None = None,
    **variables: str,
) -> Any:
    known = {"GITHUB_API_URL": server, "GITHUB_TOKEN": "right", "PULL_REQUEST_URL": PULL}
    arguments = ("comment_plan.py", str(plan), "prod")
    return _script(projects["both"], *arguments, cwd=cwd, **{**known, **variables})


def _by(login: str | None, body: str | None, number: int = 1) -> dict[str, Any]:
    return {"id": number, "body": body, "user": None if login is None else {"login": login}}


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.md"
    path.write_text(f"{MARKER}\n# Plan\n")
    return path


def test_the_first_plan_is_a_new_comment(
    projects: dict[str, Started], plan: Path, server: str
) -> None:
    _Server.comments = [_by("ci", "a person's")]

    done = _comment(projects, plan, server)

    assert done.returncode == 0, done.stderr
    path = "/repos/shop/prices/issues/7/comments"
    assert _Server.asked == [("POST", path, f"{MARKER}\n# Plan\n")]


def test_the_next_plan_takes_the_place_of_the_last_wherever_it_stands(
    projects: dict[str, Started], plan: Path, server: str
) -> None:
    others = [_by("ci", "<!-- forecast plan dev -->", number) for number in range(150)]
    _Server.comments = [*others, _by("ci", f"{MARKER}\nold", 777)]

    done = _comment(projects, plan, server)

    assert done.returncode == 0, done.stderr
    path = "/repos/shop/prices/issues/comments/777"
    assert _Server.asked == [("PATCH", path, f"{MARKER}\n# Plan\n")]


@pytest.mark.parametrize(
    ("variables", "own"), [({}, "ci"), ({"GITHUB_ACTIONS": "true"}, "github-actions[bot]")]
)
def test_a_comment_of_somebody_else_is_never_written_over(
    variables: dict[str, str], own: str, projects: dict[str, Started], plan: Path, server: str
) -> None:
    strangers = ("mallory", None, "ci" if variables else "github-actions[bot]")
    _Server.comments = [_by(login, f"{MARKER}\nforged") for login in strangers]
    _Server.comments += [_by(own, None), _by(own, f"{MARKER}\nold", 9)]

    done = _comment(projects, plan, server, **variables)

    assert done.returncode == 0, done.stderr
    ((method, path, _),) = _Server.asked
    assert (method, path) == ("PATCH", "/repos/shop/prices/issues/comments/9")


def test_a_plan_that_failed_takes_the_place_of_the_last_one(
    projects: dict[str, Started], tmp_path: Path, server: str
) -> None:
    _Server.comments = [_by("ci", f"{MARKER}\nold", 9)]

    done = _comment(projects, tmp_path / "plan.md", server)

    assert done.returncode == 0, done.stderr
    ((method, _, body),) = _Server.asked
    assert method == "PATCH"
    assert body == f"{MARKER}\n**prod: the plan failed, see the log of the pipeline**\n"


def test_a_long_plan_is_cut_to_what_github_takes(
    projects: dict[str, Started], plan: Path, server: str
) -> None:
    plan.write_text(f"{MARKER}\n" + "x" * 70_000)

    _comment(projects, plan, server)

    ((_, _, body),) = _Server.asked
    assert len(body) <= 65_536
    assert "the whole plan is in the log" in body


@pytest.mark.parametrize("missing", ["PULL_REQUEST_URL", "GITHUB_TOKEN"])
def test_without_a_repository_or_a_token_the_plan_is_printed(
    missing: str, projects: dict[str, Started], plan: Path, server: str
) -> None:
    done = _comment(projects, plan, server, **{missing: ""})

    assert done.returncode == 0, done.stderr
    assert "# Plan" in done.stdout
    assert "the plan is not commented" in done.stdout
    assert _Server.asked == []


@pytest.fixture
def checkout(tmp_path: Path) -> tuple[Path, str]:
    """A checkout of the repository on GitHub, and its commit."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for command in (
        ("init", "--quiet"),
        ("remote", "add", "origin", "git@github.com:shop/prices.git"),
        (*who, "commit", "--quiet", "--allow-empty", "--message", "a"),
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)  # noqa: S607 - whichever
    head = ["git", "rev-parse", "HEAD"]
    done = subprocess.run(head, cwd=folder, check=True, capture_output=True, text=True)
    return folder, done.stdout.strip()


def _pull(number: int, state: str, commit: str) -> dict[str, Any]:
    address = PULL.replace("/7", f"/{number}")
    return {"html_url": address, "state": state, "head": {"sha": commit}}


def test_a_pull_request_that_was_opened_after_the_push_is_found_by_its_commit(
    projects: dict[str, Started], plan: Path, server: str, checkout: tuple[Path, str]
) -> None:
    folder, commit = checkout
    older = _pull(6, "open", "0" * 40)
    _Server.pulls = [older, _pull(5, "closed", commit), _pull(7, "open", commit)]

    found = _comment(projects, plan, server, cwd=folder, PULL_REQUEST_URL="")
    _Server.pulls = [older]
    none = _comment(projects, plan, server, cwd=folder, PULL_REQUEST_URL="")

    assert found.returncode == none.returncode == 0, found.stderr + none.stderr
    asked = ("GET", f"/repos/shop/prices/commits/{commit}/pulls", "")
    written = ("POST", "/repos/shop/prices/issues/7/comments", f"{MARKER}\n# Plan\n")
    assert _Server.asked == [asked, written, asked]
    assert "no pull request of this commit is open" in none.stdout


@pytest.mark.parametrize(
    ("text", "variables", "sentence"),
    [
        ("# Plan", {}, "expected an HTML comment in the first line, got '# Plan'"),
        (MARKER, {"PULL_REQUEST_URL": "x"}, "expected the address of a pull request, got 'x'"),
        (MARKER, {"GITHUB_TOKEN": "wrong"}, "GitHub refused GET /user: 401"),
        (MARKER, {"GITHUB_API_URL": "http://127.0.0.1:9"}, "cannot reach GitHub at http://127"),
    ],
)
def test_what_goes_wrong_is_one_sentence(
    text: str,
    variables: dict[str, str],
    sentence: str,
    *,
    projects: dict[str, Started],
    plan: Path,
    server: str,
) -> None:
    plan.write_text(text)

    done = _comment(projects, plan, server, **variables)

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_role_is_taken_on_for_as_long_as_the_job_may_take(
    projects: dict[str, Started], server: str
) -> None:
    arn = "arn:aws:iam::111111111111:role/deploy"
    role = {"AWS_SOURCE_ROLE_ARN": arn, "CIRCLE_OIDC_TOKEN_V2": "token"}
    where = {"AWS_ENDPOINT_URL": server, "AWS_DEFAULT_REGION": "eu-central-1", "CIRCLE_JOB": "a b"}

    asked = ("assume_role.py", "AWS_SOURCE_ROLE_ARN", "900")
    done = _script(projects["both"], *asked, **role, **where)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "export AWS_ACCESS_KEY_ID=ASIA",
        "export AWS_SECRET_ACCESS_KEY='a b'",
        "export AWS_SESSION_TOKEN=t",
    ]
    ((_, _, body),) = _Server.asked
    sent = {key: values[0] for key, values in parse_qs(body).items()}
    assert (sent["DurationSeconds"], sent["RoleSessionName"]) == ("900", "a-b-0")
    assert sent["RoleArn"] == arn
    assert sent["WebIdentityToken"] == "token"


def test_a_job_without_a_context_is_told_so(projects: dict[str, Started]) -> None:
    done = _script(projects["both"], "assume_role.py", "AWS_ROLE_ARN", "900")

    assert done.returncode == 1
    assert done.stderr.startswith("AWS_ROLE_ARN and CIRCLE_OIDC_TOKEN_V2 not set: give the job a")
