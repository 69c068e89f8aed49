-- What format 3 added to format 2. Never edited: it is what an earlier migd left behind.
PRAGMA user_version = 3;
BEGIN TRANSACTION;
CREATE TABLE server (id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL);
INSERT INTO "server" VALUES(1,'migd-kept');
COMMIT;
