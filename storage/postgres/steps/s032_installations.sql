-- As m032: installations of the app in workspaces and organisations, the workspaces of those,
-- and the states of people who are about to install it.

CREATE TABLE installations (
    platform text COLLATE "C" NOT NULL,
    organisation text COLLATE "C" NOT NULL,
    workspace text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    bot_user text COLLATE "C" NOT NULL,
    bot text COLLATE "C" NOT NULL,
    scopes text COLLATE "C" NOT NULL,
    installed_by text COLLATE "C" NOT NULL,
    installed_at double precision NOT NULL,
    token text COLLATE "C" NOT NULL,
    refresh_token text COLLATE "C" NOT NULL DEFAULT '',
    expires_at double precision,
    held_until double precision NOT NULL DEFAULT 0.0,
    ended_at double precision,
    ending text COLLATE "C" NOT NULL DEFAULT '',
    version bigint NOT NULL,
    PRIMARY KEY (platform, organisation, workspace)
);
CREATE INDEX idx_installations_version ON installations (version);

CREATE TABLE installation_changes (
    platform text COLLATE "C" PRIMARY KEY,
    last bigint NOT NULL
);

CREATE TABLE installed_workspaces (
    platform text COLLATE "C" NOT NULL,
    workspace text COLLATE "C" NOT NULL,
    organisation text COLLATE "C" NOT NULL,
    PRIMARY KEY (platform, workspace)
);

CREATE TABLE install_states (
    digest text COLLATE "C" PRIMARY KEY,
    expires_at double precision NOT NULL
);
