-- As m031: the processes that run, which of them owns a thread or a charge, and turns that
-- are asked to stop.

CREATE TABLE processes (
    id text COLLATE "C" PRIMARY KEY,
    role text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL DEFAULT '',
    worker bigint NOT NULL DEFAULT 0,
    started_at double precision NOT NULL,
    seen_at double precision NOT NULL
);

ALTER TABLE threads ADD COLUMN owner text COLLATE "C" NOT NULL DEFAULT '';

ALTER TABLE charges ADD COLUMN owner text COLLATE "C" NOT NULL DEFAULT '';

ALTER TABLE turns ADD COLUMN stopping text COLLATE "C" NOT NULL DEFAULT '';
