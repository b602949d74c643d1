/* Collects what a batch sends out, and mints the ids. */
#include "outbox.h"
#include "outbox_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asker.h"
#include "digest.h"
#include "schema.h"

enum { NUMBER_TEXT_BYTES = 24 };

static const char *number_text(int64_t number, char text[NUMBER_TEXT_BYTES])
{
	snprintf(text, NUMBER_TEXT_BYTES, "%" PRId64, number);
	return text;
}

static const char *mint(struct outbox *outbox, const char *const names[])
{
	char *id = arena_new(outbox->arena, UUID_TEXT_BYTES);
	uuid_from_names(outbox->namespace_id, names, id);
	return id;
}

/* A body that its own schema refuses is our mistake: nothing sensible can go on from there. */
static void write_body(struct outbox *outbox, struct output *output, enum event event, const void *body)
{
	struct buffer buffer = { 0 };
	if (!schema_write(event_type(event)->schema, body, &buffer)) {
		struct why why = { 0 };
		schema_check(event_type(event)->schema, body, &why);
		fprintf(stderr, "level=error reason=output event=%s detail=\"%s\"\n", event_type(event)->name,
			why.text);
		abort();
	}
	output->body = arena_bytes(outbox->arena, buffer.data, buffer.length_bytes);
	output->body_bytes = buffer.length_bytes;
	buffer_clear(&buffer);
}

static struct output *add(struct outbox *outbox)
{
	struct output *output = arena_new(outbox->arena, sizeof(*output));
	output->cause_id = outbox->cause_id;
	output->ordinal = outbox->ordinal++;
	output->is_stored = true;
	output->created_at = outbox->now;
	if (outbox->cause != NULL) {
		output->correlation_id = outbox->cause->correlation_id;
		output->causation_id = outbox->cause->message_id;
		output->traceparent = outbox->cause->traceparent;
	}
	outbox_append(outbox, output);
	return output;
}

static const char *routing_key(struct outbox *outbox, const struct event_type *type, bool is_emergency)
{
	return is_emergency && type->has_emergency_lane ? arena_print(outbox->arena, "%s.emergency", type->name)
													: type->name;
}

static struct output *add_event(struct outbox *outbox, enum event event, const void *body, bool is_emergency)
{
	const struct event_type *type = event_type(event);
	struct output *output = add(outbox);
	output->exchange = type->exchange;
	output->routing_key = routing_key(outbox, type, is_emergency);
	output->type = type->name;
	output->schema_version = type->schema_version;
	output->is_mandatory = type->mandatory;
	write_body(outbox, output, event, body);
	return output;
}

void outbox_init(struct outbox *outbox, struct arena *arena, const unsigned char namespace_id[UUID_BYTES],
	int64_t now)
{
	*outbox = (struct outbox){ .arena = arena, .now = now, .cause_digest = "" };
	memcpy(outbox->namespace_id, namespace_id, UUID_BYTES);
}

void outbox_cause(struct outbox *outbox, const struct message *cause, const char *cause_id,
	const char *cause_digest, int64_t first_ordinal)
{
	outbox->cause = cause;
	outbox->cause_id = cause_id;
	outbox->cause_digest = cause_digest;
	outbox->ordinal = first_ordinal;
}

void outbox_rewind(struct outbox *outbox, struct output *last, size_t count)
{
	outbox->last = last;
	outbox->count = count;
	if (last == NULL)
		outbox->first = NULL;
	else
		last->next = NULL;
}

void outbox_append(struct outbox *outbox, struct output *output)
{
	output->next = NULL;
	if (outbox->last == NULL)
		outbox->first = output;
	else
		outbox->last->next = output;
	outbox->last = output;
	outbox->count++;
}

const char *outbox_event(struct outbox *outbox, enum event event, const void *body, const char *aggregate_id,
	int64_t version, bool is_emergency, const struct origin *origin)
{
	char number[NUMBER_TEXT_BYTES];
	struct output *output = add_event(outbox, event, body, is_emergency);
	const char *const names[] = { aggregate_id, number_text(version, number), output->type, NULL };
	output->message_id = mint(outbox, names);
	output->version = version;
	if (origin != NULL && origin->correlation_id != NULL)
		output->correlation_id = origin->correlation_id;
	if (origin != NULL && origin->traceparent != NULL)
		output->traceparent = origin->traceparent;
	if (output->correlation_id == NULL)
		output->correlation_id = output->message_id;
	return output->body;
}

void outbox_answer(struct outbox *outbox, enum event event, const void *body, bool is_emergency)
{
	char number[NUMBER_TEXT_BYTES];
	struct output *output = add_event(outbox, event, body, is_emergency);
	const char *const names[] = { outbox->cause_id, outbox->cause_digest, output->type,
		number_text(output->ordinal, number), NULL };
	output->message_id = mint(outbox, names);
	if (output->correlation_id == NULL)
		output->correlation_id = output->message_id;
}

bool outbox_reply(struct outbox *outbox, enum event event, const void *body)
{
	const char *asker = outbox->cause->reply_to;
	if (!asker_is_name(asker))
		return false;
	outbox_answer(outbox, event, body, false);
	outbox->last->is_mandatory = false;
	outbox->last->routing_key = arena_print(outbox->arena, "%s.answer.%s", outbox->last->exchange, asker);
	return true;
}

void outbox_token(const struct outbox *outbox, char out[TOKEN_TEXT_BYTES])
{
	char text[SHA256_TEXT_BYTES];
	hmac_text(outbox->namespace_id, UUID_BYTES, outbox->cause_id, text);
	memcpy(out, text, TOKEN_TEXT_BYTES - 1);
	out[TOKEN_TEXT_BYTES - 1] = '\0';
}

void outbox_view(struct outbox *outbox, const char *name, const char *key, int64_t version, enum event event,
	const void *body)
{
	char number[NUMBER_TEXT_BYTES];
	struct output *output = add(outbox);
	output->is_view = true;
	output->routing_key = arena_text(outbox->arena, key);
	output->type = name;
	output->version = version;
	output->schema_version = event_type(event)->schema_version;
	write_body(outbox, output, event, body);
	const char *const names[] = { key, number_text(version, number), name, NULL };
	output->message_id = mint(outbox, names);
}
