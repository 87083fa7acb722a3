-- As m033: turns that all processes take, and the shards that each of them has.

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
