"""A model server that follows the container contract; it goes into test archives as text.

The request body decides: "bad" is a 400, "broken" a 500, "die" ends the process, "slow" waits.
"""

import argparse
import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--model-dir", type=Path, required=True)
parser.add_argument("--port", type=int, required=True)
options = parser.parse_args()
VERSION = (options.model_dir / "version").read_text(encoding="utf-8")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.reply(200, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"die":
            os._exit(3)
        if body == b"slow":
            time.sleep(3)
        status = {b"bad": 400, b"broken": 500}.get(body, 200)
        answer = {
            "version": VERSION,
            "got": body.decode("latin-1"),
            "content_type": self.headers.get("Content-Type"),
            "accept": self.headers.get("Accept"),
            "greeting": os.environ.get("GREETING"),
            "credentials": [key for key in os.environ if key.startswith("AWS_")],
            "folder": str(Path.cwd()),
        }
        self.reply(status, json.dumps(answer).encode())


ThreadingHTTPServer(("127.0.0.1", options.port), Handler).serve_forever()
