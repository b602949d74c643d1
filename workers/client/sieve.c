/* Facilities are found by the names of members: the contract calls them all <something>_id. */
#include "sieve.h"

#include <string.h>

static const char emergency_suffix[] = ".emergency";
static const char *const facility_members[] = { "hospital_id", "bank_id", "to_bank_id", "facility_id",
	"clinic_id" };

static bool is_text(const json_t *object, const char *member, const char *wanted)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text != NULL && strcmp(text, wanted) == 0;
}

static bool names_facility(const json_t *object, const char *facility)
{
	for (size_t i = 0; i < sizeof(facility_members) / sizeof(facility_members[0]); i++)
		if (is_text(object, facility_members[i], facility))
			return true;
	return false;
}

/* The body itself, or something in one of its lists. */
static bool is_about_facility(json_t *body, const char *facility)
{
	const char *name;
	json_t *member;
	json_object_foreach (body, name, member)
		for (size_t i = 0; i < json_array_size(member); i++)
			if (names_facility(json_array_get(member, i), facility))
				return true;
	return names_facility(body, facility);
}

static bool is_emergency_key(const char *key)
{
	size_t length = strlen(key), suffix_length = strlen(emergency_suffix);
	return length >= suffix_length && strcmp(key + length - suffix_length, emergency_suffix) == 0;
}

bool sighting_is_emergency(const struct sighting *sighting)
{
	bool is_in_lane = sighting->routing_key != NULL && is_emergency_key(sighting->routing_key);
	return is_in_lane || is_text(sighting->body, "urgency", "emergency")
		|| json_is_true(json_object_get(sighting->body, "is_emergency"));
}

bool sieve_passes(const struct sieve *sieve, const struct sighting *sighting)
{
	const char *correlation = sighting->correlation_id == NULL ? "" : sighting->correlation_id;
	if (sieve->correlation != NULL
		&& strncasecmp(correlation, sieve->correlation, strlen(sieve->correlation)) != 0)
		return false;
	if (sieve->is_emergency && !sighting_is_emergency(sighting))
		return false;
	return sieve->facility == NULL || is_about_facility(sighting->body, sieve->facility);
}
