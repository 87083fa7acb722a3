-- As m041: outages that are to be caught up with.

CREATE TABLE outages (
    name text COLLATE "C" PRIMARY KEY,
    since double precision NOT NULL,
    times bigint NOT NULL,
    owner text COLLATE "C" NOT NULL
);
