-- Of questions that one person asks at once, in several threads, each has a round of its
-- own: the next one is counted once the one before is there for all to see.

CREATE OR REPLACE FUNCTION threadkeep_turn_waits() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    -- Who answers in a thread has raised its epoch.
    IF NOT EXISTS (
        SELECT 1 FROM threads
        WHERE id = NEW.thread_id AND epoch = 0
          AND owner IN (SELECT id FROM processes)
    ) THEN
        PERFORM pg_advisory_xact_lock(
            hashtextextended('round ' || threadkeep_asker(NEW.thread_id), 0)
        );
        PERFORM threadkeep_wake(NEW.thread_id);
    END IF;
    RETURN NULL;
END $$;
