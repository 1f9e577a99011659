/**
 * The tables, as the ordered list of steps that make them. Step N brings a database from version N-1 to N; a step that
 * was ever released is never edited, only followed by another. They are plain SQL so that they can be handed to another
 * thread, and there are no steps back: before the first of them a copy of the database is made.
 */
export const MIGRATIONS: readonly string[] = [
  // 1. `WITHOUT ROWID` keeps the rows of one collection or one stream side by side in the order they are listed and read.
  //    A stream has a number, so that its two names are not repeated in every entry; `head` is the last entry's `seq`.
  //    `outcome` has one row: what the last commit's writers were told, for when the thread dies before it has told them.
  //    The application id ("Isop") tells our file from another program's.
  `
  PRAGMA application_id = 1232301936;

  CREATE TABLE documents (
    namespace TEXT NOT NULL,
    collection TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (namespace, collection, key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE streams (
    id INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    head INTEGER NOT NULL,
    UNIQUE (namespace, name)
  ) STRICT;

  CREATE TABLE entries (
    stream INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (stream, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE outcome (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sender TEXT NOT NULL,
    answers TEXT NOT NULL
  ) STRICT;

  INSERT INTO outcome VALUES (1, '', '[]');
  `,
]

/** See step 1. */
export const APPLICATION_ID = 1232301936
