/* The file of tokens: what a token looks like, how lines come and go, and that the file is replaced whole. */
#include "buffer.h"
#include "secret_file.h"
#include "token_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

START_TEST(a_token_is_base64url)
{
	char text[TOKEN_TEXT_BYTES];
	unsigned char secret[TOKEN_SECRET_BYTES] = { 0 };
	token_text_make(secret, text);
	ck_assert_str_eq(text, "cb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	memset(secret, 0xff, sizeof(secret));
	token_text_make(secret, text);
	ck_assert_str_eq(text, "cb___________________________________________8");
	for (size_t i = 0; i < sizeof(secret); i++)
		secret[i] = (unsigned char)i;
	token_text_make(secret, text);
	ck_assert_str_eq(text, "cb_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
}
END_TEST

#define ZEROS "000000000000000000000000000000000000000000000000000000"
#define AAA "aaaaaaaa00" ZEROS
#define AAB "aaaaaaaa11" ZEROS
#define BBB "bbbbbbbb00" ZEROS
#define TOKEN_FILE \
	"# ours\n" AAA " ward hospital hospital-001 0 -\n\n" AAB " ward hospital hospital-001 5 -\n" BBB \
	" ops admin * 0 -"

static const struct {
	const char *who;
	size_t removed;
	const char *rest;
} revocations[] = {
	{ "ward", 2, "# ours\n\n" BBB " ops admin * 0 -" },
	{ "ops", 1,
		"# ours\n" AAA " ward hospital hospital-001 0 -\n\n" AAB " ward hospital hospital-001 5 -\n" },
	{ "bbbbbbbb", 1,
		"# ours\n" AAA " ward hospital hospital-001 0 -\n\n" AAB " ward hospital hospital-001 5 -\n" },
	{ "aaaaaaaa1", 1, "# ours\n" AAA " ward hospital hospital-001 0 -\n\n" BBB " ops admin * 0 -" },
	{ AAA, 1, "# ours\n\n" AAB " ward hospital hospital-001 5 -\n" BBB " ops admin * 0 -" },
};

START_TEST(tokens_are_revoked_and_the_rest_stays)
{
	struct buffer text;
	struct why why = { .text = "" };
	size_t removed = 0;
	buffer_init(&text);
	buffer_add_text(&text, TOKEN_FILE);
	ck_assert_msg(token_text_revoke(&text, revocations[_i].who, &out, &removed, &why), "%s", why.text);
	ck_assert_uint_eq(removed, revocations[_i].removed);
	ck_assert_str_eq(buffer_text(&out), revocations[_i].rest);
	buffer_clear(&text);
}
END_TEST

static const struct {
	const char *who, *reason;
} vain_revocations[] = {
	{ "nobody", "absent" },
	{ "", "absent" },
	{ "b", "absent" },
	{ "bbbbbbb", "absent" },
	{ "aaaaaaaa", "usage" },
	{ "BBBBBBBB", "absent" },
	{ "aaaaaaaa2", "absent" },
	{ BBB "0", "absent" },
};

START_TEST(nothing_is_revoked_by_guessing)
{
	struct buffer text;
	struct why why = { .text = "" };
	size_t removed;
	buffer_init(&text);
	buffer_add_text(&text, TOKEN_FILE);
	ck_assert(!token_text_revoke(&text, vain_revocations[_i].who, &out, &removed, &why));
	ck_assert_str_eq(why.reason, vain_revocations[_i].reason);
	ck_assert_uint_eq(out.length_bytes, 0);
	buffer_clear(&text);
}
END_TEST

START_TEST(a_line_is_added_behind_an_open_one)
{
	struct token token = { .subject = "x", .role = TOKEN_READER };
	buffer_add_text(&out, "# no line feed");
	token_text_add(&out, &token);
	ck_assert_str_eq(buffer_text(&out),
		"# no line feed\n00000000"
		"00" ZEROS " x reader * 0 -\n");
}
END_TEST

static mode_t mode_of(const char *path)
{
	struct stat status;
	ck_assert_int_eq(stat(path, &status), 0);
	return status.st_mode & 07777;
}

START_TEST(a_secret_file_is_replaced_whole)
{
	char folder[] = "/tmp/secret-XXXXXX", path[64], link[64];
	struct secret_file file;
	struct why why = { .text = "" };
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a", folder);
	snprintf(link, sizeof(link), "%s/b", folder);
	ck_assert_msg(secret_file_open(&file, path, &why) && secret_file_lock(&file, &why), "%s", why.text);
	ck_assert(!secret_file_exists(&file));
	ck_assert_msg(secret_file_replace(&file, "one", 3, &why), "%s", why.text);
	ck_assert(secret_file_exists(&file));
	secret_file_close(&file);
	ck_assert_uint_eq(mode_of(path), 0600);
	ck_assert_int_eq(symlink("a", link), 0);
	ck_assert_msg(secret_file_open(&file, link, &why) && secret_file_lock(&file, &why), "%s", why.text);
	ck_assert_msg(secret_file_replace(&file, "three", 5, &why), "%s", why.text);
	secret_file_close(&file);
	struct stat status;
	ck_assert_int_eq(lstat(link, &status), 0);
	ck_assert(S_ISLNK(status.st_mode));
	ck_assert_int_eq(lstat(path, &status), 0);
	ck_assert_int_eq(status.st_size, 5);
	ck_assert_int_eq(unlink(link), 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(folder), 0); /* nothing else was left in it */
}
END_TEST

#define LOOP(test_case, test, table) \
	tcase_add_loop_test(test_case, test, 0, (int)(sizeof(table) / sizeof((table)[0])))

int main(void)
{
	Suite *suite = suite_create("client_token");
	TCase *test_case = tcase_create("client_token");
	tcase_add_checked_fixture(test_case, set_up, tear_down);
	tcase_add_test(test_case, a_token_is_base64url);
	LOOP(test_case, tokens_are_revoked_and_the_rest_stays, revocations);
	LOOP(test_case, nothing_is_revoked_by_guessing, vain_revocations);
	tcase_add_test(test_case, a_line_is_added_behind_an_open_one);
	tcase_add_test(test_case, a_secret_file_is_replaced_whole);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
