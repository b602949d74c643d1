/* Days as JSON: what their owner writes is cut at the right places, and nothing else is. */
#include "slot_body.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "events.h"
#include "run.h"
#include "schema.h"

#define TIME "2030-02-28T17:02:03.000004Z"
#define DAY \
	"{\"found\":true,\"provider_id\":\"dr-adams\",\"date\":\"2030-03-04\",\"version\":7,\"certificate\":9007199254740991," \
	"\"as_of\":\"" TIME "\",\"source\":\"database\",\"slots\":[]}"

static void write_day(bool has_slots, struct buffer *out)
{
	struct slot_item slot = {
		.slot_id = "dr-adams.20300304.0900",
		.clinic_id = "clinic-001",
		.starts_at = INT64_C(1898845200000000),
		.ends_at = INT64_C(1898847000000000),
		.state = SLOT_STATE_FREE,
	};
	const struct appointment_slots_answered list = {
		.found = true,
		.provider_id = "dr-adams",
		.date = "2030-03-04",
		.version = 7,
		.has_version = true,
		.certificate = INT64_C(9007199254740991),
		.has_certificate = true,
		.as_of = INT64_C(1898528523000004),
		.source = SLOT_SOURCE_DATABASE,
		.slots = &slot,
		.slots_count = has_slots ? 1 : 0,
	};
	buffer_init(out);
	ck_assert(schema_write(&appointment_slots_answered_schema, &list, out));
}

START_TEST(what_its_owner_writes_is_read)
{
	for (int has_slots = 0; has_slots < 2; has_slots++) {
		struct buffer text;
		struct slot_body body;
		write_day(has_slots != 0, &text);
		ck_assert_msg(slot_body_read(buffer_text(&text), text.length_bytes, &body), "%s", buffer_text(&text));
		ck_assert_uint_eq(slot_body_certificate(&body), UINT64_C(9007199254740991));
		ck_assert(slot_body_is_of(&body, "dr-adams 2030-03-04"));
		buffer_clear(&text);
	}
}
END_TEST

START_TEST(two_members_are_written_anew_and_all_else_stays)
{
	struct buffer text, other, again;
	struct slot_body body;
	write_day(true, &text);
	buffer_init(&other);
	buffer_init(&again);
	ck_assert(slot_body_read(buffer_text(&text), text.length_bytes, &body));
	slot_body_write(&body, "2030-03-01T00:00:00Z", "lru", &other);
	ck_assert_ptr_nonnull(strstr(buffer_text(&other),
		",\"as_of\":\"2030-03-01T00:00:00Z\",\"source\":\"lru\",\"slots\":[{"));
	ck_assert(slot_body_read(buffer_text(&other), other.length_bytes, &body));
	slot_body_write(&body, TIME, "database", &again);
	ck_assert_str_eq(buffer_text(&again), buffer_text(&text));
	buffer_reset(&again);
	slot_body_write(&body, NULL, NULL, &again);
	ck_assert_str_eq(buffer_text(&again), buffer_text(&other));
	buffer_clear(&text);
	buffer_clear(&other);
	buffer_clear(&again);
}
END_TEST

START_TEST(it_is_of_one_day_only)
{
	static const char *const others[] = { "", " ", "dr-adams", "dr-adams 2030-03-05", "dr-adam 2030-03-04",
		"dr-adams 2030-03-04 ", "dr-adams2 2030-03-04", "dr-adams 2030-03-0" };
	struct slot_body body;
	ck_assert(slot_body_read(DAY, sizeof(DAY) - 1, &body));
	ck_assert(slot_body_is_of(&body, "dr-adams 2030-03-04"));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_msg(!slot_body_is_of(&body, others[i]), "\"%s\" was taken", others[i]);
}
END_TEST

START_TEST(each_part_of_a_text_is_refused)
{
	for (size_t bytes = 0; bytes < sizeof(DAY) - 1; bytes++) {
		struct slot_body body;
		char *part = malloc(bytes + 1); /* so that a checker of memory sees a step beyond it */
		ck_assert_ptr_nonnull(part);
		memcpy(part, DAY, bytes);
		ck_assert_msg(!slot_body_read(part, bytes, &body), "%.*s", (int)bytes, part);
		free(part);
	}
}
END_TEST

START_TEST(other_texts_are_refused)
{
	static const char *const texts[] = {
		"{\"found\":false,\"provider_id\":\"dr-adams\",\"date\":\"2030-03-04\",\"as_of\":\"" TIME
		"\",\"source\":\"lru\"}",
		"{\"found\":true,\"provider_id\":\"dr-adams\",\"date\":\"2030-03-04\",\"as_of\":\"" TIME "\"}",
		"{\"found\":true,\"provider_id\":\"dr-adams\",\"date\":\"2030-03-04\",\"source\":\"lru\",\"as_of\":\"" TIME
		"\"}",
		"{\"found\": true, \"provider_id\": \"dr-adams\", \"date\": \"2030-03-04\", \"as_of\": \"" TIME
		"\", \"source\": \"lru\"}",
		"{\"found\":true,\"provider_id\":\"dr-adams\",\"as_of\":\"" TIME "\",\"source\":\"lru\"]",
	};
	struct slot_body body;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		ck_assert_msg(!slot_body_read(texts[i], strlen(texts[i]), &body), "%s", texts[i]);
}
END_TEST

START_TEST(without_a_certificate_it_has_none)
{
	static const char text[] =
		"{\"found\":true,\"provider_id\":\"dr-adams\",\"date\":\"2030-03-04\",\"as_of\":\"" TIME
		"\",\"source\":\"database\",\"slots\":[]}";
	struct slot_body body;
	ck_assert(slot_body_read(text, sizeof(text) - 1, &body));
	ck_assert_uint_eq(slot_body_certificate(&body), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("slot_body");
	TCase *tests = tcase_create("slot_body");
	tcase_add_test(tests, what_its_owner_writes_is_read);
	tcase_add_test(tests, two_members_are_written_anew_and_all_else_stays);
	tcase_add_test(tests, it_is_of_one_day_only);
	tcase_add_test(tests, each_part_of_a_text_is_refused);
	tcase_add_test(tests, other_texts_are_refused);
	tcase_add_test(tests, without_a_certificate_it_has_none);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
