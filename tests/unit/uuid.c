/* UUIDs: parsing, printing, and version 5 against values from RFC 4122 and Python's uuid module. */
#include "uuid.h"

#include <string.h>

#include "run.h"

static const unsigned char namespace_dns[UUID_BYTES] = { 0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80,
	0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8 };

START_TEST(text_and_bytes_are_the_same)
{
	unsigned char bytes[UUID_BYTES];
	char text[UUID_TEXT_BYTES];
	ck_assert(uuid_parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8", bytes));
	ck_assert_mem_eq(bytes, namespace_dns, UUID_BYTES);
	uuid_print(bytes, text);
	ck_assert_str_eq(text, "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
}
END_TEST

START_TEST(upper_case_becomes_lower_case)
{
	char text[UUID_TEXT_BYTES];
	ck_assert(uuid_canonical("6BA7B810-9DAD-11D1-80B4-00C04FD430C8", text));
	ck_assert_str_eq(text, "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
}
END_TEST

START_TEST(what_is_no_uuid_is_refused_and_leaves_the_output_alone)
{
	static const char *const wrong[] = {
		"",
		"6",
		"6ba7b810-9dad-11d1-80b4-00c04fd430c",
		"6ba7b810-9dad-11d1-80b4-00c04fd430c8 ",
		"6ba7b8109dad11d180b400c04fd430c8",
		"6ba7b810-9dad-11d1-80b400c04fd430c8-",
		"6ba7b810-9dad-11d1-80b4-00c04fd430g8",
		"{6ba7b810-9dad-11d1-80b4-00c04fd430c8}",
		"6ba7b810-9dad-11d1-80b4",
		"6ba7b81-09dad-11d1-80b4-00c04fd430c8",
		"-ba7b810-9dad-11d1-80b4-00c04fd430c8",
		"6ba7b810-9dad-11d1-80b4-00c04fd430c8-",
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[UUID_TEXT_BYTES] = "untouched";
		unsigned char bytes[UUID_BYTES] = { 42 };
		ck_assert_msg(!uuid_canonical(wrong[i], text), "\"%s\" was taken", wrong[i]);
		ck_assert(!uuid_parse(wrong[i], bytes));
		ck_assert_str_eq(text, "untouched");
		ck_assert_uint_eq(bytes[0], 42);
	}
}
END_TEST

START_TEST(version_5_as_others_compute_it)
{
	const char *const python[] = { "python.org", NULL };
	const char *const two[] = { "a", "b", NULL };
	const char *const empty[] = { NULL };
	char text[UUID_TEXT_BYTES];
	uuid_from_names(namespace_dns, python, text);
	ck_assert_str_eq(text, "886313e1-3b8a-5372-9b90-0c9aee199e5d");
	uuid_from_names(namespace_dns, two, text);
	ck_assert_str_eq(text, "0a63f66b-e02f-5d2d-9fd4-aad819cf5352");
	uuid_from_names(namespace_dns, empty, text);
	ck_assert_str_eq(text, "4ebd0208-8328-5d69-8c44-ec50939c0967");
}
END_TEST

START_TEST(parts_do_not_run_into_each_other)
{
	const char *const first[] = { "ab", "c", NULL };
	const char *const second[] = { "a", "bc", NULL };
	const char *const third[] = { "a", "bc", "", NULL };
	char a[UUID_TEXT_BYTES], b[UUID_TEXT_BYTES], c[UUID_TEXT_BYTES];
	uuid_from_names(namespace_dns, first, a);
	uuid_from_names(namespace_dns, second, b);
	uuid_from_names(namespace_dns, third, c);
	ck_assert_str_ne(a, b);
	ck_assert_str_ne(b, c);
}
END_TEST

START_TEST(random_ones_are_version_4_and_differ)
{
	char first[UUID_TEXT_BYTES], second[UUID_TEXT_BYTES], canonical[UUID_TEXT_BYTES];
	for (int i = 0; i < 1000; i++) {
		uuid_random(first);
		uuid_random(second);
		ck_assert_str_ne(first, second);
		ck_assert(uuid_canonical(first, canonical));
		ck_assert_str_eq(first, canonical);
		ck_assert_int_eq(first[14], '4');
		ck_assert_ptr_nonnull(strchr("89ab", first[19]));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("uuid");
	TCase *test_case = tcase_create("uuid");
	tcase_add_test(test_case, text_and_bytes_are_the_same);
	tcase_add_test(test_case, upper_case_becomes_lower_case);
	tcase_add_test(test_case, what_is_no_uuid_is_refused_and_leaves_the_output_alone);
	tcase_add_test(test_case, version_5_as_others_compute_it);
	tcase_add_test(test_case, parts_do_not_run_into_each_other);
	tcase_add_test(test_case, random_ones_are_version_4_and_differ);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
