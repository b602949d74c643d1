/* Compatibility: the complete matrices, written out a second time, by hand. */
#include "compatibility.h"

#include <stdio.h>
#include <string.h>

#include "run.h"

static const char *const group_names[BLOOD_GROUPS] = { NULL, "O-", "O+", "A-", "A+", "B-", "B+", "AB-", "AB+",
	"unknown" };

/*
 * One line: for whom, and the donors in order of preference; those between blanks come after each other, those joined
 * by '=' are equal. A '!' marks the RhD mismatch, a '~' the ABO mismatch.
 */
struct line {
	enum blood_group recipient;
	const char *donors;
};

static const struct line red_cells[] = {
	{ BLOOD_GROUP_O_NEGATIVE, "O- O+!" },
	{ BLOOD_GROUP_O_POSITIVE, "O+ O-" },
	{ BLOOD_GROUP_A_NEGATIVE, "A- O- A+! O+!" },
	{ BLOOD_GROUP_A_POSITIVE, "A+ O+ A- O-" },
	{ BLOOD_GROUP_B_NEGATIVE, "B- O- B+! O+!" },
	{ BLOOD_GROUP_B_POSITIVE, "B+ O+ B- O-" },
	{ BLOOD_GROUP_AB_NEGATIVE, "AB- A- B- O- AB+! A+! B+! O+!" },
	{ BLOOD_GROUP_AB_POSITIVE, "AB+ A+ B+ O+ AB- A- B- O-" },
	{ 0, NULL },
};

static const struct line red_cells_unknown_protected[] = { { BLOOD_GROUP_UNKNOWN, "O- O+!" }, { 0, NULL } };
static const struct line red_cells_unknown_other[] = { { BLOOD_GROUP_UNKNOWN, "O+ O-" }, { 0, NULL } };

static const struct line whole_blood[] = {
	{ BLOOD_GROUP_O_NEGATIVE, "O- O+!" },
	{ BLOOD_GROUP_O_POSITIVE, "O+ O-" },
	{ BLOOD_GROUP_A_NEGATIVE, "A- A+!" },
	{ BLOOD_GROUP_A_POSITIVE, "A+ A-" },
	{ BLOOD_GROUP_B_NEGATIVE, "B- B+!" },
	{ BLOOD_GROUP_B_POSITIVE, "B+ B-" },
	{ BLOOD_GROUP_AB_NEGATIVE, "AB- AB+!" },
	{ BLOOD_GROUP_AB_POSITIVE, "AB+ AB-" },
	{ BLOOD_GROUP_UNKNOWN, "" },
	{ 0, NULL },
};

#define PLASMA_OF_O "O-=O+ A-=A+ B-=B+ AB-=AB+"
#define PLASMA_OF_A "A-=A+ AB-=AB+"
#define PLASMA_OF_B "B-=B+ AB-=AB+"

static const struct line plasma[] = {
	{ BLOOD_GROUP_O_NEGATIVE, PLASMA_OF_O },
	{ BLOOD_GROUP_O_POSITIVE, PLASMA_OF_O },
	{ BLOOD_GROUP_A_NEGATIVE, PLASMA_OF_A },
	{ BLOOD_GROUP_A_POSITIVE, PLASMA_OF_A },
	{ BLOOD_GROUP_B_NEGATIVE, PLASMA_OF_B },
	{ BLOOD_GROUP_B_POSITIVE, PLASMA_OF_B },
	{ BLOOD_GROUP_AB_NEGATIVE, "AB-=AB+" },
	{ BLOOD_GROUP_AB_POSITIVE, "AB-=AB+" },
	{ BLOOD_GROUP_UNKNOWN, "AB-=AB+" },
	{ 0, NULL },
};

static const struct line plasma_emergency[] = {
	{ BLOOD_GROUP_O_NEGATIVE, PLASMA_OF_O },
	{ BLOOD_GROUP_O_POSITIVE, PLASMA_OF_O },
	{ BLOOD_GROUP_A_NEGATIVE, PLASMA_OF_A },
	{ BLOOD_GROUP_A_POSITIVE, PLASMA_OF_A },
	{ BLOOD_GROUP_B_NEGATIVE, PLASMA_OF_B },
	{ BLOOD_GROUP_B_POSITIVE, PLASMA_OF_B },
	{ BLOOD_GROUP_AB_NEGATIVE, "AB-=AB+ A-~=A+~" },
	{ BLOOD_GROUP_AB_POSITIVE, "AB-=AB+ A-~=A+~" },
	{ BLOOD_GROUP_UNKNOWN, "AB-=AB+ A-~=A+~" },
	{ 0, NULL },
};

static const struct line platelets_unprotected[] = {
	{ BLOOD_GROUP_O_NEGATIVE, "O-=O+ A-=A+ B-=B+ AB-=AB+" },
	{ BLOOD_GROUP_O_POSITIVE, "O-=O+ A-=A+ B-=B+ AB-=AB+" },
	{ BLOOD_GROUP_A_NEGATIVE, "A-=A+ AB-=AB+ B-=B+ O-=O+" },
	{ BLOOD_GROUP_A_POSITIVE, "A-=A+ AB-=AB+ B-=B+ O-=O+" },
	{ BLOOD_GROUP_B_NEGATIVE, "B-=B+ AB-=AB+ A-=A+ O-=O+" },
	{ BLOOD_GROUP_B_POSITIVE, "B-=B+ AB-=AB+ A-=A+ O-=O+" },
	{ BLOOD_GROUP_AB_NEGATIVE, "AB-=AB+ A-=A+ B-=B+ O-=O+" },
	{ BLOOD_GROUP_AB_POSITIVE, "AB-=AB+ A-=A+ B-=B+ O-=O+" },
	{ BLOOD_GROUP_UNKNOWN, "A-=A+ AB-=AB+ B-=B+ O-=O+" },
	{ 0, NULL },
};

static const struct line platelets_protected[] = {
	{ BLOOD_GROUP_O_NEGATIVE, "O- A- B- AB- O+ A+ B+ AB+" },
	{ BLOOD_GROUP_O_POSITIVE, "O-=O+ A-=A+ B-=B+ AB-=AB+" },
	{ BLOOD_GROUP_A_NEGATIVE, "A- AB- B- O- A+ AB+ B+ O+" },
	{ BLOOD_GROUP_A_POSITIVE, "A-=A+ AB-=AB+ B-=B+ O-=O+" },
	{ BLOOD_GROUP_B_NEGATIVE, "B- AB- A- O- B+ AB+ A+ O+" },
	{ BLOOD_GROUP_B_POSITIVE, "B-=B+ AB-=AB+ A-=A+ O-=O+" },
	{ BLOOD_GROUP_AB_NEGATIVE, "AB- A- B- O- AB+ A+ B+ O+" },
	{ BLOOD_GROUP_AB_POSITIVE, "AB-=AB+ A-=A+ B-=B+ O-=O+" },
	{ BLOOD_GROUP_UNKNOWN, "A- AB- B- O- A+ AB+ B+ O+" },
	{ 0, NULL },
};

static enum blood_group find_group(const char *name, size_t length)
{
	for (enum blood_group group = BLOOD_GROUP_O_NEGATIVE; group < BLOOD_GROUP_UNKNOWN; group++)
		if (strlen(group_names[group]) == length && strncmp(group_names[group], name, length) == 0)
			return group;
	ck_abort_msg("no group: %s", name);
	return BLOOD_GROUP_NONE;
}

/* Checks one donor at the head of `text`; its length. */
static size_t check_donor(const struct compatibility *found, const char *text, int32_t rank,
	enum blood_group *group)
{
	size_t length = strcspn(text, "!~= ");
	*group = find_group(text, length);
	const struct donor *donor = &found->donors[*group];
	ck_assert_msg(donor->is_compatible, "%.*s is not compatible", (int)length, text);
	ck_assert_msg(donor->rank == rank, "%.*s has rank %d, not %d", (int)length, text, donor->rank, rank);
	ck_assert_int_eq(donor->is_rhd_mismatch, text[length] == '!');
	ck_assert_int_eq(donor->is_abo_mismatch, text[length] == '~');
	return length + (text[length] == '!' || text[length] == '~' ? 1 : 0);
}

static void check_line(const struct recipient *recipient, enum component component, const char *donors)
{
	struct compatibility found;
	bool is_expected[BLOOD_GROUPS] = { false };
	int32_t rank = 0;
	compatibility_find(&rules_default, recipient, component, &found);
	while (*donors != '\0') {
		enum blood_group group;
		donors += check_donor(&found, donors, rank, &group);
		is_expected[group] = true;
		if (*donors == ' ')
			rank++;
		if (*donors != '\0')
			donors++;
	}
	for (size_t group = 0; group < BLOOD_GROUPS; group++)
		ck_assert_msg(found.donors[group].is_compatible == is_expected[group], "%s for %s of component %d",
			group == 0 ? "none" : group_names[group], group_names[recipient->group], (int)component);
}

static void check_lines(const struct recipient *recipient, enum component component, const struct line *lines)
{
	for (; lines->donors != NULL; lines++) {
		struct recipient one = *recipient;
		one.group = lines->recipient;
		check_line(&one, component, lines->donors);
	}
}

static const struct recipient adult = { .is_d_protected = false };
static const struct recipient woman = { .is_d_protected = true };
static const struct recipient adult_emergency = { .is_emergency = true };
static const struct recipient woman_emergency = { .is_emergency = true, .is_d_protected = true };

START_TEST(red_cells_follow_the_matrix)
{
	check_lines(&adult, COMPONENT_RED_CELLS, red_cells);
	check_lines(&woman, COMPONENT_RED_CELLS, red_cells);
	check_lines(&adult_emergency, COMPONENT_RED_CELLS, red_cells);
	check_lines(&woman_emergency, COMPONENT_RED_CELLS, red_cells_unknown_protected);
	check_lines(&adult_emergency, COMPONENT_RED_CELLS, red_cells_unknown_other);
}
END_TEST

START_TEST(whole_blood_is_identical)
{
	check_lines(&adult, COMPONENT_WHOLE_BLOOD, whole_blood);
	check_lines(&adult_emergency, COMPONENT_WHOLE_BLOOD, whole_blood);
	check_lines(&woman_emergency, COMPONENT_WHOLE_BLOOD, whole_blood);
}
END_TEST

START_TEST(plasma_and_cryo_follow_the_matrix)
{
	check_lines(&adult, COMPONENT_PLASMA, plasma);
	check_lines(&woman, COMPONENT_CRYO, plasma);
	check_lines(&adult_emergency, COMPONENT_CRYO, plasma_emergency);
	check_lines(&woman_emergency, COMPONENT_PLASMA, plasma_emergency);
}
END_TEST

START_TEST(platelets_are_ranked_and_never_banned)
{
	check_lines(&adult, COMPONENT_PLATELETS, platelets_unprotected);
	check_lines(&woman, COMPONENT_PLATELETS, platelets_protected);
	check_lines(&woman_emergency, COMPONENT_PLATELETS, platelets_protected);
}
END_TEST

START_TEST(low_titre_o_whole_blood_is_off_by_default)
{
	struct rules rules = rules_default;
	struct compatibility found;
	struct recipient recipient = { .group = BLOOD_GROUP_A_POSITIVE };
	ck_assert(!rules.low_titre_o_whole_blood);
	rules.low_titre_o_whole_blood = true;
	compatibility_find(&rules, &recipient, COMPONENT_WHOLE_BLOOD, &found);
	ck_assert(found.donors[BLOOD_GROUP_O_POSITIVE].is_compatible);
	ck_assert_uint_eq(found.donors[BLOOD_GROUP_O_POSITIVE].strict_attributes,
		ATTRIBUTE_BIT(ATTRIBUTE_HT_NEGATIVE));
	ck_assert_int_eq(found.donors[BLOOD_GROUP_A_POSITIVE].rank, 0);
	ck_assert_int_eq(found.donors[BLOOD_GROUP_O_POSITIVE].rank, 1);
	ck_assert_int_eq(found.donors[BLOOD_GROUP_A_NEGATIVE].rank, 2);
	ck_assert_int_eq(found.donors[BLOOD_GROUP_O_NEGATIVE].rank, 3);
	ck_assert(!found.donors[BLOOD_GROUP_B_POSITIVE].is_compatible);
	recipient.group = BLOOD_GROUP_UNKNOWN;
	compatibility_find(&rules, &recipient, COMPONENT_WHOLE_BLOOD, &found);
	ck_assert(found.donors[BLOOD_GROUP_O_POSITIVE].is_compatible);
	ck_assert(!found.donors[BLOOD_GROUP_A_POSITIVE].is_compatible);
}
END_TEST

/* For neonates: infant, mother, component, and all compatible donors by name. */
struct pair {
	enum component component;
	enum blood_group infant, mother;
	const char *donors;
};

static const struct pair pairs[] = {
	{ COMPONENT_RED_CELLS, BLOOD_GROUP_A_POSITIVE, BLOOD_GROUP_O_POSITIVE, "O- O+" },
	{ COMPONENT_RED_CELLS, BLOOD_GROUP_A_POSITIVE, BLOOD_GROUP_A_POSITIVE, "O- O+ A- A+" },
	{ COMPONENT_RED_CELLS, BLOOD_GROUP_A_POSITIVE, BLOOD_GROUP_B_POSITIVE, "O- O+" },
	{ COMPONENT_RED_CELLS, BLOOD_GROUP_A_POSITIVE, BLOOD_GROUP_O_NEGATIVE, "O- O+!" },
	{ COMPONENT_RED_CELLS, BLOOD_GROUP_O_NEGATIVE, BLOOD_GROUP_AB_POSITIVE, "O- O+!" },
	{ COMPONENT_RED_CELLS, BLOOD_GROUP_AB_POSITIVE, BLOOD_GROUP_UNKNOWN, "O- O+" },
	{ COMPONENT_RED_CELLS, BLOOD_GROUP_A_NEGATIVE, BLOOD_GROUP_UNKNOWN, "O- O+!" },
	{ COMPONENT_RED_CELLS, BLOOD_GROUP_UNKNOWN, BLOOD_GROUP_A_POSITIVE, "O- O+!" },
	{ COMPONENT_WHOLE_BLOOD, BLOOD_GROUP_A_POSITIVE, BLOOD_GROUP_O_POSITIVE, "" },
	{ COMPONENT_WHOLE_BLOOD, BLOOD_GROUP_A_POSITIVE, BLOOD_GROUP_A_POSITIVE, "A- A+" },
	{ COMPONENT_WHOLE_BLOOD, BLOOD_GROUP_A_POSITIVE, BLOOD_GROUP_UNKNOWN, "" },
	{ COMPONENT_PLASMA, BLOOD_GROUP_O_POSITIVE, BLOOD_GROUP_A_POSITIVE, "A- A+ AB- AB+" },
	{ COMPONENT_PLASMA, BLOOD_GROUP_A_POSITIVE, BLOOD_GROUP_B_POSITIVE, "AB- AB+" },
	{ COMPONENT_PLASMA, BLOOD_GROUP_O_POSITIVE, BLOOD_GROUP_UNKNOWN, "AB- AB+" },
	{ COMPONENT_PLATELETS, BLOOD_GROUP_A_POSITIVE, BLOOD_GROUP_UNKNOWN, "O- O+ A- A+ B- B+ AB- AB+" },
};

/* All compatible donors in the order of the enum. */
static void write_donors(const struct compatibility *found, char *out, size_t size)
{
	out[0] = '\0';
	for (enum blood_group group = BLOOD_GROUP_O_NEGATIVE; group < BLOOD_GROUP_UNKNOWN; group++) {
		size_t length = strlen(out);
		if (found->donors[group].is_compatible)
			(void)snprintf(out + length, size - length, "%s%s%s", length == 0 ? "" : " ", group_names[group],
				found->donors[group].is_rhd_mismatch ? "!" : "");
	}
}

START_TEST(a_neonate_needs_what_suits_the_mother_too)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		const struct pair *pair = &pairs[i];
		struct recipient recipient = { .group = pair->infant,
			.mother = pair->mother,
			.is_neonate = true,
			.is_child = true,
			.is_d_protected = true };
		struct compatibility found;
		char donors[100];
		compatibility_find(&rules_default, &recipient, pair->component, &found);
		write_donors(&found, donors, sizeof(donors));
		ck_assert_msg(strcmp(donors, pair->donors) == 0, "pair %zu: %s, not %s", i, donors, pair->donors);
	}
}
END_TEST

START_TEST(children_get_plasma_incompatible_platelets_only_of_low_titre)
{
	struct recipient child = { .group = BLOOD_GROUP_A_POSITIVE, .is_child = true, .is_d_protected = true };
	struct compatibility found;
	compatibility_find(&rules_default, &child, COMPONENT_PLATELETS, &found);
	ck_assert_uint_eq(found.donors[BLOOD_GROUP_A_POSITIVE].attributes, 0);
	ck_assert_uint_eq(found.donors[BLOOD_GROUP_AB_POSITIVE].attributes, 0);
	ck_assert_uint_eq(found.donors[BLOOD_GROUP_B_POSITIVE].attributes, ATTRIBUTE_BIT(ATTRIBUTE_HT_NEGATIVE));
	ck_assert_uint_eq(found.donors[BLOOD_GROUP_O_NEGATIVE].attributes, ATTRIBUTE_BIT(ATTRIBUTE_HT_NEGATIVE));
	child.group = BLOOD_GROUP_O_POSITIVE;
	compatibility_find(&rules_default, &child, COMPONENT_PLATELETS, &found);
	for (enum blood_group group = BLOOD_GROUP_O_NEGATIVE; group < BLOOD_GROUP_UNKNOWN; group++)
		ck_assert_uint_eq(found.donors[group].attributes, 0);
	child.is_child = false;
	child.group = BLOOD_GROUP_AB_POSITIVE;
	compatibility_find(&rules_default, &child, COMPONENT_PLATELETS, &found);
	ck_assert_uint_eq(found.donors[BLOOD_GROUP_O_POSITIVE].attributes, 0);
}
END_TEST

START_TEST(no_order_of_anything_makes_abo_incompatible_cells_compatible)
{
	static const enum component cells[] = { COMPONENT_RED_CELLS, COMPONENT_WHOLE_BLOOD };
	for (int flags = 0; flags < 64; flags++) {
		struct recipient recipient = { .group = BLOOD_GROUP_O_POSITIVE,
			.is_emergency = flags & 1,
			.is_d_protected = flags & 2,
			.is_child = flags & 4,
			.has_rhd_override = flags & 8,
			.has_antigen_override = flags & 16,
			.has_anti_d = flags & 32 };
		for (size_t i = 0; i < 2; i++) {
			struct compatibility found;
			compatibility_find(&rules_default, &recipient, cells[i], &found);
			for (enum blood_group group = BLOOD_GROUP_A_NEGATIVE; group < BLOOD_GROUP_UNKNOWN; group++)
				ck_assert(!found.donors[group].is_compatible);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("compatibility");
	TCase *test_case = tcase_create("compatibility");
	tcase_add_test(test_case, red_cells_follow_the_matrix);
	tcase_add_test(test_case, whole_blood_is_identical);
	tcase_add_test(test_case, plasma_and_cryo_follow_the_matrix);
	tcase_add_test(test_case, platelets_are_ranked_and_never_banned);
	tcase_add_test(test_case, low_titre_o_whole_blood_is_off_by_default);
	tcase_add_test(test_case, a_neonate_needs_what_suits_the_mother_too);
	tcase_add_test(test_case, children_get_plasma_incompatible_platelets_only_of_low_titre);
	tcase_add_test(test_case, no_order_of_anything_makes_abo_incompatible_cells_compatible);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
