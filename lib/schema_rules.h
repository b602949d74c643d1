/* What the reader and the writer of event bodies share: where a value stands, and the rules it must keep. */
#pragma once

#include "schema.h"

/* Where we are in a body, from the inside out. */
struct place {
	const struct place *outer; /* NULL: the body itself */
	const char *name;          /* of a member; NULL in an array */
	size_t index;              /* in an array */
};

/* Where faults go. Who reads on after a fault does so until the list is full; a list of one is full at the first. */
struct fault_list {
	struct schema_fault *items;
	size_t count, max;
};

/* Adds a fault, unless the list is full; always false. */
bool fault_at(const struct place *place, struct fault_list *faults, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Says "/units/3/din: ..." with reason "schema"; always false. */
bool fault_explain(const struct schema_fault *fault, struct why *why);

/* At most 40 characters of a text as they may be shown in a fault; control characters become '?'. */
struct shown {
	char text[48];
};
struct shown show(const char *text);

/* Bytes of one item of an array. */
size_t field_item_bytes(const struct field *field);

/* Whether the member has something to write; arrays of none count only where [] is written. */
bool field_is_present(const struct field *field, const void *in);

/* Checks one value (of an array: one item), `value` being where the struct keeps it. Objects only for NULL. */
bool rule_value(const struct field *field, const void *value, const struct place *place,
	struct fault_list *faults);

/* Checks the number of items. */
bool rule_count(const struct field *field, size_t count, const struct place *place,
	struct fault_list *faults);

/* Checks that too, and that the items differ where they must. */
bool rule_array(const struct field *field, const void *items, size_t count, const struct place *place,
	struct fault_list *faults);

/* Checks `present` (bit n: field n is there) against the schema's one_of. */
bool rule_one_of(const struct schema *schema, uint64_t present, const struct place *place,
	struct fault_list *faults);
