-- What format 5 added to format 4. Never edited: it is what an earlier migd left behind.
PRAGMA user_version = 5;
BEGIN TRANSACTION;
ALTER TABLE events ADD COLUMN log TEXT;
ALTER TABLE events ADD COLUMN previous INTEGER;
UPDATE events SET previous = sequence - 1;
ALTER TABLE topics ADD COLUMN own INTEGER NOT NULL DEFAULT 0;
ALTER TABLE topics ADD COLUMN mirrored INTEGER NOT NULL DEFAULT 0;
UPDATE topics SET own = head, mirrored = 1;
CREATE TABLE mirror (id INTEGER PRIMARY KEY, log TEXT NOT NULL, begun INTEGER NOT NULL);
INSERT INTO "mirror" VALUES(1,'this-log',1);
CREATE TABLE sources (
            log TEXT PRIMARY KEY,
            joined INTEGER NOT NULL,
            heard_at INTEGER NOT NULL
        );
INSERT INTO "sources" VALUES('that-log',1,1767225600000000);
CREATE TABLE taken (
            log TEXT NOT NULL,
            tenant_id TEXT NOT NULL,
            topic TEXT NOT NULL,
            sequence INTEGER NOT NULL,
            PRIMARY KEY (log, tenant_id, topic)
        );
INSERT INTO "taken" VALUES('that-log','acme','c.d',7);
COMMIT;
