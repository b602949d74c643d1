/* Donation numbers: form and check character. */
#include "donation.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
	CHECK_MODULUS = 37,
	KEYBOARD_FLAG_FIRST = 60,
	FACILITY_LENGTH = 5,
	PRODUCT_CODE_MAX = 16,
	DIVISION_LENGTH = 2,
};

static const char check_alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*";

/* Explicit ranges: isalpha and its kin depend on the locale. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return c >= 'A' && c <= 'Z';
}

bool din_is_valid(const char *din)
{
	if (strlen(din) != DIN_LENGTH || !is_letter(din[0]))
		return false;
	for (int i = 1; i < DIN_LENGTH; i++)
		if (!is_digit(din[i]) && (i >= FACILITY_LENGTH || !is_letter(din[i])))
			return false;
	return true;
}

static int character_value(char c)
{
	return is_digit(c) ? c - '0' : c - 'A' + 10;
}

int din_check_value(const char *din)
{
	assert(din_is_valid(din));
	int sum = 0;
	for (int i = 0; i < DIN_LENGTH; i++)
		sum = (sum + character_value(din[i])) * 2 % CHECK_MODULUS; /* the last one is doubled once */
	return (CHECK_MODULUS + 1 - sum) % CHECK_MODULUS;
}

char din_check_character(const char *din)
{
	return check_alphabet[din_check_value(din)];
}

int din_keyboard_flag(const char *din)
{
	return KEYBOARD_FLAG_FIRST + din_check_value(din);
}

bool unit_id_write(const char *din, const char *product_code, const char *division,
	char out[static UNIT_ID_SIZE])
{
	size_t length = strlen(product_code);
	if (!din_is_valid(din) || length == 0 || length > PRODUCT_CODE_MAX || strlen(division) != DIVISION_LENGTH)
		return false;
	(void)snprintf(out, UNIT_ID_SIZE, "%s-%s-%s", din, product_code, division);
	return true;
}
