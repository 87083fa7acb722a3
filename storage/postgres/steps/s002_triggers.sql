-- The triggers of m016, m019, m020, m023 and m030: the content of files, the index of
-- words and the counts of what was read follow every statement on their tables.
--
-- What deletes rows that refer to a deleted one runs BEFORE: PostgreSQL checks foreign
-- keys ahead of other triggers that run AFTER.

CREATE FUNCTION files_of_deleted_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM message_files WHERE message_id = OLD.id;
    RETURN OLD;
END $$;

CREATE TRIGGER files_of_deleted_row BEFORE DELETE ON messages
    FOR EACH ROW EXECUTE FUNCTION files_of_deleted_message();

CREATE TRIGGER files_of_deleted_message AFTER UPDATE OF deleted_at ON messages
    FOR EACH ROW WHEN (NEW.deleted_at IS NOT NULL)
    EXECUTE FUNCTION files_of_deleted_message();

CREATE FUNCTION files_of_edited_message() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kept text[];
BEGIN
    BEGIN
        SELECT coalesce(array_agg(
            coalesce(nullif(each ->> 'id', ''), each ->> 'name')
        ), '{}') INTO kept
        FROM jsonb_array_elements(NEW.files::jsonb) AS each
        WHERE jsonb_typeof(each) = 'object';
    EXCEPTION WHEN data_exception THEN
        -- A name with an escape that no text of PostgreSQL can hold: all are read again.
        kept := '{}';
    END;
    DELETE FROM message_files WHERE message_id = OLD.id AND file <> ALL (kept);
    RETURN NULL;
END $$;

CREATE TRIGGER files_of_edited_message AFTER UPDATE OF files ON messages
    FOR EACH ROW WHEN (NEW.files <> OLD.files)
    EXECUTE FUNCTION files_of_edited_message();

CREATE FUNCTION delete_unlinked_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Two transactions that delete the last two links would each see the other's. Each
    -- waits here for the other, and then sees that it is the last; who adds a link waits,
    -- too, since a foreign key shares this lock.
    PERFORM 1 FROM file_contents WHERE digest IN (OLD.digest, OLD.posted)
    ORDER BY digest FOR UPDATE;
    DELETE FROM file_contents WHERE digest IN (OLD.digest, OLD.posted)
      AND NOT EXISTS (
        SELECT 1 FROM message_files WHERE message_files.digest = file_contents.digest
      ) AND NOT EXISTS (
        SELECT 1 FROM message_files WHERE posted = file_contents.digest
      );
    RETURN NULL;
END $$;

CREATE TRIGGER delete_unlinked_content AFTER DELETE ON message_files
    FOR EACH ROW WHEN (OLD.digest IS NOT NULL)
    EXECUTE FUNCTION delete_unlinked_content();

CREATE FUNCTION posts_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM posted_files WHERE post_id = OLD.id;
    RETURN OLD;
END $$;

CREATE TRIGGER posts_deleted BEFORE DELETE ON posts
    FOR EACH ROW EXECUTE FUNCTION posts_deleted();

CREATE FUNCTION read_counts_of_changed_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM read_counts
    WHERE thread_id IN (OLD.thread_id, NEW.thread_id) AND turn_id >= least(
        coalesce(OLD.turn_id, NEW.turn_id), coalesce(NEW.turn_id, OLD.turn_id)
    );
    RETURN NULL;
END $$;

CREATE TRIGGER read_counts_of_changed_message
    AFTER UPDATE OF deleted_at, turn_id, place, thread_id ON messages
    FOR EACH ROW EXECUTE FUNCTION read_counts_of_changed_message();

CREATE FUNCTION read_counts_of_deleted_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM read_counts WHERE thread_id = OLD.thread_id;
    RETURN NULL;
END $$;

CREATE TRIGGER read_counts_of_deleted_message AFTER DELETE ON messages
    FOR EACH ROW EXECUTE FUNCTION read_counts_of_deleted_message();

-- The index of words: what came is noted in search_added, what went in search_removed.

CREATE FUNCTION search_message_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_added VALUES (NEW.id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE TRIGGER search_message_added AFTER INSERT ON messages
    FOR EACH ROW WHEN (coalesce(NEW.message, '') NOT LIKE '+:%')
    EXECUTE FUNCTION search_message_added();

CREATE FUNCTION search_message_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_removed (platform, workspace, channel, block, text)
    SELECT platform, workspace, channel, OLD.id >> 8, OLD.text
    FROM threads WHERE id = OLD.thread_id AND OLD.text <> '';
    INSERT INTO search_added VALUES (NEW.id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE TRIGGER search_message_changed AFTER UPDATE OF text ON messages
    FOR EACH ROW
    WHEN (OLD.text <> NEW.text AND coalesce(NEW.message, '') NOT LIKE '+:%')
    EXECUTE FUNCTION search_message_changed();

CREATE FUNCTION search_message_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_removed (platform, workspace, channel, block, text)
    SELECT platform, workspace, channel, OLD.id >> 8, said
    FROM threads, (SELECT CASE WHEN OLD.role = 'assistant'
        THEN (SELECT text FROM turns WHERE turns.id = OLD.turn_id) ELSE OLD.text
    END AS said) AS removed
    WHERE id = OLD.thread_id AND said <> '';
    IF TG_OP = 'DELETE' THEN
        DELETE FROM search_added WHERE message_id = OLD.id;
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER search_message_hidden AFTER UPDATE OF deleted_at ON messages
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
    EXECUTE FUNCTION search_message_removed();

CREATE TRIGGER search_message_removed BEFORE DELETE ON messages
    FOR EACH ROW EXECUTE FUNCTION search_message_removed();

CREATE FUNCTION search_answer_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_removed (platform, workspace, channel, block, text)
    SELECT platform, workspace, channel, messages.id >> 8, OLD.text
    FROM messages JOIN threads ON threads.id = thread_id
    WHERE thread_id = OLD.thread_id AND turn_id = OLD.id AND role = 'assistant';
    INSERT INTO search_added
    SELECT id FROM messages
    WHERE thread_id = OLD.thread_id AND turn_id = OLD.id AND role = 'assistant'
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE TRIGGER search_answer_changed AFTER UPDATE OF text ON turns
    FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL AND OLD.text <> NEW.text)
    EXECUTE FUNCTION search_answer_changed();

CREATE FUNCTION search_thread_moved() RETURNS trigger LANGUAGE plpgsql AS $$
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
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE TRIGGER search_thread_moved
    AFTER UPDATE OF platform, workspace, channel ON threads
    FOR EACH ROW EXECUTE FUNCTION search_thread_moved();
