/* Numbers are scrambled reversibly into ids, and hashed into choices. */
#include "load_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MASK ((UINT64_C(1) << LOAD_NUMBER_BITS) - 1)
#define KEY_MASK ((UINT64_C(1) << LOAD_KEY_BITS) - 1)
#define FACTOR UINT64_C(0x9e3779b97f4b) /* odd, so that multiplying by it can be undone */

_Static_assert((int)BLOOD_GROUP_UNKNOWN < (int)LOAD_WEIGHTS_MAX, "each value has a weight");

enum { VERSION_8 = 0x80, VARIANT = 0x80, NUMBER_BYTES = 6, KEY_AT = 9 };

/* One kind of value in a mix. */
struct kind {
	unsigned (*find)(const char *name); /* 0: no such value */
	unsigned *weights;
	bool is_named;
};

static unsigned find_group(const char *name)
{
	return blood_group_find(name);
}

static unsigned find_urgency(const char *name)
{
	return urgency_find(name);
}

static unsigned find_component(const char *name)
{
	return component_find(name);
}

static bool add_weight(struct kind kinds[3], const char *name, unsigned weight, struct why *why)
{
	for (int i = 0; i < 3; i++) {
		unsigned value = kinds[i].find(name);
		if (value == 0)
			continue;
		if (!kinds[i].is_named)
			memset(kinds[i].weights, 0, LOAD_WEIGHTS_MAX * sizeof(unsigned));
		kinds[i].is_named = true;
		kinds[i].weights[value] = weight;
		return true;
	}
	return because(why, "usage", "--mix: \"%.32s\" is no group, urgency or component", name);
}

/* "name=weight" up to a comma; the cursor stands behind it. */
static bool read_weight(const char **at, struct kind kinds[3], struct why *why)
{
	char name[32], *end;
	size_t length = strcspn(*at, "=,");
	const char *number = *at + length + 1;
	if (length == 0 || length >= sizeof(name) || (*at)[length] != '=')
		return because(why, "usage", "--mix: write name=weight, parted by commas, not \"%.32s\"", *at);
	memcpy(name, *at, length);
	name[length] = '\0';
	long weight = strtol(number, &end, 10);
	if (end == number || (*end != ',' && *end != '\0') || weight < 0 || weight > LOAD_WEIGHT_MAX)
		return because(why, "usage", "--mix: the weight of %s is no number from 0 to %d", name,
			LOAD_WEIGHT_MAX);
	*at = end + (*end == ',');
	return add_weight(kinds, name, (unsigned)weight, why);
}

static bool check_sums(const struct kind kinds[3], struct why *why)
{
	for (int i = 0; i < 3; i++) {
		unsigned sum = 0;
		for (size_t value = 0; value < LOAD_WEIGHTS_MAX; value++)
			sum += kinds[i].weights[value];
		if (sum == 0)
			return because(why, "usage", "--mix: one weight of each kind that is named has to be above 0");
	}
	return true;
}

/* As frequent as in central Europe, in percent. */
static const struct load_mix usual = {
	.groups = { [BLOOD_GROUP_A_POSITIVE] = 37,
		[BLOOD_GROUP_O_POSITIVE] = 35,
		[BLOOD_GROUP_B_POSITIVE] = 9,
		[BLOOD_GROUP_A_NEGATIVE] = 6,
		[BLOOD_GROUP_O_NEGATIVE] = 6,
		[BLOOD_GROUP_AB_POSITIVE] = 4,
		[BLOOD_GROUP_B_NEGATIVE] = 2,
		[BLOOD_GROUP_AB_NEGATIVE] = 1 },
	.urgencies = { [URGENCY_ROUTINE] = 80, [URGENCY_URGENT] = 15, [URGENCY_EMERGENCY] = 5 },
	.components = { [COMPONENT_RED_CELLS] = 1 },
};

bool load_mix_parse(const char *text, struct load_mix *out, struct why *why)
{
	struct load_mix mix = usual;
	struct kind kinds[3] = { { find_group, mix.groups, false }, { find_urgency, mix.urgencies, false },
		{ find_component, mix.components, false } };
	for (const char *at = text == NULL ? "" : text; *at != '\0';)
		if (!read_weight(&at, kinds, why))
			return false;
	if (!check_sums(kinds, why))
		return false;
	*out = mix;
	return true;
}

/* splitmix64: neighbours in, strangers out. */
static uint64_t hash(uint64_t value)
{
	value += UINT64_C(0x9e3779b97f4a7c15);
	value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
	return value ^ value >> 31;
}

static unsigned pick(const unsigned weights[LOAD_WEIGHTS_MAX], uint64_t random)
{
	unsigned sum = 0, value = 0;
	for (size_t i = 0; i < LOAD_WEIGHTS_MAX; i++)
		sum += weights[i];
	for (unsigned ticket = (unsigned)((random >> 32) % sum); ticket >= weights[value]; value++)
		ticket -= weights[value];
	return value;
}

static const char *hospital_of(const struct load_plan *plan, uint64_t number)
{
	static const char *const demo[] = { "hospital-001", "hospital-002", "hospital-003" };
	const struct option_texts *hospitals = plan->hospitals;
	return hospitals->count > 0 ? hospitals->items[number % hospitals->count] : demo[number % 3];
}

void load_plan_request(const struct load_plan *plan, uint64_t number, struct arena *arena,
	struct hospital_blood_request *out)
{
	uint64_t random = hash(plan->key ^ hash(number));
	char *request_id = arena_new(arena, UUID_TEXT_BYTES);
	load_id_print(plan->key, number, request_id);
	*out = (struct hospital_blood_request){
		.request_id = request_id,
		.hospital_id = hospital_of(plan, number),
		.group = (enum blood_group)pick(plan->mix.groups, random),
		.urgency = (enum urgency)pick(plan->mix.urgencies, hash(random)),
		.component = (enum component)pick(plan->mix.components, hash(~random)),
		.quantity = plan->quantity,
		.signed_by = "carebus-load",
		.accept_partial = true,
	};
}

void load_id_print(uint64_t key, uint64_t number, char out[UUID_TEXT_BYTES])
{
	unsigned char bytes[UUID_BYTES] = { [NUMBER_BYTES] = VERSION_8, [NUMBER_BYTES + 2] = VARIANT };
	uint64_t scattered = number * FACTOR & NUMBER_MASK;
	for (int i = 0; i < NUMBER_BYTES; i++)
		bytes[i] = (unsigned char)(scattered >> 8 * (NUMBER_BYTES - 1 - i));
	for (int i = KEY_AT; i < UUID_BYTES; i++)
		bytes[i] = (unsigned char)(key >> 8 * (UUID_BYTES - 1 - i));
	uuid_print(bytes, out);
}

/* Newton's iteration doubles the bits that are right. */
static uint64_t inverse_of(uint64_t odd)
{
	uint64_t inverse = odd;
	for (int i = 0; i < 5; i++)
		inverse *= 2 - odd * inverse;
	return inverse;
}

bool load_id_parse(uint64_t key, const char *text, uint64_t *number)
{
	unsigned char bytes[UUID_BYTES];
	uint64_t scattered = 0, found_key = 0;
	if (!uuid_parse(text, bytes))
		return false;
	for (int i = 0; i < NUMBER_BYTES; i++)
		scattered = scattered << 8 | bytes[i];
	for (int i = KEY_AT; i < UUID_BYTES; i++)
		found_key = found_key << 8 | bytes[i];
	bool is_ours = found_key == (key & KEY_MASK) && bytes[NUMBER_BYTES] == VERSION_8
		&& bytes[NUMBER_BYTES + 1] == 0 && bytes[NUMBER_BYTES + 2] == VARIANT;
	if (is_ours)
		*number = scattered * inverse_of(FACTOR) & NUMBER_MASK;
	return is_ours;
}
