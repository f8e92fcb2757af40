"""An example of every table and of every place that a sentence has."""

from collections.abc import Mapping, Sequence

PLACES: Mapping[str, str] = {
    'WebSocket "{path}"': 'WebSocket "/ws"',
    'document "{path}"': 'document "/openapi.json"',
    '"{path}"': '"/metrics"',
    "{message}": "hello",
    "{welcome}": "a user",
    "{stranger}": "nobody",
    "{who}": "a user",
    "{fewest:d}": "3",
    "{stage}": "canary",
    "{reason}": "candidate requests failed",
}

OF_A_TABLE: Mapping[str, Sequence[Sequence[str]]] = {
    "preflight checks": [
        ["what", "where"],
        ["the container engine is recent enough", "everywhere"],
        ["one revision serves every user", "cloud"],
    ],
    "lines": [["line"], ["Application startup complete"]],
    "patterns": [["pattern"], ["deprecated: .* will be removed"]],
    "endpoints": [
        ["request", "as", "sends", "status", "headers", "body", "requests", "p95 at most"],
        ["GET /health", "", "", "", "content-type ~ json", "status = ok", "20", "100 ms"],
        ["POST /orders", "nobody", 'item = "a"', "401 or 403", "", "", "", ""],
    ],
    "requests in turn": [
        ["request", "sends", "status", "answers", "keeps", "within"],
        ["POST /orders", "item = {unique}", "201", "id is a string", "id as order", "2 s"],
        ["GET /orders/{order}", "", "", "item = {unique}", "", "500 ms"],
    ],
    "families": [["family", "type", "labels"], ["http_requests", "counter", "method, status"]],
    "counters": [["counter", "by at least"], ['http_requests_total{status="200"}', "1"]],
    "objectives": [
        ["measure", "at least", "at most"],
        ["process_resident_memory_bytes", "", "450 MiB"],
    ],
    "canary objectives": [
        ["measure", "at most"],
        ["error rate", "5 %"],
        ["p95 latency", "800 ms"],
    ],
    "pages": [
        ["page", "shows", "title", "as"],
        ["/", 'heading "Shop"; link "Basket"', "Shop", "nobody"],
    ],
    "operations": [["operation"], ["GET /stream"]],
}
