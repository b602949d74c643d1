/* Donation numbers: form, check characters, unit ids. */
#include "donation.h"

#include <stdio.h>
#include <string.h>

#include "run.h"

START_TEST(the_published_vector_holds)
{
	ck_assert_int_eq(din_check_value("G123498654321"), 17);
	ck_assert_int_eq(din_check_character("G123498654321"), 'H');
	ck_assert_int_eq(din_keyboard_flag("G123498654321"), 77);
}
END_TEST

/* The formula as it is written: K = (38 - sum of value x 2^position mod 37) mod 37. */
static int check_value_by_hand(const char *din)
{
	long sum = 0;
	for (int i = 0; i < DIN_LENGTH; i++) {
		long value = din[i] <= '9' ? din[i] - '0' : din[i] - 'A' + 10;
		sum += value * (1L << (DIN_LENGTH - i));
	}
	return (int)((38 - sum % 37) % 37);
}

START_TEST(the_check_follows_the_formula_and_finds_single_errors)
{
	bool is_star_seen = false;
	for (int serial = 0; serial < 1000; serial++) {
		char din[DIN_LENGTH + 1];
		(void)snprintf(din, sizeof(din), "A999926%06u", (unsigned int)serial % 1000000U);
		ck_assert_int_eq(din_check_value(din), check_value_by_hand(din));
		is_star_seen = is_star_seen || din_check_character(din) == '*';
		char wrong[DIN_LENGTH + 1];
		memcpy(wrong, din, sizeof(wrong));
		wrong[7 + serial % 6] = wrong[7 + serial % 6] == '9' ? '0' : (char)(wrong[7 + serial % 6] + 1);
		ck_assert_int_ne(din_check_value(wrong), din_check_value(din));
	}
	ck_assert(is_star_seen);
}
END_TEST

START_TEST(only_the_form_of_a_donation_number_is_one)
{
	static const char *const good[] = { "A999926000001", "AZZZZ99999999", "G123498654321" };
	static const char *const bad[] = { "", "A99992600000", "A9999260000011", "9A99926000001", "a999926000001",
		"A9999Z6000001", "A99992600000A", "A9-9926000001", "A999926 00001" };
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(din_is_valid(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!din_is_valid(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(a_unit_id_is_number_product_division)
{
	char id[UNIT_ID_SIZE] = "untouched";
	ck_assert(!unit_id_write("A999926000001", "", "00", id));
	ck_assert(!unit_id_write("A999926000001", "12345678901234567", "00", id));
	ck_assert(!unit_id_write("A999926000001", "E0382", "0", id));
	ck_assert(!unit_id_write("nonsense", "E0382", "00", id));
	ck_assert_str_eq(id, "untouched");
	ck_assert(unit_id_write("A999926000001", "E0382", "A0", id));
	ck_assert_str_eq(id, "A999926000001-E0382-A0");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("donation");
	TCase *test_case = tcase_create("donation");
	tcase_add_test(test_case, the_published_vector_holds);
	tcase_add_test(test_case, the_check_follows_the_formula_and_finds_single_errors);
	tcase_add_test(test_case, only_the_form_of_a_donation_number_is_one);
	tcase_add_test(test_case, a_unit_id_is_number_product_division);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
