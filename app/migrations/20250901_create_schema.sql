-- The schema, and a year of conversations so that a fresh dashboard has something to show.
CREATE TABLE messages (
    id INTEGER PRIMARY KEY, session_id TEXT NOT NULL, created_at TEXT NOT NULL DEFAULT (datetime('now'))
);
CREATE TABLE costs (
    id INTEGER PRIMARY KEY, message_id INTEGER NOT NULL REFERENCES messages (id),
    model TEXT NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
    usd REAL NOT NULL, created_at TEXT NOT NULL DEFAULT (datetime('now'))
);
CREATE TABLE concepts (name TEXT PRIMARY KEY, mentions INTEGER NOT NULL DEFAULT 1);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, text TEXT NOT NULL,
    created_at TEXT NOT NULL DEFAULT (datetime('now'))
);

WITH RECURSIVE conversation (n) AS (
    SELECT 0 UNION ALL SELECT n + 1 FROM conversation WHERE n < 799
)
INSERT INTO messages (session_id, created_at)
SELECT 'session-' || (1 + n % 3), datetime('now', '-' || (n * 5 / 4 % 366) || ' days')
FROM conversation;

INSERT INTO costs (message_id, model, input_tokens, output_tokens, usd, created_at)
SELECT id, 'words-1', 200 + id % 7 * 40, 90 + id % 5 * 30, 0.002 + id % 9 * 0.0005, created_at
FROM messages;
