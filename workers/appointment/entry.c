/* Entries of the waitlist. */
#include "entry.h"

#include <string.h>

#include "clock.h"

static const char *const names[] = { "waiting", "offered", "booked", "left" };

const char *entry_status_name(enum entry_status status)
{
	return names[status];
}

enum entry_status entry_status_find(const char *name)
{
	enum entry_status status = ENTRY_WAITING;
	while (status != ENTRY_LEFT && strcmp(names[status], name) != 0)
		status++;
	return status;
}

bool moment_read(const char *text, struct moment *moment)
{
	*moment = (struct moment){ .date = text };
	if (date_is_valid(text))
		return true;
	moment->date = NULL;
	return time_parse(text, &moment->at);
}

/* -1: the slot starts before it, 1: behind it, 0: on that day or at that time. */
static int compare(const struct slot *slot, const char *text)
{
	struct moment moment;
	if (!moment_read(text, &moment))
		return 0;
	if (moment.date != NULL)
		return strcmp(slot->date, moment.date);
	return (slot->starts_at > moment.at) - (slot->starts_at < moment.at);
}

bool entry_wants(const struct entry *entry, const struct slot *slot)
{
	return (entry->from == NULL || compare(slot, entry->from) >= 0)
		&& (entry->to == NULL || compare(slot, entry->to) <= 0);
}

bool entry_precedes(const struct entry *a, const struct entry *b)
{
	if (a->priority != b->priority)
		return a->priority > b->priority;
	if (a->joined_at != b->joined_at)
		return a->joined_at < b->joined_at;
	return strcmp(a->waitlist_id, b->waitlist_id) < 0;
}

static void note_change(struct entry *entry)
{
	entry->version++;
	entry->is_changed = true;
}

void entry_offer(struct entry *entry, const char *slot_id)
{
	entry->status = ENTRY_OFFERED;
	entry->slot_id = slot_id;
	note_change(entry);
}

void entry_end_offer(struct entry *entry)
{
	entry->status = ENTRY_WAITING;
	entry->slot_id = NULL;
	note_change(entry);
}

void entry_end(struct entry *entry, enum entry_status status)
{
	entry->status = status;
	entry->slot_id = NULL;
	note_change(entry);
}
