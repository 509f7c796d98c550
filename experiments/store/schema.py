"""The name and the tables of a results file (:mod:`experiments.store.database`)."""

from pathlib import Path

RESULTS = "results.db"
"""Default name of a results file."""

APPLICATION_ID = 0x53454D43  # "SEMC", in the header of the file
SCHEMA_VERSION = 2
SCHEMA = """
CREATE TABLE suites (
    id TEXT PRIMARY KEY,      -- SHA-256 of the content
    content TEXT NOT NULL,    -- JSON, every default filled in
    name TEXT NOT NULL,       -- as the latest run calls it
    seal INTEGER NOT NULL     -- as below, in all tables whose id says less
) STRICT;
CREATE TABLE runs (
    id TEXT PRIMARY KEY,      -- random
    started TEXT NOT NULL,    -- UTC
    suite TEXT NOT NULL,
    image_set TEXT NOT NULL,  -- what it was over
    versions TEXT NOT NULL,   -- JSON
    git TEXT,                 -- commit of semcom, with + where files were changed; or null
    machine TEXT NOT NULL,    -- JSON
    seal INTEGER NOT NULL
) STRICT;
CREATE TABLE image_sets (
    id TEXT NOT NULL,         -- SHA-256 of its images and masks, see image_set_id
    image TEXT NOT NULL,
    mask TEXT NOT NULL,       -- SHA-256 of the mask's file, empty where the suite takes none
    name TEXT NOT NULL,       -- of the image, as the latest run over the set has it
    seal INTEGER NOT NULL,
    PRIMARY KEY (id, image, mask)
) STRICT;
CREATE TABLE images (         -- where they were when they were last seen
    id TEXT NOT NULL,         -- SHA-256 of the file
    mask TEXT NOT NULL,       -- as in image_sets
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    mask_path TEXT,           -- of the mask beside it, or null
    seal INTEGER NOT NULL,
    PRIMARY KEY (id, mask)
) STRICT;
CREATE TABLE settings (
    id TEXT PRIMARY KEY,      -- SHA-256 of what differs from the defaults
    setting TEXT NOT NULL     -- JSON: that
) STRICT;
CREATE TABLE members (        -- which settings a suite has, and of which systems
    suite TEXT NOT NULL,
    place INTEGER NOT NULL,
    setting TEXT NOT NULL,
    system TEXT NOT NULL,     -- as the suite calls it, empty where it names none
    varies TEXT NOT NULL,     -- JSON: the axes that vary within the system, with their values
    seal INTEGER NOT NULL,
    PRIMARY KEY (suite, setting)
) STRICT;
CREATE TABLE rows (
    task TEXT NOT NULL,       -- SHA-256 of setting, image and mask
    first INTEGER NOT NULL,   -- the first draw
    draws INTEGER NOT NULL,
    image TEXT NOT NULL,
    mask TEXT NOT NULL,       -- SHA-256 of the mask's file, or empty
    setting TEXT NOT NULL,
    seed INTEGER NOT NULL,
    lost INTEGER NOT NULL,    -- draws of which nothing could be shown
    sums TEXT NOT NULL,       -- JSON: score to [draws with a value, sum, sum of squares]
    record TEXT NOT NULL,     -- JSON: what was sent
    outcomes TEXT NOT NULL,   -- JSON: what was shown, how often, and its scores
    seconds REAL NOT NULL,
    run TEXT NOT NULL,
    seal INTEGER NOT NULL,    -- CRC-32 of the above, see seal_of
    PRIMARY KEY (task, first)
) STRICT;
CREATE INDEX rows_by_setting ON rows (setting);
CREATE TABLE failures (
    task TEXT NOT NULL,
    first INTEGER NOT NULL,
    draws INTEGER NOT NULL,
    image TEXT NOT NULL,
    mask TEXT NOT NULL,
    setting TEXT NOT NULL,
    error TEXT NOT NULL,
    trace TEXT NOT NULL,
    run TEXT NOT NULL,
    seal INTEGER NOT NULL,
    PRIMARY KEY (task, first, run)
) STRICT;
CREATE VIEW open_failures AS  -- those that no later try has made good
    SELECT * FROM failures f WHERE NOT EXISTS (SELECT 1 FROM rows r
        WHERE r.task = f.task AND r.first <= f.first AND f.first < r.first + r.draws);
CREATE TABLE intervals (      -- of the mean over the draws of a setting, 95 %
    suite TEXT NOT NULL,
    image_set TEXT NOT NULL,
    setting TEXT NOT NULL,
    score TEXT NOT NULL,
    images INTEGER NOT NULL,  -- that have a mean
    draws INTEGER NOT NULL,   -- per image
    mean REAL,
    low REAL,
    high REAL,
    done TEXT NOT NULL,       -- why sampling ended; empty: it has not
    seal INTEGER NOT NULL,
    PRIMARY KEY (suite, image_set, setting, score)
) STRICT;
CREATE TABLE pictures (
    task TEXT NOT NULL,
    kind TEXT NOT NULL,       -- original, seen (if disturbed), received (first draw), region
    data BLOB NOT NULL,       -- lossless WebP
    seal INTEGER NOT NULL,
    PRIMARY KEY (task, kind)
) STRICT;
"""


def results_file(results: Path) -> Path:
    """Return the results file in a folder, or the file itself."""
    return results / RESULTS if results.is_dir() else results
