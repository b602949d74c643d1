/* The token file: every field's limits, the line a fault is in, the search. */
#include "tokens.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"

/* sha256 of "cb_one" and "cb_two" */
#define HASH_ONE "dcf98ca730b11b1ab0722931086a5afe504dae5efade29cddb7ddfade148dcce"
#define HASH_TWO "ae83308d4a236fb6265b309b324b9873f7043787c8cf0d987464c851527da2c9"

static struct arena arena;

static void set_up(void)
{
	arena_init(&arena);
}

static void tear_down(void)
{
	arena_clear(&arena);
}

static bool parse(const char *text, struct tokens *out, struct why *why)
{
	return tokens_parse(text, strlen(text), &arena, out, why);
}

START_TEST(a_whole_file)
{
	static const char text[] = "# who may come in\n"
							   "\n" HASH_ONE " ward.7@h-1 hospital hospital-001 20 2030-01-31T12:00:00Z\n"
							   "#" HASH_ONE " gone admin * 0 -\n" HASH_TWO " ops admin * 0 -";
	struct tokens tokens;
	struct why why;
	ck_assert_msg(parse(text, &tokens, &why), "%s", why.text);
	ck_assert_uint_eq(tokens.count, 2);
	ck_assert_int_lt(memcmp(tokens.items[0].digest, tokens.items[1].digest, SHA256_BYTES), 0);
	const struct token *one = tokens_find(&tokens, "cb_one");
	ck_assert_ptr_nonnull(one);
	ck_assert_str_eq(one->subject, "ward.7@h-1");
	ck_assert_int_eq(one->role, TOKEN_HOSPITAL);
	ck_assert_str_eq(one->facility_id, "hospital-001");
	ck_assert_int_eq(one->rate_per_s, 20);
	ck_assert(one->has_expires_at);
	ck_assert_int_eq(one->expires_at, INT64_C(1896091200000000));
	const struct token *two = tokens_find(&tokens, "cb_two");
	ck_assert_ptr_nonnull(two);
	ck_assert_int_eq(two->role, TOKEN_ADMIN);
	ck_assert_ptr_null(two->facility_id);
	ck_assert_int_eq(two->rate_per_s, 0);
	ck_assert(!two->has_expires_at);
}
END_TEST

START_TEST(who_is_not_there_is_not_found)
{
	struct tokens none = { .count = 0 }, tokens;
	struct why why;
	ck_assert(parse(HASH_ONE " a admin * 0 -\n", &tokens, &why));
	ck_assert_ptr_null(tokens_find(&none, "cb_one"));
	ck_assert_ptr_null(tokens_find(&tokens, "cb_two"));
	ck_assert_ptr_null(tokens_find(&tokens, ""));
	ck_assert_ptr_null(tokens_find(&tokens, HASH_ONE));
}
END_TEST

START_TEST(nothing_is_no_fault)
{
	struct tokens tokens = { .count = 7 };
	struct why why;
	ck_assert(tokens_parse(NULL, 0, &arena, &tokens, &why));
	ck_assert_uint_eq(tokens.count, 0);
}
END_TEST

static const struct fault {
	const char *line, *text;
} faults[] = {
	{ "08562083 a admin * 0 -", "the hash" },
	{ "08562083AA38FDF3DC391FE3D97D09D5DA0EAF2C19BE13DB2EA9EC2EC7C99E98 a admin * 0 -", "the hash" },
	{ HASH_ONE "0 a admin * 0 -", "the hash" },
	{ HASH_ONE " a/b admin * 0 -", "the subject" },
	{ HASH_ONE " aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa admin * 0 -",
		"the subject" },
	{ HASH_ONE " a root * 0 -", "the role" },
	{ HASH_ONE " a Admin * 0 -", "the role" },
	{ HASH_ONE " a bank Bank-1 0 -", "the facility" },
	{ HASH_ONE " a bank bank-*  0 -", "six fields" },
	{ HASH_ONE " a bank ** 0 -", "the facility" },
	{ HASH_ONE " a bank * -1 -", "the rate" },
	{ HASH_ONE " a bank * 1e3 -", "the rate" },
	{ HASH_ONE " a bank * 100001 -", "the rate" },
	{ HASH_ONE " a bank * 9999999999999999999 -", "the rate" },
	{ HASH_ONE " a bank * 0 never", "the expiry" },
	{ HASH_ONE " a bank * 0 2030-02-30T00:00:00Z", "the expiry" },
	{ HASH_ONE " a bank * 0 -\r", "the expiry" },
	{ HASH_ONE " a bank * 0", "six fields" },
	{ HASH_ONE " a bank * 0 - -", "six fields" },
	{ HASH_ONE " a bank * 0 - ", "six fields" },
	{ " " HASH_ONE " a bank * 0 -", "six fields" },
	{ HASH_ONE "\ta bank * 0 -", "six fields" },
	{ " ", "six fields" },
};

START_TEST(a_fault_names_its_line)
{
	const struct fault *fault = &faults[_i];
	struct tokens tokens = { .count = 7 };
	struct why why;
	char text[600];
	snprintf(text, sizeof(text), "# one\n" HASH_TWO " b admin * 0 -\n%s\n", fault->line);
	ck_assert_msg(!parse(text, &tokens, &why), "%s", fault->line);
	ck_assert_msg(strncmp(why.text, "line 3: ", 8) == 0, "%s", why.text);
	ck_assert_msg(strstr(why.text, fault->text) != NULL, "%s", why.text);
	ck_assert_uint_eq(tokens.count, 7);
}
END_TEST

START_TEST(a_nul_byte_hides_nothing)
{
	static const char text[] = HASH_ONE " a admin * 0 -\0\n";
	struct tokens tokens;
	struct why why;
	ck_assert(!tokens_parse(text, sizeof(text) - 1, &arena, &tokens, &why));
	ck_assert_ptr_nonnull(strstr(why.text, "NUL"));
}
END_TEST

START_TEST(a_token_is_there_once)
{
	struct tokens tokens;
	struct why why;
	ck_assert(!parse(HASH_ONE " a admin * 0 -\n" HASH_ONE " b reader * 0 -\n", &tokens, &why));
	ck_assert_ptr_nonnull(strstr(why.text, "twice"));
}
END_TEST

static void make_many(struct buffer *out, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char name[16], hash[SHA256_TEXT_BYTES];
		snprintf(name, sizeof(name), "cb_%u", i);
		sha256_text(name, strlen(name), hash);
		buffer_print(out, "%s s%u reader * 0 -\n", hash, i);
	}
}

START_TEST(as_many_as_the_limit)
{
	struct tokens tokens;
	struct why why;
	struct buffer text;
	buffer_init(&text);
	make_many(&text, TOKENS_MAX);
	ck_assert_msg(tokens_parse(buffer_text(&text), text.length_bytes, &arena, &tokens, &why), "%s", why.text);
	ck_assert_uint_eq(tokens.count, TOKENS_MAX);
	for (unsigned i = 0; i < TOKENS_MAX; i++) {
		char name[16];
		snprintf(name, sizeof(name), "cb_%u", i);
		const struct token *found = tokens_find(&tokens, name);
		ck_assert_ptr_nonnull(found);
		ck_assert_str_eq(found->subject + 1, name + 3);
	}
	buffer_add_text(&text, HASH_ONE " a admin * 0 -\n");
	ck_assert(!tokens_parse(buffer_text(&text), text.length_bytes, &arena, &tokens, &why));
	ck_assert_ptr_nonnull(strstr(why.text, "line 10001: more than 10000"));
	buffer_clear(&text);
}
END_TEST

START_TEST(a_printed_line_reads_the_same)
{
	static const char text[] = HASH_ONE " ward hospital hospital-001 20 2030-01-31T12:00:00Z\n";
	struct tokens tokens;
	struct why why;
	struct buffer out;
	buffer_init(&out);
	ck_assert(parse(text, &tokens, &why));
	token_print(&tokens.items[0], &out);
	ck_assert_str_eq(buffer_text(&out), text);
	buffer_reset(&out);
	ck_assert(parse(HASH_TWO " ops admin * 0 -", &tokens, &why));
	token_print(&tokens.items[0], &out);
	ck_assert_str_eq(buffer_text(&out), HASH_TWO " ops admin * 0 -\n");
	buffer_clear(&out);
}
END_TEST

START_TEST(what_would_not_be_one_line_is_refused)
{
	static const struct {
		struct token token;
		const char *fault; /* NULL = good */
	} cases[] = {
		{ { .subject = "a.B_9@x-" }, NULL },
		{ { .subject = "a", .facility_id = "bank-001", .rate_per_s = TOKEN_RATE_MAX }, NULL },
		{ { .subject = "" }, "the subject" },
		{ { .subject = "a reader * 0 -\n" HASH_ONE " b" }, "the subject" },
		{ { .subject = "a", .facility_id = "*" }, "the facility" },
		{ { .subject = "a", .facility_id = "b 0 -\n" }, "the facility" },
		{ { .subject = "a", .rate_per_s = -1 }, "the rate" },
		{ { .subject = "a", .rate_per_s = TOKEN_RATE_MAX + 1 }, "the rate" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct why why = { .text = "" };
		ck_assert(token_check(&cases[i].token, &why) == (cases[i].fault == NULL));
		ck_assert(cases[i].fault == NULL || strstr(why.text, cases[i].fault) != NULL);
	}
}
END_TEST

/* A file of that mode; its path is in `path`. */
static void make_file(char path[], mode_t mode)
{
	int file = mkstemp(path);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(write(file, "# x\n", 4), 4);
	ck_assert_int_eq(fchmod(file, mode), 0);
	close(file);
}

START_TEST(only_its_owner_may_touch_the_file)
{
	static const struct {
		mode_t mode;
		bool is_good;
	} cases[] = {
		{ 0600, true },
		{ 0400, true },
		{ 0640, false },
		{ 0604, false },
		{ 0660, false },
		{ 0644, false },
		{ 0602, false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char path[] = "/tmp/tokens-XXXXXX";
		struct buffer text;
		struct why why;
		buffer_init(&text);
		make_file(path, cases[i].mode);
		bool is_read = tokens_read_file(path, &text, &why);
		unlink(path);
		ck_assert_msg(is_read == cases[i].is_good, "mode %o", (unsigned)cases[i].mode);
		if (is_read)
			ck_assert_str_eq(buffer_text(&text), "# x\n");
		else
			ck_assert_ptr_nonnull(strstr(why.text, "chmod 0600"));
		buffer_clear(&text);
	}
}
END_TEST

START_TEST(a_folder_or_nothing_is_no_file)
{
	struct buffer text;
	struct why why;
	buffer_init(&text);
	ck_assert(!tokens_read_file("/tmp", &text, &why));
	ck_assert_ptr_nonnull(strstr(why.text, "not a regular file"));
	ck_assert(!tokens_read_file("/tmp/tokens/none/such", &text, &why));
	ck_assert_ptr_nonnull(strstr(why.text, "cannot be opened"));
	ck_assert_uint_eq(text.length_bytes, 0);
	buffer_clear(&text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tokens");
	TCase *test_case = tcase_create("tokens");
	tcase_add_checked_fixture(test_case, set_up, tear_down);
	tcase_add_test(test_case, a_whole_file);
	tcase_add_test(test_case, who_is_not_there_is_not_found);
	tcase_add_test(test_case, nothing_is_no_fault);
	tcase_add_loop_test(test_case, a_fault_names_its_line, 0, (int)(sizeof(faults) / sizeof(faults[0])));
	tcase_add_test(test_case, a_nul_byte_hides_nothing);
	tcase_add_test(test_case, a_token_is_there_once);
	tcase_add_test(test_case, as_many_as_the_limit);
	tcase_add_test(test_case, a_printed_line_reads_the_same);
	tcase_add_test(test_case, what_would_not_be_one_line_is_refused);
	tcase_add_test(test_case, only_its_owner_may_touch_the_file);
	tcase_add_test(test_case, a_folder_or_nothing_is_no_file);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
