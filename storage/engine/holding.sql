-- Wakes nobody for a thread that the process which stored it still holds: it makes the
-- place of the answers first. Giving the thread wakes others. If the process ends before,
-- the thread is nobody's and without a job, and such threads are looked for.

CREATE OR REPLACE FUNCTION threadkeep_turn_waits() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    -- Who answers in a thread has raised its epoch.
    IF NOT EXISTS (
        SELECT 1 FROM threads
        WHERE id = NEW.thread_id AND epoch = 0
          AND owner IN (SELECT id FROM processes)
    ) THEN
        PERFORM threadkeep_wake(NEW.thread_id);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION threadkeep_thread_given() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM threadkeep_wake(NEW.id);
    RETURN NULL;
END $$;

CREATE TRIGGER threadkeep_thread_given AFTER UPDATE OF owner ON threads
    FOR EACH ROW WHEN (NEW.epoch = 0 AND OLD.owner <> '' AND NEW.owner = '')
    EXECUTE FUNCTION threadkeep_thread_given();
