/* Attributes: names and bits. */
#include "attribute.h"

#include <stdbool.h>
#include <string.h>

static const char *const names_of_attributes[ATTRIBUTES] = {
	[ATTRIBUTE_IRRADIATED] = "irradiated",
	[ATTRIBUTE_CMV_NEGATIVE] = "cmv_negative",
	[ATTRIBUTE_K_NEGATIVE] = "k_negative",
	[ATTRIBUTE_WASHED] = "washed",
	[ATTRIBUTE_HBS_NEGATIVE] = "hbs_negative",
	[ATTRIBUTE_HT_NEGATIVE] = "ht_negative",
};

const char *attribute_name(enum attribute attribute)
{
	return attribute < ATTRIBUTES ? names_of_attributes[attribute] : NULL;
}

uint32_t attribute_bit(const char *name)
{
	for (enum attribute attribute = 0; attribute < ATTRIBUTES; attribute++)
		if (strcmp(names_of_attributes[attribute], name) == 0)
			return ATTRIBUTE_BIT(attribute);
	return 0;
}

uint32_t attribute_set(const char *const *names, size_t count)
{
	uint32_t set = 0;
	for (size_t i = 0; i < count; i++)
		set |= attribute_bit(names[i]);
	return set;
}

uint32_t attribute_set_of_unit(const char *const *names, size_t count, const char *const *antigens,
	size_t antigens_count)
{
	uint32_t set = attribute_set(names, count);
	for (size_t i = 0; i < antigens_count; i++) {
		if (strcmp(antigens[i], "K-") == 0)
			set |= ATTRIBUTE_BIT(ATTRIBUTE_K_NEGATIVE);
		if (strcmp(antigens[i], "HbS-") == 0)
			set |= ATTRIBUTE_BIT(ATTRIBUTE_HBS_NEGATIVE);
	}
	return set;
}
