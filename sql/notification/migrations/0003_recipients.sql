-- A patient is told too: by a reference, beside the facility that has it said.

ALTER TABLE notification ADD COLUMN recipient_ref text CHECK (length(recipient_ref) BETWEEN 1 AND 64);
COMMENT ON COLUMN notification.recipient_ref IS 'an opaque reference to a patient; null: whoever has the role';
