"""What the media tests share: the built page, a small server for it, Janus and a room."""

from __future__ import annotations

import functools
import http.server
import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import pytest
from playwright.sync_api import Page

from reception.media_gateway import JanusGateway, JoinTicket, MediaRoom
from tests.support.browsers import Participant, participants
from tests.support.janus import RunningJanus, running_janus

PROJECT = Path(__file__).resolve().parents[2]
PAGE = (
    '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">'
    '<body><p>Room</p><script type="module" src="/page.js"></script>'
)


@pytest.fixture(scope="session", autouse=True)
def _own_network() -> None:
    if "IN_NETNS" not in os.environ:
        pytest.fail(
            "run media tests by: script/in-netns .venv/bin/pytest tests/media", pytrace=False
        )


@pytest.fixture(scope="session")
def built_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test page with the real client, bundled as the application's pages are."""
    folder = tmp_path_factory.mktemp("page")
    command: list[str | Path] = [
        PROJECT / "node_modules" / ".bin" / "esbuild", PROJECT / "tests" / "media" / "page.js",
        "--bundle", "--format=esm", "--target=chrome87,firefox78,safari14.1",
        "--log-level=warning", f"--outfile={folder / 'page.js'}",
    ]  # fmt: skip
    subprocess.run(command, check=True, cwd=PROJECT)
    (folder / "index.html").write_text(PAGE)
    return folder


@dataclass
class PageServer:
    """Serves the page; `answer_ticket` stands where the application's join route is."""

    url: str
    answer_ticket: Callable[[], JoinTicket | HTTPStatus]
    handed_out: list[JoinTicket] = field(default_factory=list)

    def close_door(self) -> None:
        """The session is over: no tickets any more."""
        self.answer_ticket = lambda: HTTPStatus.GONE


class _Handler(http.server.SimpleHTTPRequestHandler):
    server_state: PageServer

    def do_POST(self) -> None:
        answer = self.server_state.answer_ticket()
        if isinstance(answer, HTTPStatus):
            self.send_error(answer)
            return
        self.server_state.handed_out.append(answer)
        body = json.dumps(answer.as_json()).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the tests report what matters."""


@pytest.fixture
def page_server(built_page: Path) -> Iterator[PageServer]:
    state = PageServer(url="", answer_ticket=lambda: HTTPStatus.SERVICE_UNAVAILABLE)
    bound = type("Handler", (_Handler,), {"server_state": state})
    handler = functools.partial(bound, directory=str(built_page))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        state.url = f"http://127.0.0.1:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield state
        server.shutdown()
        thread.join()


@pytest.fixture
def janus(tmp_path: Path) -> Iterator[RunningJanus]:
    with running_janus(tmp_path / "media-server") as running:
        yield running


@pytest.fixture(scope="session")
def browsers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Participant]]:
    """Two people, kept for the whole run: starting a browser is the slowest part."""
    with participants(tmp_path_factory.mktemp("people"), ["red", "blue"]) as people:
        yield people


@dataclass
class Sitting:
    """A room on a running Janus, the page's server, and two people before its door."""

    janus: RunningJanus
    gateway: JanusGateway
    room: MediaRoom
    server: PageServer
    people: dict[str, Participant]

    def open_page(self, name: str, *, devices: Sequence[str] = ("camera", "microphone")) -> Page:
        page = self.people[name].start_afresh(base_url=self.server.url, devices=devices)
        page.goto("/")
        page.wait_for_selector("body[data-ready]", state="attached")
        return page

    def open_room(self) -> MediaRoom:
        """A new segment, to which every ticket leads from now on."""
        self.room = MediaRoom.new(self.janus.spool)
        self.gateway.create_room(self.room)
        self.server.answer_ticket = lambda: self.gateway.join_ticket(self.room, display_id="point")
        return self.room

    def files(self) -> dict[str, int]:
        """Size of every file that the present room has recorded so far."""
        return {path.name: path.stat().st_size for path in self.room.recordings_dir.iterdir()}


@pytest.fixture
def sitting(
    janus: RunningJanus, page_server: PageServer, browsers: dict[str, Participant]
) -> Iterator[Sitting]:
    gateway = janus.gateway
    made = Sitting(janus, gateway, MediaRoom.new(janus.spool), page_server, browsers)
    made.open_room()
    yield made
    for person in browsers.values():
        if not person.page.is_closed():
            person.page.goto("about:blank")
    gateway.close()
