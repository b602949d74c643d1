/* Settings: where values come from, and faults that are told all at once. */
#include "settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

struct example {
	const char *address;
	const char *password;
	const char *format;
	long count;
};

static const struct setting table[] = {
	{ "TEST_ADDRESS", SETTING_TEXT, offsetof(struct example, address), NULL, 0, 0, NULL,
		"where the server is" },
	{ "TEST_PASSWORD", SETTING_SECRET, offsetof(struct example, password), NULL, 0, 0, NULL,
		"the server's password" },
	{ "TEST_FORMAT", SETTING_TEXT, offsetof(struct example, format), "logfmt", 0, 0, "logfmt|json",
		"how lines look" },
	{ "TEST_COUNT", SETTING_NUMBER, offsetof(struct example, count), "128", 1, 1000, NULL, "how many" },
	{ 0 },
};

static struct example settings;
static char *fault_text;
static char file_path[] = "/tmp/settings-test-XXXXXX";

static void set_up(void)
{
	settings = (struct example){ 0 };
	setenv("TEST_ADDRESS", "127.0.0.1", 1);
	setenv("TEST_PASSWORD", "geheim", 1);
	int file = mkstemp(file_path);
	ck_assert_int_ge(file, 0);
	close(file);
}

static void tear_down(void)
{
	unlink(file_path);
	settings_clear(table, &settings);
	free(fault_text);
}

static void write_file(const char *text)
{
	FILE *file = fopen(file_path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static bool read_settings(void)
{
	size_t length;
	FILE *faults = open_memstream(&fault_text, &length);
	bool is_good = settings_read(table, &settings, faults);
	fclose(faults);
	return is_good;
}

START_TEST(values_and_fallbacks)
{
	ck_assert(read_settings());
	ck_assert_str_eq(fault_text, "");
	ck_assert_str_eq(settings.address, "127.0.0.1");
	ck_assert_str_eq(settings.password, "geheim");
	ck_assert_str_eq(settings.format, "logfmt");
	ck_assert_int_eq(settings.count, 128);
}
END_TEST

START_TEST(the_first_line_of_a_file)
{
	unsetenv("TEST_PASSWORD");
	setenv("TEST_PASSWORD_FILE", file_path, 1);
	write_file("from file\r\nsecond line\n");
	ck_assert(read_settings());
	ck_assert_str_eq(settings.password, "from file");
}
END_TEST

START_TEST(a_number_from_a_file)
{
	setenv("TEST_COUNT_FILE", file_path, 1);
	write_file("7");
	ck_assert(read_settings());
	ck_assert_int_eq(settings.count, 7);
}
END_TEST

START_TEST(an_empty_value_counts_as_absent)
{
	setenv("TEST_COUNT", "", 1);
	setenv("TEST_ADDRESS", "", 1);
	ck_assert(!read_settings());
	ck_assert_str_eq(fault_text, "TEST_ADDRESS: not set: where the server is\n");
	ck_assert_int_eq(settings.count, 128);
}
END_TEST

START_TEST(all_faults_at_once)
{
	unsetenv("TEST_ADDRESS");
	setenv("TEST_PASSWORD_FILE", "/nonexistent", 1);
	setenv("TEST_FORMAT", "xml", 1);
	setenv("TEST_COUNT", "1001", 1);
	ck_assert(!read_settings());
	ck_assert_str_eq(fault_text,
		"TEST_ADDRESS: not set: where the server is\n"
		"TEST_PASSWORD: set as well as TEST_PASSWORD_FILE: keep one of the two\n"
		"TEST_FORMAT: \"xml\" is none of logfmt|json\n"
		"TEST_COUNT: \"1001\" is no number from 1 to 1000\n");
}
END_TEST

START_TEST(files_that_cannot_serve)
{
	unsetenv("TEST_PASSWORD");
	setenv("TEST_PASSWORD_FILE", "/nonexistent", 1);
	setenv("TEST_COUNT_FILE", file_path, 1);
	ck_assert(!read_settings());
	ck_assert_ptr_nonnull(strstr(fault_text, "TEST_PASSWORD_FILE: cannot open /nonexistent: No such file"));
	ck_assert_ptr_nonnull(strstr(fault_text, "TEST_COUNT_FILE: the first line of /tmp/settings-test-"));
}
END_TEST

START_TEST(numbers_that_are_none)
{
	static const char *const wrong[] = { "x", "1x", " ", "0", "-1", "1001", "99999999999999999999", "1.5" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		setenv("TEST_COUNT", wrong[i], 1);
		ck_assert_msg(!read_settings(), "\"%s\" was taken", wrong[i]);
		settings_clear(table, &settings);
		free(fault_text);
		fault_text = NULL;
	}
}
END_TEST

START_TEST(choices_are_whole_words)
{
	static const char *const wrong[] = { "log", "logfmtx", "logfmt|json", "|", "son" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		setenv("TEST_FORMAT", wrong[i], 1);
		ck_assert_msg(!read_settings(), "\"%s\" was taken", wrong[i]);
		settings_clear(table, &settings);
		free(fault_text);
		fault_text = NULL;
	}
	setenv("TEST_FORMAT", "json", 1);
	ck_assert(read_settings());
	ck_assert_str_eq(settings.format, "json");
}
END_TEST

START_TEST(no_fault_shows_a_secret)
{
	char *secret = malloc(5001);
	ck_assert_ptr_nonnull(secret);
	memset(secret, 's', 5000);
	secret[5000] = '\0';
	setenv("TEST_PASSWORD", secret, 1);
	free(secret);
	ck_assert(!read_settings());
	ck_assert_str_eq(fault_text, "TEST_PASSWORD: longer than 4096 bytes\n");
}
END_TEST

START_TEST(help_names_every_setting)
{
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	settings_help(table, "carebus-test", out);
	fclose(out);
	for (const struct setting *setting = table; setting->name != NULL; setting++) {
		ck_assert_ptr_nonnull(strstr(text, setting->name));
		ck_assert_ptr_nonnull(strstr(text, setting->help));
	}
	ck_assert_ptr_nonnull(strstr(text, "carebus-test"));
	ck_assert_ptr_nonnull(strstr(text, "(default: 128; 1 to 1000)"));
	ck_assert_ptr_nonnull(strstr(text, "TEST_PASSWORD_FILE"));
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("settings");
	TCase *test_case = tcase_create("settings");
	tcase_add_checked_fixture(test_case, set_up, tear_down);
	tcase_add_test(test_case, values_and_fallbacks);
	tcase_add_test(test_case, the_first_line_of_a_file);
	tcase_add_test(test_case, a_number_from_a_file);
	tcase_add_test(test_case, an_empty_value_counts_as_absent);
	tcase_add_test(test_case, all_faults_at_once);
	tcase_add_test(test_case, files_that_cannot_serve);
	tcase_add_test(test_case, numbers_that_are_none);
	tcase_add_test(test_case, choices_are_whole_words);
	tcase_add_test(test_case, no_fault_shows_a_secret);
	tcase_add_test(test_case, help_names_every_setting);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
