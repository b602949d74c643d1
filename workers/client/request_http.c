/* The request as staff send it, through the bridge. The feed tells what becomes of it; without one, the bridge's own answer. */
#include "request_run.h"

#include <stdio.h>

#include "clock.h"
#include "door.h"
#include "print.h"

enum { WHAT_BYTES = 80 };

static enum ending post(struct request_run *run, struct door *door, long wait_s, struct door_answer *answer)
{
	char what[WHAT_BYTES];
	snprintf(what, sizeof(what), "request %s", run->request_id);
	const struct door_request request = {
		.method = "POST",
		.path = "/v1/blood-requests",
		.body = buffer_text(&run->body),
		.body_bytes = run->body.length_bytes,
		.key = run->request_id,
		.wait_s = wait_s,
	};
	return door_call(door, what, &request, answer, stderr);
}

/* Sent, and that is all that was asked for. */
static enum ending tell_accepted(const struct request_run *run, const struct door_answer *answer)
{
	if (run->chain.is_json)
		print_json_value(answer->body);
	else
		printf("accepted, not yet decided (202): request %s\n", run->request_id);
	return ENDING_DONE;
}

/* Of who waited for the decision. */
static enum ending tell_decision(struct request_run *run, const struct door_answer *answer, long wait_s,
	struct why *why)
{
	enum ending ending = ENDING_NO_ANSWER;
	if (answer->status == 200) {
		chain_decide(&run->chain, answer->body);
		ending = run->chain.ending;
	} else {
		because(why, "timeout",
			"accepted, but not decided within %ld s; `carebus requests show %s` tells what became of it",
			wait_s, run->request_id);
	}
	chain_finish(&run->chain);
	return ending;
}

static enum ending converse(struct request_run *run, struct door *door, struct why *why)
{
	struct door_answer answer;
	bool is_watched = run->values->is_watched, has_feed = is_watched && run->connections.has_watcher;
	bool waits = is_watched && !has_feed;
	long wait_s = run->values->timeout_s < DOOR_WAIT_MAX_S ? run->values->timeout_s : DOOR_WAIT_MAX_S;
	if (has_feed && !request_connect(run, NULL, true, why))
		return ENDING_FAULT;
	if (is_watched)
		chain_begin(&run->chain, run->event, buffer_text(&run->body));
	enum ending ending = post(run, door, waits ? wait_s : 0, &answer);
	if (ending == ENDING_DONE && has_feed) {
		ending = request_follow(run, why);
		if (ending != ENDING_FAULT)
			chain_finish(&run->chain);
	} else if (ending == ENDING_DONE) {
		ending = waits ? tell_decision(run, &answer, wait_s, why) : tell_accepted(run, &answer);
	}
	door_answer_clear(&answer);
	return ending;
}

enum ending request_over_http(struct request_run *run, struct why *why)
{
	struct door *door = door_new(stderr);
	if (door == NULL)
		return ENDING_FAULT;
	enum ending ending = converse(run, door, why);
	door_free(door);
	return ending;
}
