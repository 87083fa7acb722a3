-- As m033: turns that all processes take, the shards that each of them has, and the
-- rates of writes that they share.

CREATE TABLE slots (
    name text COLLATE "C" PRIMARY KEY,
    next_at double precision NOT NULL
);

CREATE TABLE shard_ranges (
    bot text COLLATE "C" NOT NULL,
    owner text COLLATE "C" NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (bot, owner)
);

CREATE TABLE write_rates (
    scope text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    full_at double precision NOT NULL,
    closed_until double precision NOT NULL,
    refreshed_at double precision NOT NULL,
    crowd text COLLATE "C" NOT NULL,
    PRIMARY KEY (scope, kind)
);
