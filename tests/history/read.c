/* A history's lines. */
#include "history.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"

enum { WORDS_MAX = 7, READ_WORDS = 6, CAPACITY_FIRST = 1024 };

struct words {
	const char *texts[WORDS_MAX];
	size_t count;
};

static const char *const kinds[] = { "read", "book", "cancel", NULL };
static const char *const outcomes[] = { "ok", "refused", "unknown", NULL };

void history_init(struct history *history)
{
	*history = (struct history){ .slots = names_new(), .holders = names_new() };
	names_number(history->holders, "free", 4);
	names_number(history->holders, "taken", 5);
}

void history_clear(struct history *history)
{
	names_free(history->slots);
	names_free(history->holders);
	free(history->operations);
	check_free(history->check);
	*history = (struct history){ .operations = NULL };
}

uint32_t history_slot(struct history *history, const char *name, size_t length)
{
	return names_number(history->slots, name, length);
}

uint32_t history_holder(struct history *history, const char *name, size_t length)
{
	return names_number(history->holders, name, length);
}

const char *history_slot_name(const struct history *history, uint32_t slot)
{
	return names_text(history->slots, slot);
}

const char *history_holder_name(const struct history *history, uint32_t holder)
{
	return names_text(history->holders, holder);
}

size_t history_slots(const struct history *history)
{
	return names_count(history->slots);
}

bool history_add(struct history *history, const struct operation *operation, struct why *why)
{
	if (operation->end_ns < operation->begin_ns)
		return because(why, "history", "it ends at %" PRId64 ", before it begins", operation->end_ns);
	if (history->count == HISTORY_OPERATIONS_MAX)
		return because(why, "history", "more than %d operations", HISTORY_OPERATIONS_MAX);
	if (history->count == history->capacity) {
		history->capacity = history->capacity == 0 ? CAPACITY_FIRST : history->capacity * 2;
		history->operations =
			reallocarray(history->operations, history->capacity, sizeof(*history->operations));
		if (history->operations == NULL)
			abort();
	}
	struct operation *added = &history->operations[history->count++];
	*added = *operation;
	if (added->line == 0)
		added->line = (uint32_t)history->count;
	history->reads += operation->kind == OPERATION_READ;
	return true;
}

static bool split(char *line, struct words *words)
{
	words->count = 0;
	for (char *at = line; at != NULL;) {
		char *space = strchr(at, ' ');
		if (words->count == WORDS_MAX || *at == '\0' || space == at)
			return false;
		words->texts[words->count++] = at;
		if (space != NULL)
			*space++ = '\0';
		at = space;
	}
	return words->count >= READ_WORDS;
}

static bool find_word(const char *const words[], const char *word, unsigned *found)
{
	for (unsigned i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], word) == 0) {
			*found = i;
			return true;
		}
	return false;
}

static bool read_time(const char *text, int64_t *time_ns)
{
	char *end;
	errno = 0;
	*time_ns = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0' && *text >= '0' && *text <= '9';
}

static bool read_outcome(const struct words *words, struct operation *operation, struct why *why)
{
	unsigned outcome = OPERATION_OK;
	if (operation->kind == OPERATION_READ
			? words->count != READ_WORDS
			: words->count != WORDS_MAX || !find_word(outcomes, words->texts[READ_WORDS], &outcome))
		return because(why, "history", "a read has 6 words; book and cancel a 7th: ok, refused or unknown");
	operation->outcome = (enum operation_outcome)outcome;
	operation->end_ns = INT64_MAX;
	if (operation->outcome != OPERATION_UNKNOWN && !read_time(words->texts[4], &operation->end_ns))
		return because(why, "history", "'%s' is no end in nanoseconds", words->texts[4]);
	return true;
}

static bool read_line(struct history *history, char *line, uint32_t number, struct why *why)
{
	struct words words;
	struct operation operation = { .line = number };
	unsigned kind;
	if (!split(line, &words))
		return because(why, "history", "not 6 or 7 words parted by single spaces");
	if (!find_word(kinds, words.texts[1], &kind))
		return because(why, "history", "'%s' is none of read, book, cancel", words.texts[1]);
	if (!read_time(words.texts[3], &operation.begin_ns))
		return because(why, "history", "'%s' is no begin in nanoseconds", words.texts[3]);
	operation.kind = (enum operation_kind)kind;
	if (!read_outcome(&words, &operation, why))
		return false;
	operation.slot = history_slot(history, words.texts[2], strlen(words.texts[2]));
	operation.holder = history_holder(history, words.texts[5], strlen(words.texts[5]));
	if (operation.kind != OPERATION_READ && operation.holder < HOLDER_FIRST)
		return because(why, "history", "'%s' is no holder", words.texts[5]);
	return history_add(history, &operation, why);
}

bool history_read(struct history *history, FILE *file, struct why *why)
{
	char line[HISTORY_LINE_MAX];
	struct why fault;
	for (uint32_t number = 1; fgets(line, sizeof(line), file) != NULL; number++) {
		size_t length = strlen(line);
		if (length == 0 || line[length - 1] != '\n')
			return because(why, "history", "line %" PRIu32 ": longer than %d bytes, or cut off", number,
				HISTORY_LINE_MAX - 2);
		line[length - 1] = '\0';
		if (line[0] != '\0' && line[0] != '#' && !read_line(history, line, number, &fault))
			return because(why, "history", "line %" PRIu32 ": %s", number, fault.text);
	}
	return !ferror(file) || because(why, "history", "the file cannot be read: %s", strerror(errno));
}
