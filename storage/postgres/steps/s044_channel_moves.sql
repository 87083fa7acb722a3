-- As m044: the old ids of channels that got another one.

CREATE TABLE channel_moves (
    platform text COLLATE "C" NOT NULL,
    channel text COLLATE "C" NOT NULL,
    current text COLLATE "C" NOT NULL,
    at double precision NOT NULL,
    PRIMARY KEY (platform, channel)
);

CREATE INDEX idx_channel_moves_at ON channel_moves (at);
