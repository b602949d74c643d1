/* The frames that we send, byte by byte. */
#include "broker_wire.h"

#include <string.h>

#include "run.h"

static struct buffer out;

static void set_up(void)
{
	buffer_init(&out);
}

static void tear_down(void)
{
	buffer_clear(&out);
}

static void check_bytes(const char *bytes, size_t length)
{
	ck_assert_uint_eq(out.length_bytes, length);
	ck_assert_mem_eq(out.data, bytes, length);
}

#define CHECK_BYTES(literal) check_bytes(literal, sizeof(literal) - 1)

static size_t length_at(size_t offset)
{
	const unsigned char *at = out.data + offset;
	return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
}

/* Where the frame after the one at `offset` begins; checks the end mark on the way. */
static size_t next_frame(size_t offset)
{
	size_t end = offset + 7 + length_at(offset + 3);
	ck_assert_uint_lt(end, out.length_bytes);
	ck_assert_uint_eq(out.data[end], 0xce);
	return end + 1;
}

START_TEST(a_heartbeat)
{
	wire_heartbeat(&out);
	CHECK_BYTES("\x08\0\0\0\0\0\0\xce");
}
END_TEST

START_TEST(an_acknowledgement)
{
	wire_ack(&out, 0x0102030405060708, true);
	CHECK_BYTES("\x01\0\x01\0\0\0\x0d\0\x3c\0\x50\x01\x02\x03\x04\x05\x06\x07\x08\x01\xce");
}
END_TEST

START_TEST(prefetch_cancel_and_consume)
{
	wire_qos(&out, 384);
	wire_cancel(&out, "b-1");
	wire_consume(&out, "bank", "b-1");
	CHECK_BYTES("\x01\0\x01\0\0\0\x0b\0\x3c\0\x0a\0\0\0\0\x01\x80\0\xce"
				"\x01\0\x01\0\0\0\x09\0\x3c\0\x1e\x03"
				"b-1\x01\xce"
				"\x01\0\x01\0\0\0\x14\0\x3c\0\x14\0\0\x04"
				"bank\x03"
				"b-1\x08\0\0\0\0\xce");
}
END_TEST

START_TEST(a_publish_with_nothing_but_what_is_required)
{
	const struct publication publication = {
		.exchange = "e", .routing_key = "k", .body = "{}", .body_bytes = 2
	};
	wire_publish(&out, &publication, NULL, 4096);
	CHECK_BYTES("\x01\0\x01\0\0\0\x0b\0\x3c\0\x28\0\0\x01"
				"e\x01"
				"k\0\xce"
				"\x02\0\x01\0\0\0\x24\0\x3c\0\0\0\0\0\0\0\0\0\x02\xb0\0\x10"
				"application/json\0\0\0\0\x02\xce"
				"\x03\0\x01\0\0\0\x02{}\xce");
}
END_TEST

START_TEST(properties_and_headers_in_their_order)
{
	const struct publication publication = {
		.exchange = "",
		.routing_key = "",
		.message_id = "m",
		.correlation_id = "c",
		.type = "t",
		.app_id = "a",
		.reply_to = "r",
		.reason = "x",
		.attempts = 2,
		.timestamp_s = 3,
		.body = "",
		.is_mandatory = true,
	};
	wire_publish(&out, &publication, "u", 4096);
	CHECK_BYTES("\x01\0\x01\0\0\0\x09\0\x3c\0\x28\0\0\0\0\x01\xce"
				"\x02\0\x01\0\0\0\x57\0\x3c\0\0\0\0\0\0\0\0\0\0\xb6\xf8\x10"
				"application/json"
				"\0\0\0\x1f\x06reasonS\0\0\0\x01x\x08"
				"attemptsl\0\0\0\0\0\0\0\x02"
				"\x02\x01"
				"c\x01r\x01m\0\0\0\0\0\0\0\x03\x01t\x01u\x01"
				"a\xce");
}
END_TEST

START_TEST(asking_for_one_message)
{
	wire_get(&out, "bank");
	CHECK_BYTES("\x01\0\x01\0\0\0\x0c\0\x3c\0\x46\0\0\x04"
				"bank\0\xce");
}
END_TEST

START_TEST(sending_again_what_is_bytes_already)
{
	const struct slice properties = { (const unsigned char *)"\x10\0\x02", 3 };
	const struct slice body = { (const unsigned char *)"\0\xff", 2 };
	wire_republish(&out, "q", properties, body, 4096);
	CHECK_BYTES("\x01\0\x01\0\0\0\x0a\0\x3c\0\x28\0\0\0\x01"
				"q\x01\xce"
				"\x02\0\x01\0\0\0\x0f\0\x3c\0\0\0\0\0\0\0\0\0\x02\x10\0\x02\xce"
				"\x03\0\x01\0\0\0\x02\0\xff\xce");
}
END_TEST

START_TEST(a_body_is_cut_into_frames)
{
	static char body[10000];
	const struct publication publication = {
		.exchange = "e",
		.routing_key = "k",
		.body = body,
		.body_bytes = sizeof(body),
	};
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (char)i;
	wire_publish(&out, &publication, "u", 4096);
	size_t frame = next_frame(next_frame(0));
	for (size_t read = 0; read < sizeof(body); frame = next_frame(frame)) {
		size_t length = length_at(frame + 3);
		ck_assert_uint_le(length + WIRE_FRAME_OVERHEAD, 4096);
		ck_assert_mem_eq(out.data + frame + 7, body + read, length);
		read += length;
		if (read == sizeof(body)) {
			ck_assert_uint_eq(next_frame(frame), out.length_bytes);
			return;
		}
	}
	ck_abort_msg("the body ends early");
}
END_TEST

START_TEST(texts_that_the_protocol_cannot_hold_are_cut)
{
	char text[400];
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	const struct publication publication = { .exchange = "", .routing_key = text, .body = "" };
	wire_publish(&out, &publication, NULL, 4096);
	ck_assert_uint_eq(out.data[14], 255);
	ck_assert_uint_eq(next_frame(next_frame(0)), out.length_bytes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("broker_wire");
	TCase *test_case = tcase_create("broker_wire");
	tcase_add_checked_fixture(test_case, set_up, tear_down);
	tcase_add_test(test_case, a_heartbeat);
	tcase_add_test(test_case, an_acknowledgement);
	tcase_add_test(test_case, prefetch_cancel_and_consume);
	tcase_add_test(test_case, a_publish_with_nothing_but_what_is_required);
	tcase_add_test(test_case, properties_and_headers_in_their_order);
	tcase_add_test(test_case, asking_for_one_message);
	tcase_add_test(test_case, sending_again_what_is_bytes_already);
	tcase_add_test(test_case, a_body_is_cut_into_frames);
	tcase_add_test(test_case, texts_that_the_protocol_cannot_hold_are_cut);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
