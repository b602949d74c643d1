/* A request for blood arrives. */
#include "bloodbank.h"
#include "decision.h"
#include "request_body.h"
#include "state.h"

static struct request *add_request(struct state *state, const struct message *message, const char *body)
{
	const struct hospital_blood_requested *asked = message->body;
	struct request *request = state_add_request(state, asked->request_id);
	request->asked = asked;
	request->body = body;
	request->is_new = true;
	request->received_at = state->now + state->new_requests_count++;
	request->origin = (struct origin){ message->correlation_id, message->traceparent };
	return request;
}

/*
 * The same request under another message id hears the same answers. One that differs is the hospital's to refuse: here it
 * changes nothing and is not answered.
 */
enum outcome decide_requested(const struct message *message, struct batch *batch, struct outbox *outbox,
	struct why *why)
{
	struct state *state = batch->state;
	const struct hospital_blood_requested *asked = message->body;
	const char *body = request_body_write(asked, state->arena);
	struct request *request = state_request(state, asked->request_id);
	(void)why;
	if (request == NULL)
		decide_new_request(state, add_request(state, message, body), outbox);
	else if (request_body_is_same(request->body, body, state->arena))
		repeat_decisions(request, outbox);
	if (state->shelves.wants_more)
		batch->wants_more = true;
	return DONE;
}
