-- depends: 20250901_create_schema
-- Expands: code that does not know the new columns goes on working.
ALTER TABLE costs ADD COLUMN user_id TEXT;
ALTER TABLE costs ADD COLUMN session_id TEXT;
UPDATE costs SET
    user_id = 'unknown',
    session_id = (SELECT session_id FROM messages WHERE messages.id = costs.message_id);
