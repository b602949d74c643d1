/* carebus schedule: a provider's hours are published, or the provider is away. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "command.h"
#include "day_option.h"
#include "errand.h"
#include "moment_option.h"
#include "option_rows.h"
#include "print.h"
#include "weekly_option.h"

enum { WHAT_BYTES = 128 };

struct schedule_values {
	struct common_values common;
	const char *provider, *clinic, *room, *type, *from, *to, *reason, *by;
	const char *horizon_days, *notice_minutes, *cutoff_minutes;
	struct option_texts hours, except;
	long slot_minutes, buffer_minutes, wait_s;
};

#define AT(member) offsetof(struct schedule_values, member)

static const struct option_row options[] = {
	{ .name = "provider",
		.argument = "ID",
		.kind = OPTION_TEXT,
		.offset = AT(provider),
		.is_required = true,
		.help = "whose hours" },
	{ .name = "from",
		.argument = "TIME",
		.kind = OPTION_TEXT,
		.offset = AT(from),
		.is_required = true,
		.help = "publish: the first day, 2026-03-01 or +1d; block: a time, 2026-03-01T08:00:00Z or +2h" },
	{ .name = "to",
		.argument = "TIME",
		.kind = OPTION_TEXT,
		.offset = AT(to),
		.is_required = true,
		.help = "publish: the last day; block: the end" },
	{ .name = "clinic",
		.argument = "ID",
		.kind = OPTION_TEXT,
		.offset = AT(clinic),
		.help = "publish: where" },
	{ .name = "hours",
		.argument = "HOURS",
		.kind = OPTION_TEXTS,
		.offset = AT(hours),
		.help =
			"publish: 1-5=09:00-12:00, weekdays (1 is Monday) and wall time of the clinic; may be repeated" },
	{ .name = "slot-minutes",
		.argument = "MINUTES",
		.kind = OPTION_NUMBER,
		.offset = AT(slot_minutes),
		.fallback = "30",
		.minimum = 5,
		.maximum = 480,
		.help = "publish: how long a slot is" },
	{ .name = "buffer-minutes",
		.argument = "MINUTES",
		.kind = OPTION_NUMBER,
		.offset = AT(buffer_minutes),
		.fallback = "0",
		.maximum = 240,
		.help = "publish: between one slot and the next" },
	{ .name = "room",
		.argument = "ID",
		.kind = OPTION_TEXT,
		.offset = AT(room),
		.help = "publish: in this room" },
	{ .name = "type",
		.argument = "CODE",
		.kind = OPTION_TEXT,
		.offset = AT(type),
		.help = "publish: of appointment" },
	{ .name = "except",
		.argument = "DAY",
		.kind = OPTION_TEXTS,
		.offset = AT(except),
		.help = "publish: a day without hours; may be repeated" },
	{ .name = "horizon-days",
		.argument = "DAYS",
		.kind = OPTION_TEXT,
		.offset = AT(horizon_days),
		.help = "publish: how far ahead slots can be booked (default: 90)" },
	{ .name = "notice-minutes",
		.argument = "MINUTES",
		.kind = OPTION_TEXT,
		.offset = AT(notice_minutes),
		.help = "publish: how soon slots can be booked (default: 0)" },
	{ .name = "cutoff-minutes",
		.argument = "MINUTES",
		.kind = OPTION_TEXT,
		.offset = AT(cutoff_minutes),
		.help = "publish: until how long before can be cancelled or moved (default: 60)" },
	{ .name = "reason",
		.argument = "TEXT",
		.kind = OPTION_TEXT,
		.offset = AT(reason),
		.help = "block: why; no names" },
	OPTION_BY(AT(by), "who says so"),
	OPTION_WAIT(AT(wait_s), "how long to wait for the answer"),
	{ 0 },
};

static bool set_number(json_t *body, const char *member, const char *option, const char *text,
	struct why *why)
{
	char *end;
	if (text == NULL)
		return true;
	long number = strtol(text, &end, 10);
	if (end == text || *end != '\0')
		return because(why, "usage", "--%s: \"%s\" is no number", option, text);
	json_object_set_new(body, member, json_integer(number));
	return true;
}

static bool set_day(json_t *body, const char *member, const char *text, struct why *why)
{
	char day[DAY_TEXT_BYTES];
	if (!day_option_read(text, clock_now_us(), 0, day))
		return because(why, "usage", "--%s: \"%s\" is no day; write 2026-03-01 or +1d", member, text);
	json_object_set_new(body, member, json_string(day));
	return true;
}

static bool set_time(json_t *body, const char *member, const char *text, struct why *why)
{
	char time[TIME_TEXT_BYTES];
	int64_t time_us;
	if (!moment_option_read(text, clock_now_us(), &time_us))
		return because(why, "usage", "--%s: \"%s\" is no time; write 2026-03-01T08:00:00Z or +2h", member,
			text);
	time_print(time_us, time);
	json_object_set_new(body, member, json_string(time));
	return true;
}

static bool add_hours(json_t *body, const struct schedule_values *values, struct why *why)
{
	json_t *weekly = json_array();
	json_object_set_new(body, "weekly", weekly);
	for (size_t i = 0; i < values->hours.count; i++)
		if (!weekly_option_read(values->hours.items[i], weekly, why))
			return false;
	return true;
}

static bool write_publish(const struct schedule_values *values, json_t *body, struct why *why)
{
	json_t *except = values->except.count == 0 ? NULL : json_array();
	if (values->clinic == NULL || values->hours.count == 0)
		return because(why, "usage", "--clinic and --hours: missing: where, and when");
	json_object_set_new(body, "clinic_id", json_string(values->clinic));
	json_object_set_new(body, "slot_minutes", json_integer(values->slot_minutes));
	json_object_set_new(body, "buffer_minutes", json_integer(values->buffer_minutes));
	if (values->room != NULL)
		json_object_set_new(body, "room_id", json_string(values->room));
	if (values->type != NULL)
		json_object_set_new(body, "appointment_type", json_string(values->type));
	for (size_t i = 0; i < values->except.count; i++)
		json_array_append_new(except, json_string(values->except.items[i]));
	if (except != NULL)
		json_object_set_new(body, "exceptions", except);
	return set_day(body, "from", values->from, why) && set_day(body, "to", values->to, why)
		&& add_hours(body, values, why)
		&& set_number(body, "horizon_days", "horizon-days", values->horizon_days, why)
		&& set_number(body, "notice_minutes", "notice-minutes", values->notice_minutes, why)
		&& set_number(body, "cutoff_minutes", "cutoff-minutes", values->cutoff_minutes, why);
}

static bool write_block(const struct schedule_values *values, json_t *body, struct why *why)
{
	if (values->reason == NULL)
		return because(why, "usage", "--reason: missing: why the provider is away");
	json_object_set_new(body, "reason", json_string(values->reason));
	return set_time(body, "from", values->from, why) && set_time(body, "to", values->to, why);
}

static long long number_of(const json_t *body, const char *name)
{
	return (long long)json_integer_value(json_object_get(body, name));
}

static void tell_published(const json_t *body)
{
	printf("published: %lld slots added, %lld kept, %lld removed\n", number_of(body, "slots_added"),
		number_of(body, "slots_kept"), number_of(body, "slots_removed"));
}

/* The answer is the first part; the others tell of other clinics, or of very many. */
static void tell_blocked(const json_t *body)
{
	long long parts = number_of(body, "parts");
	printf("blocked: %lld slots; %zu appointments flagged", number_of(body, "slots_blocked"),
		json_array_size(json_object_get(body, "flagged")));
	if (parts > 1)
		printf(" in the first of %lld parts", parts);
	printf("\n");
}

static const struct verb {
	const char *name;
	const char *doing;
	const char *path;
	bool (*write)(const struct schedule_values *values, json_t *body, struct why *why);
	void (*tell)(const json_t *body);
} verbs[] = {
	{ "block", "blocking", "/v1/schedules/blocks", write_block, tell_blocked },
	{ "publish", "publishing", "/v1/schedules", write_publish, tell_published },
};

static enum ending deliver(struct door *door, const struct verb *verb, const struct schedule_values *values,
	json_t *body)
{
	char what[WHAT_BYTES];
	struct door_answer answer;
	snprintf(what, sizeof(what), "%s the hours of %.64s", verb->doing, values->provider);
	const struct errand errand = {
		.what = what, .path = verb->path, .body = json_incref(body), .wait_s = values->wait_s
	};
	enum ending ending = errand_run(door, &errand, &answer, stderr);
	if (ending == ENDING_DONE && strcmp(values->common.format, "json") == 0)
		print_json_value(answer.body);
	else if (ending == ENDING_DONE && answer.status == 202)
		printf("accepted, not yet done (202)\n");
	else if (ending == ENDING_DONE)
		verb->tell(answer.body);
	if (ending == ENDING_DONE)
		ending = errand_ending(&errand, &answer);
	door_answer_clear(&answer);
	return ending;
}

static enum ending carry_out(const struct verb *verb, const struct schedule_values *values)
{
	struct why why = { .text = "" };
	json_t *body = json_pack("{s:s, s:s*}", "provider_id", values->provider, "by", values->by);
	if (body == NULL)
		because(&why, "usage", "--provider and --by have to be UTF-8");
	struct door *door = body != NULL && verb->write(values, body, &why) ? door_new(stderr) : NULL;
	enum ending ending = door == NULL ? ENDING_FAULT : deliver(door, verb, values, body);
	if (why.text[0] != '\0')
		fprintf(stderr, "%s\n", why.text);
	json_decref(body);
	door_free(door);
	return ending;
}

static enum ending run_schedule(const void *values, const struct positionals *positionals)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (positionals->count == 1 && strcmp(positionals->items[0], verbs[i].name) == 0)
			return carry_out(&verbs[i], values);
	fprintf(stderr, "write `carebus schedule publish` or `carebus schedule block`\n");
	return ENDING_FAULT;
}

const struct command command_schedule = {
	.name = "schedule",
	.summary = "publish a provider's hours, or block them",
	.arguments = " publish|block",
	.details =
		"publish makes slots of hours that recur each week; what is booked is kept. block says that the provider is away: slots\n"
		"cannot be booked, appointments are flagged, nothing is deleted. Goes to the bridge at CAREBUS_HTTP with\n"
		"CAREBUS_TOKEN.\n"
		"Exit: 0 done (with --wait 0: accepted), 1 refused, 2 a fault, 3 accepted but not done in time.\n",
	.examples =
		"  carebus schedule publish --provider dr-adams --clinic clinic-001 --hours 1-5=09:00-12:00 --from +1d --to +60d\n"
		"  carebus schedule block --provider dr-adams --from 2026-03-02T00:00:00Z --to 2026-03-03T00:00:00Z --reason ill\n",
	.options = options,
	.values_bytes = sizeof(struct schedule_values),
	.run = run_schedule,
};
