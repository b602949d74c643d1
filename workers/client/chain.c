/* One line for each event: milliseconds since the start, since the last one, the event, what it says. */
#include "chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "print.h"
#include "summary.h"

static const char *text_of(const json_t *body, const char *name)
{
	const char *text = json_string_value(json_object_get(body, name));
	return text == NULL ? "" : text;
}

static void print_event(const struct chain *chain, enum event event, const json_t *body, int64_t now_us)
{
	char summary[SUMMARY_MAX];
	const char *color = chain->has_color ? summary_color(event) : NULL;
	summary_write(event, body, summary);
	printf("%9.1f ms  %+8.1f  %s%-26s%s  %s\n", (double)(now_us - chain->started_us) / 1000,
		(double)(now_us - chain->last_us) / 1000, color == NULL ? "" : color, event_type(event)->name,
		color == NULL ? "" : COLOR_PLAIN, summary);
	fflush(stdout);
}

/* Takes `body` over. */
static void note(struct chain *chain, enum event event, json_t *body)
{
	int64_t now_us = clock_steady_us();
	if (!chain->is_json)
		print_event(chain, event, body, now_us);
	json_array_append_new(chain->events,
		json_pack("{s:s, s:f, s:f, s:o}", "event", event_type(event)->name, "at_ms",
			(double)(now_us - chain->started_us) / 1000, "since_last_ms",
			(double)(now_us - chain->last_us) / 1000, "body", body));
	chain->last_us = now_us;
}

void chain_begin_with(struct chain *chain, enum event event, json_t *body)
{
	chain->events = json_array();
	chain->started_us = chain->last_us = clock_steady_us();
	note(chain, event, body);
}

void chain_begin(struct chain *chain, enum event event, const char *body)
{
	chain_begin_with(chain, event, json_loads(body, 0, NULL));
}

void chain_end(struct chain *chain, enum event event, json_t *body, const char *status, enum ending ending)
{
	note(chain, event, body);
	chain->status = status;
	chain->is_over = true;
	chain->ending = ending;
}

static bool is_ours(struct chain *chain, const struct delivery *delivery, const json_t *body)
{
	const char *correlation_id = delivery->correlation_id == NULL ? "" : delivery->correlation_id;
	bool is_same_request = strcmp(text_of(body, "request_id"), chain->request_id) == 0;
	if (is_same_request && chain->correlation_id[0] == '\0')
		snprintf(chain->correlation_id, sizeof(chain->correlation_id), "%s", correlation_id);
	return is_same_request
		|| (correlation_id[0] != '\0' && strcmp(correlation_id, chain->correlation_id) == 0);
}

/* What we sent ourselves. */
static bool is_echo(const struct chain *chain, const struct delivery *delivery)
{
	return delivery->message_id != NULL && strcmp(delivery->message_id, chain->correlation_id) == 0;
}

static const struct {
	const char *status;
	enum ending ending;
} final_statuses[] = {
	{ "approved", ENDING_DONE },
	{ "partially_approved", ENDING_DONE },
	{ "scheduled", ENDING_DONE },
	{ "issued", ENDING_DONE },
	{ "fulfilled", ENDING_DONE },
	{ "rejected", ENDING_NO },
	{ "cancelled", ENDING_NO },
	{ "expired", ENDING_NO },
};

static void judge(struct chain *chain, enum event event, const json_t *body)
{
	if (event == HOSPITAL_BLOOD_REFUSED) {
		chain->status = "refused";
		chain->is_over = true;
		chain->ending = ENDING_NO;
	}
	if (event != HOSPITAL_REQUEST_UPDATED)
		return;
	chain->status = text_of(body, "status");
	for (size_t i = 0; i < sizeof(final_statuses) / sizeof(final_statuses[0]); i++) {
		if (strcmp(final_statuses[i].status, chain->status) != 0)
			continue;
		chain->is_over = true;
		chain->ending = final_statuses[i].ending;
	}
}

void chain_hear(void *owner, struct delivery *delivery)
{
	struct chain *chain = owner;
	json_t *body = json_loadb(delivery->body, delivery->body_bytes, 0, NULL);
	enum event event = event_find(delivery->type == NULL ? "" : delivery->type);
	if (chain->is_over || event == EVENT_NONE || !is_ours(chain, delivery, body)
		|| is_echo(chain, delivery)) {
		json_decref(body);
	} else {
		note(chain, event, body == NULL ? json_null() : body);
		judge(chain, event,
			json_object_get(json_array_get(chain->events, json_array_size(chain->events) - 1), "body"));
	}
	delivery_free(delivery);
}

void chain_decide(struct chain *chain, const json_t *decision)
{
	static const char *const statuses[][2] = { { "full", "approved" }, { "partial", "partially_approved" } };
	const char *status = "rejected";
	enum ending ending = ENDING_NO;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (strcmp(text_of(decision, "decision"), statuses[i][0]) == 0) {
			status = statuses[i][1];
			ending = ENDING_DONE;
		}
	chain_end(chain, ending == ENDING_DONE ? BLOODBANK_BLOOD_APPROVED : BLOODBANK_BLOOD_REJECTED,
		json_deep_copy(decision), status, ending);
}

static void print_json(const struct chain *chain)
{
	json_t *result = json_pack("{s:s, s:s, s:s, s:O}", chain->id_name, chain->request_id, "correlation_id",
		chain->correlation_id, "status", chain->is_over ? chain->status : "undecided", "events",
		chain->events);
	json_dumpf(result, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	printf("\n");
	json_decref(result);
}

void chain_finish(struct chain *chain)
{
	if (chain->is_json)
		print_json(chain);
	else if (chain->is_over)
		printf("%s after %.1f ms\n", chain->status, (double)(chain->last_us - chain->started_us) / 1000);
	json_decref(chain->events);
	chain->events = NULL;
}
