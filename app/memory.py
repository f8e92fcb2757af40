"""What the service remembers of the texts that it was given."""

import hashlib
import hmac
import re
from typing import Any

from pydantic import SecretStr

from app.database import Database
from app.metrics import Metrics

CACHED = 100
CONCEPT = re.compile(r"[a-z]{5,}")
PREFERENCE = re.compile(r"\bi (love|like|hate) ([a-z]+)")
VERBS = {"love": ("like", 0.95), "like": ("like", 0.7), "hate": ("dislike", 0.95)}
USD_PER_WORD = 3e-6

MENTION = """INSERT INTO concepts (name) VALUES (?)
    ON CONFLICT (name) DO UPDATE SET mentions = mentions + 1 RETURNING mentions > 1"""
CHARGE = """INSERT INTO costs
    (message_id, user_id, session_id, model, input_tokens, output_tokens, usd)
    VALUES (?, 'api', ?, 'words-1', ?, ?, ?)"""


def preferences(text: str) -> list[dict[str, Any]]:
    """What the author says to like or dislike, with a confidence from 0 to 1."""
    found = ((*VERBS[verb], subject) for verb, subject in PREFERENCE.findall(text.lower()))
    return [{"kind": kind, "subject": name, "confidence": sure} for kind, sure, name in found]


class Memory:
    """Concepts met so far, in the database; the last CACHED texts by fingerprint, here."""

    def __init__(self, database: Database, metrics: Metrics, key: SecretStr) -> None:
        self._database = database
        self._metrics = metrics
        self._key = key.get_secret_value().encode()
        self._recent: dict[str, None] = {}

    def fingerprint(self, text: str) -> str:
        """Tells equal texts apart from others, and nothing about them to who lacks the key."""
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()[:16]

    def knows(self, fingerprint: str) -> bool:
        hit = fingerprint in self._recent
        (self._metrics.cache_hits if hit else self._metrics.cache_misses).inc()
        return hit

    def keep(self, fingerprint: str) -> None:
        self._recent[fingerprint] = None
        for oldest in list(self._recent)[:-CACHED]:
            del self._recent[oldest]
        self._metrics.cache_size.set(len(self._recent))

    def analyze(self, text: str, session: str) -> dict[str, Any]:
        """Blocking: find concepts and preferences, remember the concepts, charge the session."""
        with self._metrics.analysis_seconds.time():
            concepts = list(dict.fromkeys(CONCEPT.findall(text.lower())))
            recalled = self._remember(concepts, len(text.split()), session)
        found = {"concepts": concepts, "recalled": recalled, "preferences": preferences(text)}
        self._count(**found)
        return found

    def _remember(self, concepts: list[str], words: int, session: str) -> list[str]:
        usd = (words + len(concepts)) * USD_PER_WORD
        with self._database.transaction() as connection:
            known = [
                name for name in concepts if connection.execute(MENTION, (name,)).fetchone()[0]
            ]
            message = connection.execute("INSERT INTO messages (session_id) VALUES (?)", (session,))
            connection.execute(CHARGE, (message.lastrowid, session, words, len(concepts), usd))
        return known

    def _count(self, concepts: list[str], recalled: list[str], preferences: list[Any]) -> None:
        self._metrics.recalls.inc(len(recalled))
        self._metrics.similarity.observe(len(recalled) / max(len(concepts), 1))
        for preference in preferences:
            self._metrics.preferences.labels(preference["kind"]).inc()
            self._metrics.confidence.observe(preference["confidence"])

    def clear(self) -> dict[str, int]:
        """Forget all concepts and documents; answers how many there were."""
        with self._database.transaction() as connection:
            concepts = connection.execute("DELETE FROM concepts").rowcount
            documents = connection.execute("DELETE FROM documents").rowcount
        self._recent.clear()
        self._metrics.cache_size.set(0)
        return {"concepts": concepts, "documents": documents}
