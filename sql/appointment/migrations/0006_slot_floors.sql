-- Hours may be withdrawn and published again. The slot that comes back is another one: its versions go on behind those that were told of
-- the earlier one, since an event is known by its slot and version.

ALTER TABLE day ADD COLUMN slot_floor bigint NOT NULL DEFAULT 0 CHECK (slot_floor >= 0);
COMMENT ON COLUMN day.slot_floor IS 'the highest version of a slot of this day that is gone; 0: none was ever changed';
