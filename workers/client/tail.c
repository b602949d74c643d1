/* Text: time (UTC), `!` on the emergency lane, event, the workflow's first characters, what it says. JSON: an object a line. */
#include "tail.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "events.h"
#include "print.h"
#include "printable.h"
#include "summary.h"

enum { NAME_MAX_BYTES = 80, SHORT_BYTES = 9, LANE_BYTES = sizeof(".emergency") - 1 };

/* The type; where the sender left it out, the routing key without its lane. */
static void name_of(const struct delivery *delivery, char name[NAME_MAX_BYTES])
{
	if (delivery->type != NULL) {
		snprintf(name, NAME_MAX_BYTES, "%s", delivery->type);
		return;
	}
	size_t length = strlen(delivery->routing_key);
	if (length > LANE_BYTES && strcmp(delivery->routing_key + length - LANE_BYTES, ".emergency") == 0)
		length -= LANE_BYTES;
	snprintf(name, NAME_MAX_BYTES, "%.*s", (int)length, delivery->routing_key);
}

static void print_text(const struct tail *tail, const struct sighting *sighting, const char *name)
{
	char summary[SUMMARY_MAX], workflow[SHORT_BYTES], shown[NAME_MAX_BYTES];
	enum event event = event_find(name);
	int64_t ms = clock_now_us() / 1000;
	const char *color = tail->has_color ? summary_color(event) : NULL;
	summary_write(event, sighting->body, summary);
	snprintf(workflow, sizeof(workflow), "%s",
		sighting->correlation_id == NULL ? "-" : sighting->correlation_id);
	snprintf(shown, sizeof(shown), "%s", name);
	printable(workflow);
	printable(shown);
	printf("%02d:%02d:%02d.%03d %c %s%-30s%s %s%-8s%s  %s\n", (int)(ms / 3600000 % 24),
		(int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms % 1000),
		sighting_is_emergency(sighting) ? '!' : ' ', color == NULL ? "" : color, shown,
		color == NULL ? "" : COLOR_PLAIN, tail->has_color ? COLOR_DIM : "", workflow,
		tail->has_color ? COLOR_PLAIN : "", summary);
}

/* What is no UTF-8 is left out. */
static void set_text(json_t *object, const char *member, const char *text)
{
	json_t *value = text == NULL ? NULL : json_string(text);
	if (value != NULL)
		json_object_set_new(object, member, value);
}

static void print_json(const struct delivery *delivery, const struct sighting *sighting, const char *name)
{
	char at[TIME_TEXT_BYTES];
	json_t *line = json_object();
	time_print(clock_now_us(), at);
	set_text(line, "at", at);
	set_text(line, "event", name);
	json_object_set_new(line, "emergency", json_boolean(sighting_is_emergency(sighting)));
	set_text(line, "routing_key", delivery->routing_key);
	set_text(line, "message_id", delivery->message_id);
	set_text(line, "correlation_id", delivery->correlation_id);
	set_text(line, "causation_id", delivery->causation_id);
	set_text(line, "user_id", delivery->user_id);
	json_object_set(line, "body", sighting->body == NULL ? json_null() : sighting->body);
	json_dumpf(line, stdout, JSON_COMPACT);
	printf("\n");
	json_decref(line);
}

/* Whether it was seen before; what comes again after a lost connection is the newest at most. */
static bool was_seen(struct tail *tail, const struct delivery *delivery)
{
	const char *id = delivery->message_id == NULL ? "" : delivery->message_id;
	if (strlen(id) != UUID_TEXT_BYTES - 1)
		return false;
	for (size_t i = 0; delivery->is_redelivered && i < TAIL_RECENT_MAX; i++)
		if (strcmp(tail->recent[i], id) == 0)
			return true;
	memcpy(tail->recent[tail->recent_next++ % TAIL_RECENT_MAX], id, UUID_TEXT_BYTES);
	return false;
}

static void show(struct tail *tail, const struct delivery *delivery, const struct sighting *sighting)
{
	char name[NAME_MAX_BYTES];
	name_of(delivery, name);
	if (tail->is_json)
		print_json(delivery, sighting, name);
	else
		print_text(tail, sighting, name);
	tail->seen++;
	tail->is_over = fflush(stdout) != 0 || (tail->wanted > 0 && tail->seen >= tail->wanted);
}

void tail_hear(void *owner, struct delivery *delivery)
{
	struct tail *tail = owner;
	const struct sighting sighting = {
		.routing_key = delivery->routing_key,
		.correlation_id = delivery->correlation_id,
		.body = json_loadb(delivery->body, delivery->body_bytes, 0, NULL),
	};
	if (!tail->is_over && !was_seen(tail, delivery) && sieve_passes(&tail->sieve, &sighting))
		show(tail, delivery, &sighting);
	json_decref(sighting.body);
	delivery_free(delivery);
}
