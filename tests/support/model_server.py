"""A small server that speaks the two protocols of language models, as politely or as badly as a test wants."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Asked:
    """One question that reached the server."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def instructions(self) -> str:
        first = self.body["messages"][0]["content"]
        return first if isinstance(first, str) else self.body["system"][0]["text"]

    @property
    def data(self) -> dict[str, Any]:
        last = self.body["messages"][-1]["content"]
        return json.loads(last if isinstance(last, str) else last[0]["text"])


def chat(text: Any) -> bytes:
    """Return a chat completion with this text."""
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode()


def converse(text: str, reason: str = "end_turn") -> bytes:
    """Return an answer of Bedrock's Converse with this text."""
    message = {"role": "assistant", "content": [{"text": text}]}
    usage = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
    answer = {"output": {"message": message}, "stopReason": reason, "usage": usage, "metrics": {"latencyMs": 1}}
    return json.dumps(answer).encode()


def themes(*texts: str) -> str:
    """Return what a model writes when it does as it is told."""
    return json.dumps({"themes": list(texts)})


@dataclass
class ModelServer:
    """Answers every question as `reply` says: status and body, or an iterable of parts sent one by one."""

    url: str = ""
    reply: Callable[[Asked], tuple[int, Any]] = lambda asked: (200, chat(themes("Robots among the stars")))
    asked: list[Asked] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    # set at the end of a test, so that answers that never come do not hold it up
    over: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def running():
    """Run a server on a free port."""
    state = ModelServer()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            state.asked.append(asked)
            status, answer = state.reply(asked)
            whole = isinstance(answer, bytes)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.send_header(*(("Content-Length", str(len(answer))) if whole else ("Connection", "close")))
            self.end_headers()
            with contextlib.suppress(OSError):  # the client may have had enough
                for part in [answer] if whole else answer:
                    self.wfile.write(part)
                    self.wfile.flush()
            self.close_connection = not whole

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        state.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
