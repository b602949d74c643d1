/* Donation numbers (DIN, ISBT 128) and the identifiers of units. */
#pragma once

#include <stdbool.h>

enum {
	DIN_LENGTH = 13,   /* 1 letter + 4 letters or digits: facility; 2 digits: year; 6 digits: serial */
	UNIT_ID_SIZE = 40, /* bytes that hold any unit id, NUL included */
};

bool din_is_valid(const char *din);

/* The check value K, 0 to 36, of a valid number: ISO/IEC 7064 mod 37-2. */
int din_check_value(const char *din);

/* K as it is printed in its box: one of 0-9, A-Z, *. */
char din_check_character(const char *din);

/* The two digits typed behind a number: 60 + K. */
int din_keyboard_flag(const char *din);

/* "DIN-product-division"; false when a part is empty or too long. */
bool unit_id_write(const char *din, const char *product_code, const char *division,
	char out[static UNIT_ID_SIZE]);
