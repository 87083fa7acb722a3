-- A mark that is there already is held by whoever changes the text, until that is visible:
-- who carries words over would read the old text, and delete the mark. What came last is
-- then never found.

CREATE OR REPLACE FUNCTION search_message_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_removed (platform, workspace, channel, block, text)
    SELECT platform, workspace, channel, OLD.id >> 8, OLD.text
    FROM threads WHERE id = OLD.thread_id AND OLD.text <> '';
    INSERT INTO search_added VALUES (NEW.id)
    ON CONFLICT (message_id) DO UPDATE SET message_id = EXCLUDED.message_id;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION search_answer_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_removed (platform, workspace, channel, block, text)
    SELECT platform, workspace, channel, messages.id >> 8, OLD.text
    FROM messages JOIN threads ON threads.id = thread_id
    WHERE thread_id = OLD.thread_id AND turn_id = OLD.id AND role = 'assistant';
    INSERT INTO search_added
    SELECT id FROM messages
    WHERE thread_id = OLD.thread_id AND turn_id = OLD.id AND role = 'assistant'
    ON CONFLICT (message_id) DO UPDATE SET message_id = EXCLUDED.message_id;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION search_thread_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_removed (platform, workspace, channel, block, text)
    SELECT OLD.platform, OLD.workspace, OLD.channel, number >> 8, said
    FROM (
        SELECT messages.id AS number,
            CASE WHEN role = 'assistant' THEN turns.text ELSE messages.text END AS said
        FROM messages LEFT JOIN turns ON turns.id = turn_id
        WHERE messages.thread_id = OLD.id
    ) AS moved
    WHERE said <> '';
    INSERT INTO search_added
    SELECT id FROM messages
    WHERE thread_id = OLD.id AND coalesce(message, '') NOT LIKE '+:%'
    ON CONFLICT (message_id) DO UPDATE SET message_id = EXCLUDED.message_id;
    RETURN NULL;
END $$;
