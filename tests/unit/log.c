/* Log lines as they arrive on standard error: one write, one line, and nothing that could forge another. */
#include "log.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

enum { LINE_BYTES_MAX = 4096 };

static int pipe_ends[2];
static int real_stderr;
static char captured[64 * 1024];

static void set_up(void)
{
	ck_assert_int_eq(pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK), 0);
	real_stderr = dup(STDERR_FILENO);
	ck_assert_int_eq(dup2(pipe_ends[1], STDERR_FILENO), STDERR_FILENO);
}

static void tear_down(void)
{
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
}

/* What was logged since the last call, without the time at its beginning when it is logfmt. */
static const char *logged(void)
{
	ssize_t length = read(pipe_ends[0], captured, sizeof(captured) - 1);
	captured[length < 0 ? 0 : length] = '\0';
	if (strncmp(captured, "time=", 5) != 0)
		return captured;
	char *space = strchr(captured, ' ');
	ck_assert_ptr_nonnull(space);
	return space + 1;
}

static const struct log logfmt = { .worker = "hospital" };
static const struct log json = { .worker = "hospital", .is_json = true };

START_TEST(a_line_of_logfmt)
{
	log_line(&logfmt, LOG_INFO_LEVEL, "batch", "outcome", "done", "reason", NULL, "ms", "12", NULL);
	ck_assert_str_eq(logged(), "level=info worker=hospital what=batch outcome=done ms=12\n");
}
END_TEST

START_TEST(levels_below_the_limit_are_left_out)
{
	const struct log quiet = { .worker = "hospital", .level = LOG_WARNING_LEVEL };
	log_line(&quiet, LOG_DEBUG_LEVEL, "no", NULL);
	log_line(&quiet, LOG_INFO_LEVEL, "no", NULL);
	ck_assert_str_eq(logged(), "");
	log_line(&quiet, LOG_WARNING_LEVEL, "yes", NULL);
	ck_assert_str_eq(logged(), "level=warning worker=hospital what=yes\n");
	log_line(&quiet, LOG_ERROR_LEVEL, "yes", NULL);
	ck_assert_str_eq(logged(), "level=error worker=hospital what=yes\n");
}
END_TEST

START_TEST(values_are_quoted_as_needed)
{
	log_line(&logfmt, LOG_INFO_LEVEL, "two words", "a", "", "b", "x=y", "c", "say \"no\"", "d", "back\\slash",
		NULL);
	ck_assert_str_eq(logged(),
		"level=info worker=hospital what=\"two words\" a=\"\" b=\"x=y\""
		" c=\"say \\\"no\\\"\" d=\"back\\\\slash\"\n");
}
END_TEST

START_TEST(no_value_can_forge_a_line)
{
	log_line(&logfmt, LOG_INFO_LEVEL, "in", "detail", "a\nlevel=error worker=x\r\x1b[2J", NULL);
	ck_assert_str_eq(logged(),
		"level=info worker=hospital what=in detail=\"a\\nlevel=error worker=x\\u000d\\u001b[2J\"\n");
}
END_TEST

static json_t *logged_json(void)
{
	json_t *line = json_loads(logged(), JSON_REJECT_DUPLICATES, NULL);
	ck_assert_msg(line != NULL, "not JSON: %s", captured);
	return line;
}

START_TEST(a_line_of_json)
{
	log_line(&json, LOG_ERROR_LEVEL, "in \"quotes\"", "detail", "a\n\x01 \xc3\xa9", "reason", NULL, NULL);
	json_t *line = logged_json();
	ck_assert_str_eq(json_string_value(json_object_get(line, "level")), "error");
	ck_assert_str_eq(json_string_value(json_object_get(line, "worker")), "hospital");
	ck_assert_str_eq(json_string_value(json_object_get(line, "what")), "in \"quotes\"");
	ck_assert_str_eq(json_string_value(json_object_get(line, "detail")), "a\n\x01 \xc3\xa9");
	ck_assert_uint_eq(json_object_size(line), 5);
	json_decref(line);
}
END_TEST

/* Bytes that are no UTF-8, each alone between two letters. */
START_TEST(bytes_that_are_no_utf_8_are_replaced)
{
	static const char *const wrong[] = { "a\xff"
										 "b",
		"a\xc0\x80"
		"b",
		"a\xe0\x80\x80"
		"b",
		"a\xed\xa0\x80"
		"b",
		"a\xf4\x90\x80\x80"
		"b",
		"a\xf0\x80\x80\x80"
		"b",
		"a\xc3", "a\xe2\x82", "a\x80" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		log_line(&json, LOG_INFO_LEVEL, wrong[i], NULL);
		json_t *line = logged_json();
		const char *what = json_string_value(json_object_get(line, "what"));
		ck_assert_int_eq(what[0], 'a');
		ck_assert_int_eq(what[1], '?');
		json_decref(line);
	}
}
END_TEST

static char *long_text(char letter, size_t length)
{
	char *text = malloc(length + 1);
	ck_assert_ptr_nonnull(text);
	memset(text, letter, length);
	text[length] = '\0';
	return text;
}

START_TEST(long_values_are_cut)
{
	char *value = long_text('x', 3000);
	log_line(&logfmt, LOG_INFO_LEVEL, "long", "value", value, "after", "yes", NULL);
	const char *line = logged();
	ck_assert_ptr_nonnull(strstr(line, "xxx...\" after=yes\n"));
	ck_assert_uint_lt(strlen(line), 1200);
	free(value);
}
END_TEST

START_TEST(no_line_is_longer_than_4_kib)
{
	for (size_t length = 800; length <= 1100; length++) {
		char *value = long_text(length % 2 == 0 ? 'x' : '\x02', length);
		log_line(&json, LOG_INFO_LEVEL, "long", "a", value, "b", value, "c", value, "d", value, "e", value,
			NULL);
		json_t *line = logged_json();
		ck_assert_uint_le(strlen(captured), LINE_BYTES_MAX);
		ck_assert_str_eq(json_string_value(json_object_get(line, "cut")), "yes");
		json_decref(line);
		log_line(&logfmt, LOG_INFO_LEVEL, "long", "a", value, "b", value, "c", value, "d", value, "e", value,
			NULL);
		const char *text = logged();
		ck_assert_uint_le(strlen(captured), LINE_BYTES_MAX);
		ck_assert_str_eq(text + strlen(text) - 9, " cut=yes\n");
		free(value);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log");
	TCase *test_case = tcase_create("log");
	tcase_add_checked_fixture(test_case, set_up, tear_down);
	tcase_add_test(test_case, a_line_of_logfmt);
	tcase_add_test(test_case, levels_below_the_limit_are_left_out);
	tcase_add_test(test_case, values_are_quoted_as_needed);
	tcase_add_test(test_case, no_value_can_forge_a_line);
	tcase_add_test(test_case, a_line_of_json);
	tcase_add_test(test_case, bytes_that_are_no_utf_8_are_replaced);
	tcase_add_test(test_case, long_values_are_cut);
	tcase_add_test(test_case, no_line_is_longer_than_4_kib);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
