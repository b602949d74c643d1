/* The outbox: which ids are minted, what goes along with an event, and that a rewind leaves nothing. */
#include "outbox.h"

#include <signal.h>
#include <string.h>

#include "clock.h"
#include "outbox_internal.h"
#include "run.h"

#define REQUEST "aaaaaaaa-0000-4000-8000-000000000001"
#define CAUSE "bbbbbbbb-0000-4000-8000-000000000001"
#define TRACE "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

enum { NOW = 1700000000 };

static const unsigned char installation[UUID_BYTES] = { 1, 2, 3 };
static const unsigned char another[UUID_BYTES] = { 1, 2, 4 };
static const struct message cause = {
	.event = HOSPITAL_BLOOD_REQUEST, .message_id = CAUSE, .correlation_id = "workflow", .traceparent = TRACE
};
static struct arena arena;
static struct outbox outbox;

static void begin(const unsigned char namespace_id[UUID_BYTES], const struct message *message,
	const char *digest)
{
	outbox_init(&outbox, &arena, namespace_id, (int64_t)NOW * MICROSECONDS_PER_SECOND);
	outbox_cause(&outbox, message, CAUSE, digest, 0);
}

static void set_up(void)
{
	arena_init(&arena);
	begin(installation, &cause, "digest");
}

static void tear_down(void)
{
	arena_clear(&arena);
}

static const struct hospital_blood_refused *refusal(void)
{
	static const struct hospital_blood_refused refused = { .request_id = REQUEST,
		.command = "hospital.blood.request",
		.causation = CAUSE,
		.reason = REQUEST_REFUSAL_WRONG_STATE };
	return &refused;
}

static const struct output *refuse(void)
{
	outbox_answer(&outbox, HOSPITAL_BLOOD_REFUSED, refusal(), false);
	return outbox.last;
}

static const struct output *request(int64_t version, bool is_emergency)
{
	const struct hospital_blood_requested requested = { .request_id = REQUEST,
		.hospital_id = "hospital-001",
		.component = COMPONENT_RED_CELLS,
		.group = BLOOD_GROUP_O_NEGATIVE,
		.quantity = 1,
		.urgency = is_emergency ? URGENCY_EMERGENCY : URGENCY_ROUTINE };
	outbox_event(&outbox, HOSPITAL_BLOOD_REQUESTED, &requested, REQUEST, version, is_emergency, NULL);
	return outbox.last;
}

START_TEST(an_aggregate_names_its_events)
{
	const struct output *first = request(1, false);
	begin(installation, NULL, "");
	const struct output *by_timer = request(1, false);
	ck_assert_str_eq(first->message_id, by_timer->message_id);
	ck_assert_str_ne(first->message_id, request(2, false)->message_id);
	begin(another, &cause, "digest");
	ck_assert_str_ne(first->message_id, request(1, false)->message_id);
}
END_TEST

START_TEST(an_answer_is_named_by_its_cause)
{
	const struct output *first = refuse();
	const struct output *second = refuse();
	ck_assert_str_ne(first->message_id, second->message_id);
	begin(installation, &cause, "digest");
	ck_assert_str_eq(refuse()->message_id, first->message_id);
	begin(installation, &cause, "digest of another body");
	ck_assert_str_ne(refuse()->message_id, first->message_id);
	begin(another, &cause, "digest");
	ck_assert_str_ne(refuse()->message_id, first->message_id);
}
END_TEST

START_TEST(an_event_carries_its_cause_on)
{
	const struct output *output = request(3, true);
	ck_assert_str_eq(output->exchange, "hospital");
	ck_assert_str_eq(output->type, "hospital.blood.requested");
	ck_assert_str_eq(output->routing_key, "hospital.blood.requested.emergency");
	ck_assert_str_eq(output->causation_id, CAUSE);
	ck_assert_str_eq(output->correlation_id, "workflow");
	ck_assert_str_eq(output->traceparent, TRACE);
	ck_assert_int_eq(output->version, 3);
	ck_assert_int_eq(output->created_at, (int64_t)NOW * MICROSECONDS_PER_SECOND);
	ck_assert(output->is_mandatory && output->is_stored && !output->is_view);
	ck_assert_uint_eq(strlen(output->body), output->body_bytes);
	ck_assert_str_eq(request(4, false)->routing_key, "hospital.blood.requested");
}
END_TEST

START_TEST(a_lane_is_only_for_events_that_have_one)
{
	outbox_answer(&outbox, HOSPITAL_BLOOD_REFUSED, refusal(), true);
	ck_assert_str_eq(outbox.last->routing_key, "hospital.blood.refused");
}
END_TEST

START_TEST(an_origin_outweighs_the_message)
{
	const struct origin origin = { .correlation_id = "older workflow" };
	outbox_event(&outbox, HOSPITAL_BLOOD_REFUSED, refusal(), REQUEST, 1, false, &origin);
	ck_assert_str_eq(outbox.last->correlation_id, "older workflow");
	ck_assert_str_eq(outbox.last->traceparent, TRACE);
	ck_assert_str_eq(outbox.last->causation_id, CAUSE);
}
END_TEST

START_TEST(without_a_cause_an_event_starts_its_workflow)
{
	begin(installation, NULL, "");
	const struct output *output = request(1, false);
	ck_assert_str_eq(output->correlation_id, output->message_id);
	ck_assert_ptr_null(output->causation_id);
	ck_assert_ptr_null(output->traceparent);
	ck_assert_str_eq(output->cause_id, CAUSE);
}
END_TEST

START_TEST(a_view_is_the_state_under_its_key)
{
	const struct hospital_request_updated state = {
		.request_id = REQUEST, .version = 9, .status = REQUEST_STATUS_PENDING
	};
	outbox_view(&outbox, "request", REQUEST, 9, HOSPITAL_REQUEST_UPDATED, &state);
	ck_assert(outbox.last->is_view);
	ck_assert_ptr_null(outbox.last->exchange);
	ck_assert_str_eq(outbox.last->type, "request");
	ck_assert_str_eq(outbox.last->routing_key, REQUEST);
	ck_assert_int_eq(outbox.last->version, 9);
}
END_TEST

START_TEST(ordinals_go_up_within_a_cause)
{
	refuse();
	refuse();
	ck_assert_int_eq(outbox.first->ordinal, 0);
	ck_assert_int_eq(outbox.last->ordinal, 1);
	outbox_cause(&outbox, &cause, "cccccccc-0000-4000-8000-000000000001", "digest", 5);
	ck_assert_int_eq(refuse()->ordinal, 5);
	ck_assert_uint_eq(outbox.count, 3);
}
END_TEST

/* A stored answer is not mandatory: the asker may be gone. */
START_TEST(a_reply_goes_to_the_asker_alone)
{
	struct message asked = cause;
	asked.reply_to = "bridge.7";
	begin(installation, &asked, "digest");
	ck_assert(outbox_reply(&outbox, HOSPITAL_BLOOD_REFUSED, refusal()));
	ck_assert_str_eq(outbox.last->routing_key, "hospital.answer.bridge.7");
	ck_assert(outbox.last->is_stored && !outbox.last->is_mandatory);
	asked.reply_to = "no name";
	ck_assert(!outbox_reply(&outbox, HOSPITAL_BLOOD_REFUSED, refusal()));
	asked.reply_to = NULL;
	ck_assert(!outbox_reply(&outbox, HOSPITAL_BLOOD_REFUSED, refusal()));
	ck_assert_uint_eq(outbox.count, 1);
}
END_TEST

/* hmac.new(bytes([1, 2, 3] + 13 * [0]), CAUSE, "sha256").hexdigest()[:32], as another program makes it. */
START_TEST(a_token_follows_from_the_message_and_the_installation)
{
	char token[TOKEN_TEXT_BYTES], again[TOKEN_TEXT_BYTES];
	outbox_token(&outbox, token);
	ck_assert_str_eq(token, "92049c834b552bfadf1b97bdd25a7612");
	begin(installation, &cause, "another digest");
	outbox_token(&outbox, again);
	ck_assert_str_eq(again, token);
	begin(another, &cause, "digest");
	outbox_token(&outbox, again);
	ck_assert_str_ne(again, token);
}
END_TEST

START_TEST(a_rewind_leaves_nothing)
{
	refuse();
	struct output *last = outbox.last;
	refuse();
	refuse();
	outbox_rewind(&outbox, last, 1);
	ck_assert_ptr_eq(outbox.last, last);
	ck_assert_ptr_null(last->next);
	outbox_rewind(&outbox, NULL, 0);
	ck_assert_ptr_null(outbox.first);
	ck_assert_uint_eq(outbox.count, 0);
	ck_assert_ptr_eq(refuse(), outbox.first);
}
END_TEST

/* It would be parked by every reader: our own mistake, found at once. */
START_TEST(a_body_that_its_schema_refuses_ends_the_process)
{
	const struct hospital_blood_refused empty = { .request_id = "no uuid" };
	outbox_answer(&outbox, HOSPITAL_BLOOD_REFUSED, &empty, false);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("outbox");
	TCase *test_case = tcase_create("outbox");
	tcase_add_checked_fixture(test_case, set_up, tear_down);
	tcase_add_test(test_case, an_aggregate_names_its_events);
	tcase_add_test(test_case, an_answer_is_named_by_its_cause);
	tcase_add_test(test_case, an_event_carries_its_cause_on);
	tcase_add_test(test_case, a_lane_is_only_for_events_that_have_one);
	tcase_add_test(test_case, an_origin_outweighs_the_message);
	tcase_add_test(test_case, without_a_cause_an_event_starts_its_workflow);
	tcase_add_test(test_case, a_view_is_the_state_under_its_key);
	tcase_add_test(test_case, ordinals_go_up_within_a_cause);
	tcase_add_test(test_case, a_reply_goes_to_the_asker_alone);
	tcase_add_test(test_case, a_token_follows_from_the_message_and_the_installation);
	tcase_add_test(test_case, a_rewind_leaves_nothing);
	tcase_add_test_raise_signal(test_case, a_body_that_its_schema_refuses_ends_the_process, SIGABRT);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
