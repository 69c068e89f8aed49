-- What format 2 added to format 1. Never edited: it is what an earlier migd left behind.
PRAGMA user_version = 2;
BEGIN TRANSACTION;
CREATE TABLE consumers (
            tenant_id TEXT NOT NULL,
            topic TEXT NOT NULL,
            consumer_id TEXT NOT NULL,
            position INTEGER NOT NULL,
            seen_at INTEGER NOT NULL,
            PRIMARY KEY (tenant_id, topic, consumer_id)
        ) WITHOUT ROWID;
INSERT INTO "consumers" VALUES('acme','a.b','billing',1,1767225600000000);
COMMIT;
