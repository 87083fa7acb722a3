-- As m031: the processes that run, and which of them owns a thread or a charge.

CREATE TABLE processes (
    id text COLLATE "C" PRIMARY KEY,
    role text COLLATE "C" NOT NULL,
    started_at double precision NOT NULL,
    seen_at double precision NOT NULL
);

ALTER TABLE threads ADD COLUMN owner text COLLATE "C" NOT NULL DEFAULT '';

ALTER TABLE charges ADD COLUMN owner text COLLATE "C" NOT NULL DEFAULT '';
