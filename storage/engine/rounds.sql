-- Lets people take turns while all places are taken. Each job has a round: of a person,
-- one after those of their other jobs, and none before those that run. The engine
-- fetches by priority, which is the round below zero, and then by age. While nobody
-- waits, rounds mean nothing, and nobody pays for finding one.

CREATE FUNCTION threadkeep_asker(number bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT concat_ws(':', platform, author)
    FROM turns
    JOIN messages ON messages.thread_id = turns.thread_id
        AND messages.turn_id = turns.id AND asks = 1
    JOIN threads ON threads.id = turns.thread_id
    WHERE turns.thread_id = $1 AND state <> 'delivered'
    ORDER BY turns.id, deleted_at IS NOT NULL, messages.at, messages.id LIMIT 1
$$;

CREATE FUNCTION threadkeep_round(who text) RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN EXISTS (
        SELECT 1 FROM procrastinate_jobs WHERE status = 'todo' AND task_name = 'drain'
    ) THEN (
        SELECT greatest(
            0,
            max(-priority) FILTER (WHERE status = 'doing'),
            max(-priority) FILTER (WHERE args ->> 'asker' = $1) + 1
        )
        FROM procrastinate_jobs
        WHERE status IN ('todo', 'doing') AND task_name = 'drain'
    ) ELSE 0 END
$$;

CREATE OR REPLACE FUNCTION threadkeep_wake(thread bigint) RETURNS void
    LANGUAGE sql AS $$
    SELECT procrastinate_defer_jobs_v1(ARRAY[
        ROW(
            threadkeep_queue(place), 'drain', -threadkeep_round(asker), place, NULL,
            jsonb_build_object('platform', platform, 'workspace', workspace,
                'channel', channel, 'thread', found.thread, 'asker', asker),
            NULL
        )::procrastinate_job_to_defer_v1
    ])
    FROM (
        SELECT platform, workspace, channel, t.thread,
            concat_ws(':', platform, workspace, channel, t.thread) AS place,
            coalesce(threadkeep_asker($1), '') AS asker
        FROM threads AS t WHERE id = $1
    ) AS found
$$;

-- At the end of the transaction, when the question of the turn is there.
DROP TRIGGER threadkeep_turn_waits ON turns;
CREATE CONSTRAINT TRIGGER threadkeep_turn_waits AFTER INSERT ON turns
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.state = 'waiting')
    EXECUTE FUNCTION threadkeep_turn_waits();

-- Cases have a queue of their own: a process whose places for threads are taken goes on
-- with them.
CREATE OR REPLACE FUNCTION threadkeep_wake_case(number bigint) RETURNS void
    LANGUAGE sql AS $$
    SELECT threadkeep_defer(
        'sort',
        'cases',
        concat_ws(':', 'cases', platform, workspace, channel),
        jsonb_build_object('case', id, 'platform', platform, 'workspace', workspace,
            'channel', channel)
    )
    FROM cases WHERE id = $1
$$;
