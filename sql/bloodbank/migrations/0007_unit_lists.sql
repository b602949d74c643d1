-- Lists of units, by id: of a bank, a component, a group, a status, in any combination. What a question leaves open is merged from
-- the stretches of this one index. It costs some 3 us of the server's time for each change of a unit; so would each further one.
CREATE INDEX unit_listed ON unit (bank_id, component, blood_group, status, unit_id);
