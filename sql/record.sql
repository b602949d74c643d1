-- Enters one migration into the ledger, in the migration's own transaction.
RESET search_path;
INSERT INTO schema_migration (set, number, name, checksum) VALUES (:'set', :number, :'name', :'checksum');
