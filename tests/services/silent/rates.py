"""Rates of exchange by currency. It logs nothing, and has no path of health, nor anything at /."""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

RATES = {"USD": 1.08, "CHF": 0.94}


class Rates(BaseHTTPRequestHandler):
    """GET /rates?currency=CHF."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        currency = parse_qs(asked.query).get("currency", [""])[0]
        rate = RATES.get(currency) if asked.path == "/rates" else None
        body = json.dumps({"rate": rate}).encode()
        self.send_response(404 if rate is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Rates).serve_forever()
