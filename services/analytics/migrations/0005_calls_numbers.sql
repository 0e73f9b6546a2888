-- Who called which number. Of calls told before this, only their stories say it.
ALTER TABLE call
  ADD COLUMN caller text NOT NULL DEFAULT '', ADD COLUMN called text NOT NULL DEFAULT '';
