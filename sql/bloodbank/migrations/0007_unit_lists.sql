-- Lists of units, by id: of a bank, a component, a group, a status, in any combination. What a question leaves open is merged from
-- the stretches of this one index. It costs 3 % of a decision, what more indexes would cost each.
CREATE INDEX unit_listed ON unit (bank_id, component, blood_group, status, unit_id);
