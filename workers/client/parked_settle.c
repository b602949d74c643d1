/*
 * carebus parked replay and drop. A message is let go only after what replaces it is safe: the broker has confirmed its copy in the
 * first queue, or its line is written (and, in a file, on disk). A kill in between leaves the message parked and its copy made: the
 * next run makes a second copy, which the inbox knows by its id. Nothing has to be remembered between runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "events.h"
#include "parked.h"
#include "printable.h"
#include "queue_names.h"

enum { LINE_BYTES = 400 };

/* One run over a queue. */
struct settling {
	const struct parked_run *run;
	const char *origin; /* where it was parked from; of replay */
	FILE *file;         /* where the lines go; of drop */
	bool has_lines_on_output;
	const char *done_word;
	json_t *messages; /* of JSON output */
	size_t chosen, settled;
};

static void tell(struct settling *settling, const struct parcel *parcel)
{
	char line[LINE_BYTES];
	bool is_dry = settling->run->values->is_dry;
	json_array_append_new(settling->messages,
		json_pack("{s:s, s:s, s:s}", "message_id", parcel->message_id, "event", parcel->event, "reason",
			parcel->reason));
	if (settling->run->is_json || settling->has_lines_on_output)
		return;
	snprintf(line, sizeof(line), "%s%s %s %s (%s)", is_dry ? "would be " : "", settling->done_word,
		parcel->message_id[0] == '\0' ? "(no message id)" : parcel->message_id, parcel->event,
		parcel->reason);
	printable(line);
	printf("%s\n", line);
	fflush(stdout);
}

/* True: the broker has a copy in the first queue. */
static bool send_again(const struct settling *settling, struct hold *hold, const struct parcel *parcel,
	struct why *why)
{
	struct buffer properties;
	buffer_init(&properties);
	const char *type = event_find(parcel->event) == EVENT_NONE ? NULL : parcel->event;
	bool is_sent = parcel->is_readable && properties_write_again(&parcel->properties, type, &properties);
	if (!is_sent)
		because(why, "unreadable",
			"the headers of a message can't be read; drop it, with its line for the sender");
	const struct slice bytes = { properties.data, properties.length_bytes };
	is_sent = is_sent && hold_send(hold, settling->origin, bytes, parcel->body, why) == SETTLED_CONFIRMED;
	buffer_clear(&properties);
	return is_sent;
}

/* True: its line is where it outlives us. */
static bool write_line(const struct settling *settling, const struct parcel *parcel, struct why *why)
{
	bool is_written = json_dumpf(parcel->shown, settling->file, JSON_COMPACT) == 0
		&& fputc('\n', settling->file) != EOF && fflush(settling->file) == 0;
	if (is_written && settling->run->values->file != NULL)
		is_written = fdatasync(fileno(settling->file)) == 0;
	return is_written
		|| because(why, "output", "a message could not be written down, so it stays parked: %s",
			strerror(errno));
}

static bool settle(void *owner, struct hold *hold, const struct held *held, const struct parcel *parcel,
	struct why *why)
{
	struct settling *settling = owner;
	const struct parked_values *values = settling->run->values;
	if (!choice_has(&values->choice, parcel))
		return true;
	settling->chosen++;
	bool is_safe = values->is_dry;
	if (!is_safe)
		is_safe = settling->file == NULL ? send_again(settling, hold, parcel, why)
										 : write_line(settling, parcel, why);
	if (!is_safe || (!values->is_dry && !hold_let_go(hold, held->tag, why)))
		return false;
	settling->settled += !values->is_dry;
	tell(settling, parcel);
	return true;
}

static void print_json(const struct settling *settling, const char *queue, size_t left)
{
	json_t *result = json_pack("{s:s, s:s, s:b, s:I, s:I, s:O}", "queue", queue, "verb", settling->done_word,
		"dry_run", settling->run->values->is_dry, "settled", (json_int_t)settling->settled, "left",
		(json_int_t)left, "messages", settling->messages);
	json_dumpf(result, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(result);
}

static void print_result(const struct settling *settling, const char *queue, const struct extent *extent)
{
	size_t left = extent->messages - settling->settled;
	bool is_dry = settling->run->values->is_dry;
	FILE *out = settling->has_lines_on_output ? stderr : stdout;
	if (settling->run->is_json && !settling->has_lines_on_output)
		print_json(settling, queue, left);
	else
		fprintf(out, "%s: %zu %s%s, %zu left\n", queue, is_dry ? settling->chosen : settling->settled,
			is_dry ? "would be " : "", settling->done_word, left);
}

static enum ending work_through(struct settling *settling, const char *queue)
{
	struct why why = { .text = "" };
	struct extent extent;
	settling->messages = json_array();
	bool is_good = parked_walk(settling->run, queue, settle, settling, &extent, &why);
	if (is_good || settling->settled > 0)
		print_result(settling, queue, &extent);
	if (!is_good)
		fprintf(stderr, "%s\n%s", why.text,
			strcmp(why.reason, "refused") == 0 ? "check that CAREBUS_AMQP_ADMIN names the admin\n" : "");
	json_decref(settling->messages);
	if (!is_good)
		return ENDING_FAULT;
	return settling->chosen > 0 ? ENDING_DONE : ENDING_NO;
}

enum ending parked_replay(const struct parked_run *run, const char *queue)
{
	char *origin = queue_names_origin(queue);
	struct settling settling = { .run = run, .origin = origin, .done_word = "replayed" };
	enum ending ending = work_through(&settling, queue);
	free(origin);
	return ending;
}

/* Appends, for the file may hold the lines of an earlier run. NULL: told. */
static FILE *open_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "a");
	if (file == NULL)
		fprintf(stderr, "--to: %s: %s\n", path, strerror(errno));
	return file;
}

enum ending parked_drop(const struct parked_run *run, const char *queue)
{
	const char *path = run->values->file;
	struct settling settling = {
		.run = run,
		.file = path == NULL ? stdout : open_file(path),
		.has_lines_on_output = path == NULL && !run->values->is_dry,
		.done_word = "dropped",
	};
	if (settling.file == NULL)
		return ENDING_FAULT;
	enum ending ending = work_through(&settling, queue);
	if (path != NULL)
		fclose(settling.file);
	return ending;
}
