/* The decisions of the bare loop: the oldest units of the asked group at the nearest bank. */
#include "bare.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "buffer.h"
#include "clock.h"

static const unsigned char namespace_id[UUID_BYTES] = "bare loop names";

const char *const bare_groups[BARE_GROUPS] = { "O-", "O+", "A-", "A+", "B-", "B+", "AB-", "AB+" };

static void copy_text(char out[BARE_ID_BYTES], const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	if (text == NULL || strlen(text) >= BARE_ID_BYTES)
		fail("a request without a usable %s", name);
	memcpy(out, text, strlen(text) + 1);
}

static size_t find_group(const json_t *object)
{
	const char *name = json_string_value(json_object_get(object, "group"));
	for (size_t group = 0; name != NULL && group < BARE_GROUPS; group++)
		if (strcmp(bare_groups[group], name) == 0)
			return group;
	fail("a request without a known group");
}

static size_t nearest_bank(const struct bare_facilities *facilities, const char *hospital_id)
{
	for (size_t i = 0; i < facilities->hospitals_count; i++)
		if (strcmp(facilities->hospitals[i].hospital_id, hospital_id) == 0)
			return facilities->hospitals[i].bank;
	fail("unknown hospital %s", hospital_id);
}

static size_t find_bin(struct bare_batch *batch, size_t bank, size_t group)
{
	for (size_t i = 0; i < batch->bins_count; i++)
		if (batch->bins[i]->bank == bank && batch->bins[i]->group == group)
			return i;
	struct bare_bin *bin = calloc(1, sizeof(*bin));
	if (bin == NULL)
		abort();
	bin->bank = bank;
	bin->group = group;
	batch->bins[batch->bins_count] = bin;
	return batch->bins_count++;
}

void bare_read(const struct bare_facilities *facilities, struct bare_batch *batch,
	struct bare_request *request, const char *body, size_t length)
{
	json_t *object = json_loadb(body, length, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(object))
		fail("a request that is no JSON object");
	char request_id[BARE_ID_BYTES];
	copy_text(request_id, object, "request_id");
	if (!uuid_canonical(request_id, request->request_id))
		fail("request id %s is not a uuid", request_id);
	copy_text(request->hospital_id, object, "hospital_id");
	json_int_t quantity = json_integer_value(json_object_get(object, "quantity"));
	if (quantity < 1 || quantity > BARE_UNITS)
		fail("a request of %" JSON_INTEGER_FORMAT " units", quantity);
	request->quantity = (size_t)quantity;
	request->bin = find_bin(batch, nearest_bank(facilities, request->hospital_id), find_group(object));
	batch->bins[request->bin]->asked += request->quantity;
	json_object_del(object, "requested_at");
	json_object_del(object, "version");
	request->body = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);
	json_decref(object);
	sha256(body, length, request->digest);
}

int64_t bare_reserved_until(int64_t now, int64_t expires_at)
{
	int64_t until = now + HOURS_US(72);
	return until < expires_at ? until : expires_at;
}

int64_t bare_soon(const struct bare_batch *batch)
{
	return batch->now + HOURS_US(24);
}

static char *take_text(struct buffer *buffer)
{
	char *text = strdup(buffer_text(buffer));
	buffer_clear(buffer);
	if (text == NULL)
		abort();
	return text;
}

static void print_unit(struct buffer *out, const struct bare_facilities *facilities,
	const struct bare_bin *bin, const struct bare_unit *unit, int64_t now)
{
	char expires[TIME_TEXT_BYTES], until[TIME_TEXT_BYTES];
	time_print(unit->expires_at, expires);
	time_print(bare_reserved_until(now, unit->expires_at), until);
	buffer_print(out,
		"{\"unit_id\":\"%s\",\"bank_id\":\"%s\",\"component\":\"red_cells\",\"group\":\"%s\",\"expires_at\":\"%s\","
		"\"reserved_until\":\"%s\",\"match_status\":\"not_crossmatched\"}",
		unit->unit_id, facilities->banks[bin->bank], bare_groups[bin->group], expires, until);
}

static char *print_approved(const struct bare_facilities *facilities, const struct bare_batch *batch,
	const struct bare_request *request)
{
	struct buffer out = { 0 };
	char decided[TIME_TEXT_BYTES];
	time_print(batch->now, decided);
	buffer_print(&out,
		"{\"request_id\":\"%s\",\"hospital_id\":\"%s\",\"urgency\":\"routine\",\"decision\":\"full\","
		"\"allocation_no\":1,\"quantity_requested\":%zu,\"quantity_allocated\":%zu,\"backordered\":0,\"units\":[",
		request->request_id, request->hospital_id, request->quantity, request->quantity);
	for (size_t i = 0; i < request->quantity; i++) {
		if (i > 0)
			buffer_add_byte(&out, ',');
		print_unit(&out, facilities, batch->bins[request->bin], &request->units[i], batch->now);
	}
	buffer_print(&out, "],\"warnings\":[],\"rules_version\":\"%s\",\"decided_at\":\"%s\"}", BARE_RULES,
		decided);
	return take_text(&out);
}

static char *print_inventory(const struct bare_facilities *facilities, const struct bare_bin *bin)
{
	struct buffer out = { 0 };
	buffer_print(&out,
		"{\"bank_id\":\"%s\",\"component\":\"red_cells\",\"group\":\"%s\",\"available\":%" PRId64
		",\"reserved\":%" PRId64 ",\"expiring_24h\":%" PRId64
		",\"days_of_stock\":null,\"level\":\"normal\",\"version\":%" PRId64 "}",
		facilities->banks[bin->bank], bare_groups[bin->group], bin->available, bin->reserved, bin->expiring,
		bin->version);
	return take_text(&out);
}

/* The first of `names` is the aggregate's. */
static struct bare_output *add_output(struct bare_batch *batch, const struct bare_request *cause,
	const char *const names[])
{
	struct bare_output *output = &batch->outputs[batch->outputs_count++];
	*output = (struct bare_output){ .version = 1 };
	memcpy(output->cause_id, cause->message_id, UUID_TEXT_BYTES);
	memcpy(output->correlation_id, cause->correlation_id, BARE_ID_BYTES);
	uuid_from_names(namespace_id, names, output->message_id);
	return output;
}

static void make_event(struct bare_output *output, const char *type, bool is_mandatory)
{
	output->type = type;
	output->exchange = "bloodbank";
	output->is_mandatory = is_mandatory;
	snprintf(output->routing_key, BARE_ID_BYTES, "%s", type);
}

static void approve(const struct bare_facilities *facilities, struct bare_batch *batch,
	struct bare_request *request)
{
	struct bare_bin *bin = batch->bins[request->bin];
	if (bin->taken + request->quantity > bin->units_count)
		fail("the shelf of %s at %s is empty", bare_groups[bin->group], facilities->banks[bin->bank]);
	request->units = &bin->units[bin->taken];
	bin->taken += request->quantity;
	const char *const names[] = { request->request_id, "1", "bloodbank.blood.approved", NULL };
	struct bare_output *output = add_output(batch, request, names);
	make_event(output, "bloodbank.blood.approved", true);
	output->body = print_approved(facilities, batch, request);
}

static void count_out(const struct bare_batch *batch, struct bare_bin *bin)
{
	int64_t taken = (int64_t)bin->taken;
	bin->available -= taken;
	bin->in_bin -= taken;
	bin->reserved += taken;
	bin->version++;
	for (size_t i = 0; i < bin->taken; i++)
		bin->expiring -= bin->units[i].expires_at <= bare_soon(batch);
}

/* An event and a view. */
static void report(const struct bare_facilities *facilities, struct bare_batch *batch, struct bare_bin *bin,
	const struct bare_request *cause, int64_t ordinal)
{
	char key[BARE_ID_BYTES], version[24];
	count_out(batch, bin);
	snprintf(key, sizeof(key), "%s/red_cells/%s", facilities->banks[bin->bank], bare_groups[bin->group]);
	snprintf(version, sizeof(version), "%" PRId64, bin->version);
	const char *const names[] = { key, version, "bloodbank.inventory.updated", NULL };
	const char *const view_names[] = { key, version, "stock", NULL };
	struct bare_output *event = add_output(batch, cause, names), *view = add_output(batch, cause, view_names);
	make_event(event, "bloodbank.inventory.updated", false);
	view->type = "stock";
	view->is_view = true;
	memcpy(view->routing_key, key, sizeof(key));
	event->version = view->version = bin->version;
	event->ordinal = ordinal;
	view->ordinal = ordinal + 1;
	event->body = print_inventory(facilities, bin);
	view->body = print_inventory(facilities, bin);
}

void bare_decide(const struct bare_facilities *facilities, struct bare_batch *batch)
{
	const struct bare_request *last = NULL;
	for (size_t i = 0; i < batch->count; i++) {
		if (!batch->requests[i].is_fresh)
			continue;
		approve(facilities, batch, &batch->requests[i]);
		last = &batch->requests[i];
	}
	int64_t ordinal = 1;
	for (size_t i = 0; i < batch->bins_count; i++)
		if (batch->bins[i]->taken > 0) {
			report(facilities, batch, batch->bins[i], last, ordinal);
			ordinal += 2;
		}
}

void bare_clear(struct bare_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		free(batch->requests[i].body);
	for (size_t i = 0; i < batch->bins_count; i++) {
		free(batch->bins[i]->units);
		free(batch->bins[i]);
	}
	for (size_t i = 0; i < batch->outputs_count; i++)
		free(batch->outputs[i].body);
	batch->count = batch->bins_count = batch->outputs_count = 0;
}
