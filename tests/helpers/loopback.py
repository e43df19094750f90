"""A server on 127.0.0.1 that stands in for the vendors' sites.

``Site.answers`` says what is answered to whom: a part of the address or of the body that was sent, and a
reply; the first part that occurs counts. Replies can be broken in the ways in which sites are. Nothing waits
longer than ``HOLD_SECONDS``, and everything ends with the ``with`` block.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

HOLD_SECONDS = 5.0
HTML = "<html><body>please try again later</body></html>"

How = Literal["whole", "cut", "unmarked cut", "reset", "slow"]


@dataclass(frozen=True)
class Reply:
    """What is answered: a body as JSON, text or bytes, and how it breaks.

    ``cut`` sends the first half of what it announced, ``unmarked cut`` the first half without having said how
    much there is, ``reset`` ends the connection before any answer, ``slow`` gives none while the test lasts.
    """

    body: object = ""
    status: int = 200
    how: How = "whole"

    @property
    def content(self) -> bytes:
        """Return the body in bytes."""
        if isinstance(self.body, bytes):
            return self.body
        return (
            self.body if isinstance(self.body, str) else json.dumps(self.body, ensure_ascii=False)
        ).encode()


# What may be answered in the place of anything: ways to fail of servers and networks.
TROUBLES = {
    "403": Reply(HTML, 403),
    "404": Reply(HTML, 404),
    "429": Reply(HTML, 429),
    "502": Reply(HTML, 502),
    "html": Reply(HTML),
    "nothing": Reply(""),
    "reset": Reply(how="reset"),
    "slow": Reply(how="slow"),
}


@dataclass
class Site:
    """The server; a context manager. ``seen`` lists the addresses that were asked for."""

    answers: dict[str, Reply | Callable[[str], Reply]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def __enter__(self) -> Site:
        self.over = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.site = self
        self.server.daemon_threads = True
        self.server.block_on_close = False
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def address(self) -> str:
        """Return the address under which every other one is found, without its scheme."""
        return f"http://127.0.0.1:{self.server.server_address[1]}/"

    def here(self, url: str) -> str:
        """Return where an address is answered."""
        return url if url.startswith(self.address) else self.address + url.partition("://")[2]

    def reply_to(self, asked: str) -> Reply:
        """Return what is answered to an address and what was sent with it."""
        self.seen.append(asked)
        for part, reply in self.answers.items():
            if part in asked:
                return reply if isinstance(reply, Reply) else reply(asked)
        return Reply(HTML, 404)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = HOLD_SECONDS

    def log_message(self, *_: object) -> None: ...

    def do_POST(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        site = self.server.site
        reply = site.reply_to(self.path + sent)
        if reply.how == "slow":
            site.over.wait(HOLD_SECONDS)
        if reply.how in ("slow", "reset"):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        content = reply.content
        self.send_response(reply.status)
        if reply.how == "unmarked cut":
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        half = reply.how != "whole"
        self.wfile.write(content[: len(content) // 2] if half else content)
        self.close_connection = half
