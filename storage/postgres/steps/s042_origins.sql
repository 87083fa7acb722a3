-- As m042: what tells other processes on its machine that one has ended.

ALTER TABLE processes ADD COLUMN origin text COLLATE "C" NOT NULL DEFAULT '';
