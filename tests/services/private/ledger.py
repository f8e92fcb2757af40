"""A ledger for other services: the platform lets in only whom IAM lets."""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BALANCES = {"assets": 700, "debts": 300}


class Ledger(BaseHTTPRequestHandler):
    """GET /balances, and GET /status for whoever wants to know that it is there."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        found = {"/balances": BALANCES, "/status": {"status": "open"}}.get(self.path)
        body = json.dumps(found or {"detail": "no such page"}).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    port = int(os.environ.get("PORT", "8080"))
    print(f"INFO ledger open on port {port}")
    ThreadingHTTPServer(("", port), Ledger).serve_forever()
