/* One text for all clients; each one's filter decides whether he gets it. */
#include "bridge.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"

enum {
	FACILITIES_MAX = 256
}; /* named in one event: its hospital, and the banks of its units, or the clinics of its appointments */

struct stream {
	struct guest guest;
	struct http_exchange *exchange;
	struct caller caller;
	char facility_id[TOKEN_SUBJECT_MAX + 1]; /* "" = all */
	bool events[EVENT_COUNT];                /* wanted */
	bool is_ended;                           /* nothing more is added */
	struct stream *previous, *next;
};

/* The facilities that an event is about. */
struct facilities {
	const char *items[FACILITIES_MAX];
	size_t count;
};

static const char *const facility_members[] = { "hospital_id", "bank_id", "facility_id", "clinic_id" };
static const char *const list_members[] = { "units", "flagged" };

static void add_facilities(const json_t *object, struct facilities *facilities)
{
	for (size_t i = 0; i < sizeof(facility_members) / sizeof(facility_members[0]); i++) {
		const char *value = json_string_value(json_object_get(object, facility_members[i]));
		if (value != NULL && facilities->count < FACILITIES_MAX)
			facilities->items[facilities->count++] = value;
	}
}

static void find_facilities(const json_t *body, struct facilities *facilities)
{
	add_facilities(body, facilities);
	for (size_t list = 0; list < sizeof(list_members) / sizeof(list_members[0]); list++) {
		const json_t *items = json_object_get(body, list_members[list]);
		for (size_t i = 0; i < json_array_size(items); i++)
			add_facilities(json_array_get(items, i), facilities);
	}
}

static bool is_about(const struct facilities *facilities, const char *facility_id)
{
	for (size_t i = 0; i < facilities->count; i++)
		if (strcmp(facilities->items[i], facility_id) == 0)
			return true;
	return false;
}

/* "bloodbank.*" or a whole name. */
static bool fits(const char *pattern, size_t length, const char *name)
{
	if (length > 0 && pattern[length - 1] == '*')
		return strncmp(pattern, name, length - 1) == 0;
	return strlen(name) == length && memcmp(pattern, name, length) == 0;
}

/* A comma-separated list; NULL is everything. False: a pattern fits no event. */
static bool choose_events(struct stream *stream, const char *types)
{
	size_t patterns = 0;
	for (const char *next = types == NULL ? "*" : types; next != NULL; next = strchr(next, ',')) {
		next += *next == ',';
		size_t length = strcspn(next, ",");
		bool is_known = false;
		for (unsigned event = EVENT_NONE + 1; event < EVENT_COUNT; event++)
			if (fits(next, length, event_type((enum event)event)->name))
				is_known = stream->events[event] = true;
		if (!is_known || ++patterns > STREAM_TYPES_MAX)
			return false;
	}
	return true;
}

static bool open_filter(struct stream *stream, const struct http_exchange *exchange,
	const struct caller *caller, struct problem *problem)
{
	const char *facility_id = http_parameter(exchange, "facility_id");
	if (facility_id != NULL && strlen(facility_id) > TOKEN_SUBJECT_MAX)
		*problem =
			(struct problem){ .status = 422, .code = "invalid", .detail = "facility_id is too long for one" };
	else if (facility_id != NULL && !caller_covers(caller, facility_id))
		*problem = (struct problem){
			.status = 403, .code = "forbidden", .detail = "the token is of another facility"
		};
	else if (!choose_events(stream, http_parameter(exchange, "types")))
		*problem = (struct problem){
			.status = 422,
			.code = "invalid",
			.detail =
				"types is a list of event names, like bloodbank.blood.approved or bloodbank.*, with commas between"
		};
	else
		problem->status = 0;
	const char *own = facility_id == NULL ? caller->facility_id : facility_id;
	if (problem->status == 0)
		memcpy(stream->facility_id, own, strlen(own) + 1);
	return problem->status == 0;
}

/* Counted only when it may matter. */
static bool has_room(const struct streams *streams, const struct caller *caller)
{
	size_t count = 0;
	if (streams->count < STREAMS_SHARE_MAX)
		return true;
	for (const struct stream *stream = streams->first; stream != NULL; stream = stream->next)
		count += strcmp(stream->caller.subject, caller->subject) == 0;
	return streams->count < STREAMS_MAX && count < STREAMS_SHARE_MAX;
}

static void add(struct streams *streams, struct stream *stream)
{
	stream->next = streams->first;
	if (stream->next != NULL)
		stream->next->previous = stream;
	streams->first = stream;
	streams->count++;
}

static void leave(struct bridge *bridge, struct guest *guest)
{
	struct stream *stream = (struct stream *)guest;
	struct streams *streams = &bridge->streams;
	if (stream->previous != NULL)
		stream->previous->next = stream->next;
	else
		streams->first = stream->next;
	if (stream->next != NULL)
		stream->next->previous = stream->previous;
	streams->count--;
	free(stream);
}

void stream_begin(struct bridge *bridge, struct http_exchange *exchange, const struct caller *caller,
	int64_t started_us)
{
	struct problem problem = { .status = 503,
		.code = "unavailable",
		.detail = "too many clients listen; try again later",
		.headers = { { "Retry-After", "30" } } };
	struct stream *stream = calloc(1, sizeof(*stream));
	if (stream == NULL)
		abort();
	if (!has_room(&bridge->streams, caller) || !open_filter(stream, exchange, caller, &problem)) {
		free(stream);
		bridge_refuse(bridge, exchange, started_us, &problem);
		return;
	}
	stream->guest.leave = leave;
	stream->exchange = exchange;
	stream->caller = *caller;
	add(&bridge->streams, stream);
	http_set_data(exchange, stream);
	http_stream(exchange,
		&(struct http_answer){
			.status = 200,
			.content_type = "text/event-stream",
			.headers = { { "Cache-Control", "no-store" }, { "X-Accel-Buffering", "no" } },
		});
	http_stream_add(exchange, "retry: 2000\n\n", strlen("retry: 2000\n\n"));
}

static void add_text(struct bridge *bridge, struct stream *stream, const char *text, size_t length)
{
	if (stream->is_ended)
		return;
	stream->is_ended = !http_stream_add(stream->exchange, text, length);
	if (stream->is_ended)
		bridge_count(bridge, METRIC_SLOW_READERS);
}

static void add_all(struct bridge *bridge, const struct facilities *facilities, enum event event,
	const struct buffer *text)
{
	for (struct stream *stream = bridge->streams.first; stream != NULL; stream = stream->next) {
		bool is_his = stream->facility_id[0] == '\0' || is_about(facilities, stream->facility_id);
		if (!stream->events[event] || !is_his || stream->is_ended)
			continue;
		bridge_count(bridge, METRIC_STREAMED);
		add_text(bridge, stream, buffer_text(text), text->length_bytes);
	}
}

/*
 * One event in the stream's form. JSON has no line ends, so a body is one line; an id that is none of the contract's could hold one, and
 * with it whatever its sender likes.
 */
static bool print_event(struct heard *heard, struct buffer *out)
{
	char id[UUID_TEXT_BYTES];
	const char *given = heard->delivery->message_id;
	char *body = json_dumps(heard_body(heard), JSON_COMPACT);
	if (body == NULL)
		return false;
	if (given != NULL && uuid_canonical(given, id))
		buffer_print(out, "id: %s\n", id);
	buffer_print(out, "event: %s\ndata: %s\n\n", event_type(heard->event)->name, body);
	free(body);
	return true;
}

/* Answers to questions are the asker's alone. */
void streams_hear(struct bridge *bridge, struct heard *heard)
{
	struct facilities facilities = { .count = 0 };
	struct buffer text;
	if (bridge->streams.first == NULL || event_type(heard->event)->is_answer || heard_body(heard) == NULL)
		return;
	find_facilities(heard_body(heard), &facilities);
	buffer_init(&text);
	if (print_event(heard, &text))
		add_all(bridge, &facilities, heard->event, &text);
	buffer_clear(&text);
}

static void end_stream(struct stream *stream)
{
	stream->is_ended = true;
	http_stream_end(stream->exchange);
}

/* A comment now and then: proxies keep the line open. */
void streams_beat(struct bridge *bridge)
{
	int64_t now_ms = clock_steady_ms();
	if (now_ms < bridge->streams.heartbeat_ms)
		return;
	bridge->streams.heartbeat_ms = now_ms + STREAM_HEARTBEAT_MS;
	for (struct stream *stream = bridge->streams.first; stream != NULL; stream = stream->next)
		add_text(bridge, stream, ":\n\n", 3);
}

void streams_check(struct bridge *bridge)
{
	int64_t now_ms = clock_steady_ms();
	if (now_ms < bridge->streams.check_ms)
		return;
	bridge->streams.check_ms = now_ms + CALLERS_LOOK_MS;
	for (struct stream *stream = bridge->streams.first; stream != NULL; stream = stream->next)
		if (!stream->is_ended && !callers_know(&bridge->callers, &stream->caller))
			end_stream(stream);
}

void streams_end(struct bridge *bridge)
{
	for (struct stream *stream = bridge->streams.first; stream != NULL; stream = stream->next)
		end_stream(stream);
}
