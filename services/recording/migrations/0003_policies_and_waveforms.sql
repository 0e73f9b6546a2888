-- What tenants decided about their recordings, and what was drawn of them.

CREATE TABLE policy (
  tenant_id text PRIMARY KEY,
  record text NOT NULL,
  agents_may_listen boolean NOT NULL,
  agents_may_pause boolean NOT NULL);
SELECT chassis.protect('recording.policy');

-- One byte a column, of recordings that change no more; drawn again when it is gone.
CREATE TABLE waveform (
  tenant_id text NOT NULL,
  recording_id text COLLATE "C" NOT NULL,
  duration_ms bigint NOT NULL,
  caller bytea NOT NULL,
  others bytea NOT NULL,
  PRIMARY KEY (tenant_id, recording_id));
SELECT chassis.protect('recording.waveform');
