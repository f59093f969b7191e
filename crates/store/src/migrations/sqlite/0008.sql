-- Which control plane runs a job, until when it is believed to live (milliseconds since 1970), and what was told of the job.
ALTER TABLE jobs ADD COLUMN holder TEXT;
ALTER TABLE jobs ADD COLUMN lease INTEGER;

CREATE TABLE job_events (
    job         TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,
    time        TEXT NOT NULL,
    event       TEXT NOT NULL,
    PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;
