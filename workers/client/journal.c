/* Written by appending, read line by line. */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "clock.h"

enum { FIRST_CAPACITY = 1024 };

static const struct {
	enum journal_event event;
	const char *name;
} names[] = {
	{ JOURNAL_SENT, "sent" },
	{ JOURNAL_ACKNOWLEDGED, "acknowledged" },
	{ JOURNAL_DECIDED, "decided" },
};

bool journal_open(struct journal *journal, const char *path, struct why *why)
{
	*journal = (struct journal){ .file = -1 };
	buffer_init(&journal->pending);
	if (path == NULL)
		return true;
	journal->file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	return journal->file >= 0
		|| because(why, "journal", "the journal %s cannot be opened: %s", path, strerror(errno));
}

void journal_note(struct journal *journal, const char *id, enum journal_event event, int64_t time_us,
	const char *decision)
{
	char time[TIME_TEXT_BYTES];
	size_t i = 0;
	if (journal->file < 0)
		return;
	while (names[i].event != event)
		i++;
	time_print(time_us, time);
	buffer_print(&journal->pending, "{\"id\":\"%s\",\"%s\":\"%s\"", id, names[i].name, time);
	if (decision != NULL)
		buffer_print(&journal->pending, ",\"decision\":\"%s\"", decision);
	buffer_add_text(&journal->pending, "}\n");
}

bool journal_flush(struct journal *journal, struct why *why)
{
	const unsigned char *at = journal->pending.data;
	for (size_t left = journal->pending.length_bytes; left > 0;) {
		ssize_t count = write(journal->file, at, left);
		if (count < 0 && errno != EINTR)
			return because(why, "journal", "the journal cannot be written: %s", strerror(errno));
		at += count > 0 ? count : 0;
		left -= count > 0 ? (size_t)count : 0;
	}
	buffer_reset(&journal->pending);
	return true;
}

bool journal_close(struct journal *journal, struct why *why)
{
	bool is_good = true;
	if (journal->file >= 0) {
		is_good = journal_flush(journal, why);
		if (is_good && fsync(journal->file) != 0 && errno != EINVAL) /* a pipe or a device cannot */
			is_good = because(why, "journal", "the journal cannot be synced: %s", strerror(errno));
		close(journal->file);
		journal->file = -1;
	}
	buffer_clear(&journal->pending);
	return is_good;
}

static bool read_line(const char *line, size_t length, struct journal_record *out)
{
	json_t *object = json_loadb(line, length, 0, NULL);
	const char *id = json_string_value(json_object_get(object, "id"));
	const char *decision = json_string_value(json_object_get(object, "decision"));
	struct journal_record record = { .events = 0 };
	bool is_good = id != NULL && uuid_parse(id, record.id);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (json_object_get(object, names[i].name) != NULL)
			record.events = (unsigned char)(record.events | names[i].event);
	record.is_refused = decision != NULL && strcmp(decision, "refused") == 0;
	json_decref(object);
	if (is_good && record.events != 0)
		*out = record;
	return is_good && record.events != 0;
}

static void append(struct journal_records *records, const struct journal_record *record, size_t *capacity)
{
	if (records->count == *capacity) {
		*capacity = *capacity == 0 ? FIRST_CAPACITY : 2 * *capacity;
		struct journal_record *items = reallocarray(records->items, *capacity, sizeof(*items));
		if (items == NULL)
			abort();
		records->items = items;
	}
	records->items[records->count++] = *record;
}

static int compare_ids(const void *left, const void *right)
{
	return memcmp(((const struct journal_record *)left)->id, ((const struct journal_record *)right)->id,
		UUID_BYTES);
}

/* One record for each id, with all that was noted of it. */
static void merge(struct journal_records *records)
{
	size_t kept = 0;
	if (records->count == 0)
		return;
	qsort(records->items, records->count, sizeof(*records->items), compare_ids);
	for (size_t i = 1; i < records->count; i++) {
		struct journal_record *last = &records->items[kept], *next = &records->items[i];
		if (compare_ids(last, next) != 0) {
			records->items[++kept] = *next;
			continue;
		}
		last->events = (unsigned char)(last->events | next->events);
		last->is_refused |= next->is_refused;
	}
	records->count = kept + 1;
}

static bool read_lines(FILE *file, struct journal_records *records, struct why *why)
{
	char line[JOURNAL_LINE_MAX];
	size_t capacity = 0;
	for (size_t number = 1; fgets(line, sizeof(line), file) != NULL; number++) {
		struct journal_record record;
		size_t length = strlen(line);
		bool is_torn = length == 0 || line[length - 1] != '\n';
		if (is_torn && feof(file))
			break; /* the program was ended while it wrote */
		if (is_torn || !read_line(line, length, &record))
			return because(why, "journal", "line %zu is none of a journal", number);
		if (records->count == 3 * (size_t)JOURNAL_IDS_MAX)
			return because(why, "journal", "line %zu: more than a journal may have", number);
		append(records, &record, &capacity);
	}
	return !ferror(file) || because(why, "journal", "the journal cannot be read: %s", strerror(errno));
}

bool journal_read(const char *path, struct journal_records *out, struct why *why)
{
	struct journal_records records = { .count = 0 };
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return because(why, "journal", "the journal %s cannot be opened: %s", path, strerror(errno));
	bool is_good = read_lines(file, &records, why);
	fclose(file);
	merge(&records);
	if (is_good)
		*out = records;
	else
		journal_records_clear(&records);
	return is_good;
}

void journal_records_clear(struct journal_records *records)
{
	free(records->items);
	*records = (struct journal_records){ .count = 0 };
}
