-- What wakes processes: a turn or case that waits becomes a job in the transaction that
-- stores it, and a request to stop a turn is announced in the one that stores that.

CREATE FUNCTION threadkeep_queue(place text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT 'threads-' || mod(hashtext(place)::bigint + 2147483648, 16)
$$;

CREATE FUNCTION threadkeep_defer(task text, queue text, place text, args jsonb)
    RETURNS void LANGUAGE sql AS $$
    SELECT procrastinate_defer_jobs_v1(ARRAY[
        ROW(queue, task, 0, place, NULL, args, NULL)::procrastinate_job_to_defer_v1
    ])
$$;

-- The name of a thread in jobs. Ids of platforms have no colon at their ends, and two
-- threads with one name would only wait for each other.
CREATE FUNCTION threadkeep_wake(thread bigint) RETURNS void LANGUAGE sql AS $$
    SELECT threadkeep_defer(
        'drain',
        threadkeep_queue(concat_ws(':', platform, workspace, channel, t.thread)),
        concat_ws(':', platform, workspace, channel, t.thread),
        jsonb_build_object('platform', platform, 'workspace', workspace,
            'channel', channel, 'thread', t.thread)
    )
    FROM threads AS t WHERE id = $1
$$;

CREATE FUNCTION threadkeep_turn_waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM threadkeep_wake(NEW.thread_id);
    RETURN NULL;
END $$;

CREATE TRIGGER threadkeep_turn_waits AFTER INSERT ON turns
    FOR EACH ROW WHEN (NEW.state = 'waiting')
    EXECUTE FUNCTION threadkeep_turn_waits();

-- One that a process gives back.
CREATE TRIGGER threadkeep_turn_waits_again AFTER UPDATE OF state ON turns
    FOR EACH ROW WHEN (NEW.state = 'waiting' AND OLD.state <> 'waiting')
    EXECUTE FUNCTION threadkeep_turn_waits();

CREATE FUNCTION threadkeep_turn_stops() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('threadkeep_stops', NEW.stopping || ' ' || NEW.key);
    RETURN NULL;
END $$;

CREATE TRIGGER threadkeep_turn_stops AFTER UPDATE OF stopping ON turns
    FOR EACH ROW WHEN (NEW.stopping <> '')
    EXECUTE FUNCTION threadkeep_turn_stops();

CREATE FUNCTION threadkeep_wake_case(number bigint) RETURNS void LANGUAGE sql AS $$
    SELECT threadkeep_defer(
        'sort',
        threadkeep_queue(concat_ws(':', platform, workspace, channel)),
        concat_ws(':', 'cases', platform, workspace, channel),
        jsonb_build_object('case', id, 'platform', platform, 'workspace', workspace,
            'channel', channel)
    )
    FROM cases WHERE id = $1
$$;

CREATE FUNCTION threadkeep_case_waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM threadkeep_wake_case(NEW.id);
    RETURN NULL;
END $$;

CREATE TRIGGER threadkeep_case_waits AFTER INSERT ON cases
    FOR EACH ROW WHEN (NEW.auto = 1 AND NEW.shown = 0)
    EXECUTE FUNCTION threadkeep_case_waits();
