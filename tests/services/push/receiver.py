"""Takes what a Pub/Sub subscription pushes: 204 acknowledges it. Nothing else is answered."""

import base64
import binascii
import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver(BaseHTTPRequestHandler):
    """POST / with a message in its envelope.

    https://cloud.google.com/pubsub/docs/push#receive_push
    """

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            message = json.loads(content)["message"]
            text = base64.b64decode(message["data"], validate=True).decode()
        except (ValueError, KeyError, TypeError, binascii.Error):
            self._answer(400)
            return
        print(json.dumps({"severity": "INFO", "message": f"received {len(text)} characters"}))
        self._answer(204)

    def do_GET(self) -> None:
        self._answer(405)

    do_HEAD = do_PUT = do_DELETE = do_GET

    def _answer(self, status: int) -> None:
        self.send_response(status)
        if status == 405:
            self.send_header("Allow", "POST")
        if status != 204:
            self.send_header("Content-Length", "0")
        self.end_headers()

    def log_request(self, *_: object) -> None:
        """Say nothing of each request: its message says enough."""


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    port = int(os.environ.get("PORT", "8080"))
    print(json.dumps({"severity": "INFO", "message": f"receiving on port {port}"}))
    ThreadingHTTPServer(("", port), Receiver).serve_forever()
