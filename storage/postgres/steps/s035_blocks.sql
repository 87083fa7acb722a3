-- As m035: the blocks of summaries that the API's compaction made.

ALTER TABLE summaries ADD COLUMN block text COLLATE "C";
