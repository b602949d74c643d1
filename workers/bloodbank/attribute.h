/* The attributes that have a meaning of their own, as a set of bits; all others stay texts. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum attribute {
	ATTRIBUTE_IRRADIATED,
	ATTRIBUTE_CMV_NEGATIVE,
	ATTRIBUTE_K_NEGATIVE,
	ATTRIBUTE_WASHED,
	ATTRIBUTE_HBS_NEGATIVE,
	ATTRIBUTE_HT_NEGATIVE, /* no high-titre anti-A, anti-B */
	ATTRIBUTES,
};

#define ATTRIBUTE_BIT(attribute) ((uint32_t)1 << (attribute))

/* "irradiated" ...; NULL for what is none. */
const char *attribute_name(enum attribute attribute);

/* The bit of that name; 0 when the name has none. */
uint32_t attribute_bit(const char *name);

/* The bits among these names. */
uint32_t attribute_set(const char *const *names, size_t count);

/* Those bits, and the ones that follow from a unit's antigens ("K-" is k_negative, "HbS-" is hbs_negative). */
uint32_t attribute_set_of_unit(const char *const *names, size_t count, const char *const *antigens,
	size_t antigens_count);
