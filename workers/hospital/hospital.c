/*
 * The hospital worker. A command becomes a fact (`hospital.blood.requested`) or is refused; the banks' decisions become the
 * request's status. Every change is told by `hospital.request.updated`, which is also the view that others read.
 */
#include "hospital.h"

#include <stddef.h>

#include "hospital_queries.h"
#include "lifecycle.h"
#include "question.h"
#include "store.h"

static struct origin origin_of(const struct request *request)
{
	return (struct origin){ .correlation_id = request->correlation_id, .traceparent = request->traceparent };
}

/* The state as it is now, for the bus and for readers. The same version always has the same id and bytes. */
static void tell_state(const struct request *request, struct arena *arena, struct outbox *outbox)
{
	struct origin origin = origin_of(request);
	struct hospital_request_updated state;
	request_describe(request, arena, &state);
	outbox_event(outbox, HOSPITAL_REQUEST_UPDATED, &state, request->request_id, request->version, false,
		&origin);
	outbox_view(outbox, "request", request->request_id, request->version, HOSPITAL_REQUEST_UPDATED, &state);
}

static void tell_requested(const struct request *request, struct arena *arena, struct outbox *outbox)
{
	struct origin origin = origin_of(request);
	struct hospital_blood_requested requested;
	request_event(request, arena, &requested);
	outbox_event(outbox, HOSPITAL_BLOOD_REQUESTED, &requested, request->request_id, 1,
		request->urgency == URGENCY_EMERGENCY, &origin);
}

/* Whoever cancels again hears the same event again. */
static void tell_cancelled(const struct request *request, struct outbox *outbox)
{
	struct origin origin = origin_of(request);
	struct hospital_blood_cancelled cancelled;
	request_cancelled_event(request, &cancelled);
	outbox_event(outbox, HOSPITAL_BLOOD_CANCELLED, &cancelled, request->request_id, cancelled.version, false,
		&origin);
}

static void refuse(const struct message *message, struct hospital_blood_refused *refused,
	struct outbox *outbox)
{
	refused->request_id = message_request_id(message);
	refused->command = event_type(message->event)->name;
	refused->causation = message->message_id;
	outbox_answer(outbox, HOSPITAL_BLOOD_REFUSED, refused, false);
}

static void refuse_duplicate(const struct message *message, const struct request *request,
	struct outbox *outbox)
{
	refuse(message,
		&(struct hospital_blood_refused){
			.hospital_id = request->hospital_id,
			.reason = REQUEST_REFUSAL_DUPLICATE_CONFLICT,
			.detail =
				"another request was recorded under this request id; send a new one with an id of its own",
			.state = request_status_name(request->status),
		},
		outbox);
}

static void refuse_state(const struct message *message, const struct request *request, struct outbox *outbox)
{
	refuse(message,
		&(struct hospital_blood_refused){
			.hospital_id = request->hospital_id,
			.reason = REQUEST_REFUSAL_WRONG_STATE,
			.detail = "the request has come to another end; there is nothing left to cancel",
			.state = request_status_name(request->status),
		},
		outbox);
}

/* What the machine itself cannot accept: another body under a known message id. */
static void refuse_conflict(const struct message *message, const char *reason, const char *detail,
	struct outbox *outbox)
{
	refuse(message,
		&(struct hospital_blood_refused){
			.reason = request_refusal_find(reason),
			.detail = detail,
		},
		outbox);
}

static struct request *find_request(const struct message *message, const struct batch *batch)
{
	return requests_find(batch->state, message_request_id(message));
}

/* The request that a fact belongs to. Whoever tells first of it names the workflow. */
static struct request *join_request(const struct message *message, const struct batch *batch)
{
	struct request *request = find_request(message, batch);
	if (request->version == 0) {
		request->correlation_id = message->correlation_id;
		request->traceparent = message->traceparent;
	}
	return request;
}

static bool is_registered(const struct message *message, const struct batch *batch)
{
	return requests_knows_hospital(batch->state, message_hospital_id(message));
}

static void refuse_facility(const struct message *message, struct outbox *outbox)
{
	refuse(message,
		&(struct hospital_blood_refused){
			.hospital_id = message_hospital_id(message),
			.reason = REQUEST_REFUSAL_UNKNOWN_FACILITY,
			.detail = "no hospital of this id is registered; check hospital_id",
		},
		outbox);
}

/* Records what was asked if it is news. False: something else was asked under the same id before. */
static bool record(const struct message *message, const struct hospital_blood_requested *requested,
	struct batch *batch, bool *is_news)
{
	const char *content = request_content(requested, batch->arena);
	*is_news = find_request(message, batch)->content == NULL;
	if (*is_news)
		request_fill(join_request(message, batch), requested, content, batch->now);
	return request_has_content(find_request(message, batch), content);
}

/* The same request again hears the same events again. */
static enum outcome decide_request(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why)
{
	const struct request *request = find_request(message, batch);
	struct hospital_blood_requested requested;
	bool is_news;
	(void)why;
	if (!is_registered(message, batch)) {
		refuse_facility(message, outbox);
		return DONE;
	}
	requested_from_request(message->body, request->request_id, &requested);
	if (!record(message, &requested, batch, &is_news)) {
		refuse_duplicate(message, request, outbox);
		return DONE;
	}
	tell_requested(request, batch->arena, outbox);
	tell_state(request, batch->arena, outbox);
	return DONE;
}

/* Our own events come by here as well: what is known changes nothing. */
static enum outcome decide_requested(const struct message *message, struct batch *batch,
	struct outbox *outbox, struct why *why)
{
	const struct request *request = find_request(message, batch);
	bool is_news;
	(void)why;
	if (!record(message, message->body, batch, &is_news))
		refuse_duplicate(message, request, outbox);
	else if (is_news)
		tell_state(request, batch->arena, outbox);
	return DONE;
}

/*
 * A cancel may overtake its request: then it is all that is known of it. When the request comes, it is recorded and handed to the
 * banks like any other, which reject it: they have heard of the cancel, or hear of it later and give its units back.
 */
static enum outcome decide_cancel(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why)
{
	struct request *request = join_request(message, batch);
	(void)why;
	if (!lifecycle_may_be_cancelled(request)) {
		refuse_state(message, request, outbox);
		return DONE;
	}
	bool is_news = request_add_cancellation(request, message->body, batch->now, batch->arena);
	tell_cancelled(request, outbox);
	if (is_news)
		tell_state(request, batch->arena, outbox);
	return DONE;
}

static enum outcome decide_approved(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why)
{
	struct request *request = join_request(message, batch);
	(void)why;
	if (request_add_approval(request, message->body, batch->arena))
		tell_state(request, batch->arena, outbox);
	return DONE;
}

static enum outcome decide_rejected(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why)
{
	struct request *request = join_request(message, batch);
	(void)why;
	if (request_add_rejection(request, message->body))
		tell_state(request, batch->arena, outbox);
	return DONE;
}

static enum outcome decide_released(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why)
{
	struct request *request = join_request(message, batch);
	(void)why;
	if (request_add_release(request, message->body, batch->now, batch->arena))
		tell_state(request, batch->arena, outbox);
	return DONE;
}

static enum outcome answer_request(const struct message *message, struct database *database,
	enum event *answer_event, const void **answer, struct why *why)
{
	const struct hospital_query_request *question = message->body;
	enum outcome outcome;
	const struct hospital_request_updated *state =
		store_describe(question->request_id, database, message->arena, &outcome, why);
	if (outcome != DONE)
		return outcome;
	struct hospital_request_answered *answered = arena_new(message->arena, sizeof(*answered));
	answered->found = state != NULL;
	answered->as_of = message->now;
	answered->has_as_of = true;
	if (state != NULL) {
		answered->request = arena_new(message->arena, sizeof(*answered->request));
		*answered->request = *state;
	}
	*answer_event = HOSPITAL_REQUEST_ANSWERED;
	*answer = answered;
	return DONE;
}

static const void *read_view(const char *key, struct database *database, int64_t *version,
	struct arena *arena, struct why *why)
{
	enum outcome outcome;
	const struct hospital_request_updated *state = store_describe(key, database, arena, &outcome, why);
	if (state != NULL)
		*version = state->version;
	return state;
}

const struct worker hospital = {
	.name = "hospital",
	.has_emergency_lane = true,
	.schema_version = 4,
	.routes = {
		{ HOSPITAL_BLOOD_REQUEST, decide_request, refuse_conflict },
		{ HOSPITAL_BLOOD_REQUESTED, decide_requested, refuse_conflict },
		{ HOSPITAL_BLOOD_CANCEL, decide_cancel, refuse_conflict },
		{ BLOODBANK_BLOOD_APPROVED, decide_approved, NULL },
		{ BLOODBANK_BLOOD_REJECTED, decide_rejected, NULL },
		{ BLOODBANK_RESERVATION_RELEASED, decide_released, NULL },
		{ 0 },
	},
	.skips_own = HOSPITAL_BLOOD_REQUESTED,
	.questions = {
		{ HOSPITAL_QUERY_REQUEST, answer_request },
		{ HOSPITAL_QUERY_REQUESTS, answer_requests },
		{ HOSPITAL_QUERY_STOCK, answer_stock },
		{ 0 },
	},
	.views = {
		{ "request", HOSPITAL_REQUEST_UPDATED, read_view },
		{ 0 },
	},
	.load = store_load,
	.store = store_changes,
	.queries = hospital_queries,
};
