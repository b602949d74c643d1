/* Names of caches and keys of lists. */
#include "cache_names.h"

#include <string.h>

#include "asker.h"
#include "run.h"

START_TEST(each_name_is_another_and_can_be_part_of_a_routing_key)
{
	char one[CACHE_NAME_BYTES], other[CACHE_NAME_BYTES];
	cache_name_make("bridge", one);
	cache_name_make("bridge", other);
	ck_assert_int_eq(strncmp(one, "bridge.", 7), 0);
	ck_assert_str_ne(one, other);
	cache_name_make("a-prefix-that-is-longer-than-a-name-may-be", other);
	ck_assert(asker_is_name(one) && asker_is_name(other));
}
END_TEST

START_TEST(numbers_have_room_to_count_on)
{
	for (int i = 0; i < 1000; i++)
		ck_assert_uint_lt(cache_number_make(), UINT64_C(1) << 52);
	ck_assert_uint_ne(cache_number_make(), cache_number_make());
}
END_TEST

START_TEST(a_key_is_provider_and_day)
{
	char key[LRU_KEY_MAX + 1], provider[LRU_KEY_MAX + 1];
	ck_assert_uint_eq(cache_day_key("dr-adams", "2030-03-04", key), 19);
	ck_assert_str_eq(key, "dr-adams 2030-03-04");
	memset(provider, 'a', sizeof(provider));
	provider[LRU_KEY_MAX - 11] = '\0';
	ck_assert_uint_eq(cache_day_key(provider, "2030-03-04", key), LRU_KEY_MAX);
	provider[LRU_KEY_MAX - 11] = 'a';
	provider[LRU_KEY_MAX - 10] = '\0';
	ck_assert_uint_eq(cache_day_key(provider, "2030-03-04", key), 0);
}
END_TEST

START_TEST(redis_keeps_the_lists_of_each_timeline_apart)
{
	char text[SHARED_KEY_BYTES];
	ck_assert(cache_shared_key("00000001", "dr-adams 2030-03-04", text));
	ck_assert_str_eq(text, "view:slots:00000001:dr-adams 2030-03-04");
	ck_assert(!cache_shared_key("", "dr-adams 2030-03-04", text));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cache_names");
	TCase *tests = tcase_create("cache_names");
	tcase_add_test(tests, each_name_is_another_and_can_be_part_of_a_routing_key);
	tcase_add_test(tests, numbers_have_room_to_count_on);
	tcase_add_test(tests, a_key_is_provider_and_day);
	tcase_add_test(tests, redis_keeps_the_lists_of_each_timeline_apart);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
