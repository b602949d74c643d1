/* The hash is part of what processes agree on, and spreads keys that differ little. */
#include "hash.h"

#include <stdio.h>
#include <string.h>

#include "run.h"

enum { KEYS = 4096, CELLS = 1024, CROWD = 20 };

/* FNV-1a of nothing is its basis; here after the last mix. Another value would be another function. */
START_TEST(it_is_the_same_everywhere)
{
	ck_assert_uint_eq(hash_bytes("", 0), UINT64_C(0xecba3df2c3383c52));
	ck_assert_uint_eq(hash_bytes("dr-adams 2026-03-01", 19), UINT64_C(0x277cbcb468e74ed5));
}
END_TEST

START_TEST(every_byte_counts)
{
	ck_assert_uint_ne(hash_bytes("a\0b", 3), hash_bytes("a\0c", 3));
	ck_assert_uint_ne(hash_bytes("ab", 2), hash_bytes("ba", 2));
	ck_assert_uint_ne(hash_bytes("a", 1), hash_bytes("a\0", 2));
}
END_TEST

/* Four a cell on average: twenty would be chance once in some hundred thousand tables. */
START_TEST(low_bits_are_spread)
{
	size_t cells[CELLS] = { 0 }, most = 0;
	for (int i = 0; i < KEYS; i++) {
		char key[32];
		int length = snprintf(key, sizeof(key), "provider-%d", i);
		size_t *cell = &cells[hash_bytes(key, (size_t)length) % CELLS];
		(*cell)++;
		most = *cell > most ? *cell : most;
	}
	ck_assert_uint_lt(most, CROWD);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hash");
	TCase *test_case = tcase_create("hash");
	tcase_add_test(test_case, it_is_the_same_everywhere);
	tcase_add_test(test_case, every_byte_counts);
	tcase_add_test(test_case, low_bits_are_spread);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
