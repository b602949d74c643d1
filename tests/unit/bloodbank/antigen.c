/* Antigens and attributes: names, and what is known of a unit. */
#include "antigen.h"

#include <string.h>

#include "attribute.h"
#include "run.h"

struct name_case {
	const char *text, *name;
};

START_TEST(names_are_bare)
{
	static const struct name_case cases[] = {
		{ "K", "K" },
		{ "K-", "K" },
		{ "K+", "K" },
		{ "anti-K", "K" },
		{ "Anti-K", "K" },
		{ "k-", "k" },
		{ "Fy(a)", "Fya" },
		{ "Fy(a-)", "Fya" },
		{ "anti-Fy(a)", "Fya" },
		{ "Jk_b +", "Jkb" },
		{ "RhD", "D" },
		{ "anti-D", "D" },
		{ "HPA-1a-", "HPA-1a" },
		{ "", "" },
		{ "-", "-" },
		{ "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklm", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char name[ANTIGEN_NAME_MAX + 1];
		antigen_name(cases[i].text, name);
		ck_assert_str_eq(name, cases[i].name);
	}
}
END_TEST

START_TEST(antigens_matter_where_there_are_cells)
{
	ck_assert(antigen_matters("K", COMPONENT_RED_CELLS));
	ck_assert(antigen_matters("Fya", COMPONENT_WHOLE_BLOOD));
	ck_assert(!antigen_matters("K", COMPONENT_PLATELETS));
	ck_assert(!antigen_matters("K", COMPONENT_PLASMA));
	ck_assert(!antigen_matters("HPA-1a", COMPONENT_RED_CELLS));
	ck_assert(antigen_matters("HPA-1a", COMPONENT_PLATELETS));
	ck_assert(antigen_matters("HLA-A2", COMPONENT_PLATELETS));
	ck_assert(!antigen_matters("HLA-A2", COMPONENT_CRYO));
	ck_assert(!antigen_matters("", COMPONENT_RED_CELLS));
}
END_TEST

struct typing_case {
	const char *antigens[3];
	uint32_t attributes;
	enum blood_group group;
	const char *name;
	enum typing typing;
};

START_TEST(a_typing_is_what_is_known)
{
	static const struct typing_case cases[] = {
		{ { NULL }, 0, BLOOD_GROUP_A_POSITIVE, "K", UNTYPED },
		{ { "K-" }, 0, BLOOD_GROUP_A_POSITIVE, "K", TYPED_NEGATIVE },
		{ { "K+" }, 0, BLOOD_GROUP_A_POSITIVE, "K", TYPED_POSITIVE },
		{ { "K" }, 0, BLOOD_GROUP_A_POSITIVE, "K", TYPED_POSITIVE },
		{ { "k-" }, 0, BLOOD_GROUP_A_POSITIVE, "K", UNTYPED },
		{ { "K-", "K+" }, 0, BLOOD_GROUP_A_POSITIVE, "K", TYPED_POSITIVE },
		{ { "Fy(a-)" }, 0, BLOOD_GROUP_A_POSITIVE, "Fya", TYPED_NEGATIVE },
		{ { "HPA-1a" }, 0, BLOOD_GROUP_A_POSITIVE, "HPA-1a", TYPED_POSITIVE },
		{ { "HPA-1a-" }, 0, BLOOD_GROUP_A_POSITIVE, "HPA-1a", TYPED_NEGATIVE },
		{ { NULL }, ATTRIBUTE_BIT(ATTRIBUTE_K_NEGATIVE), BLOOD_GROUP_A_POSITIVE, "K", TYPED_NEGATIVE },
		{ { "K+" }, ATTRIBUTE_BIT(ATTRIBUTE_K_NEGATIVE), BLOOD_GROUP_A_POSITIVE, "K", TYPED_POSITIVE },
		{ { NULL }, 0, BLOOD_GROUP_A_POSITIVE, "D", TYPED_POSITIVE },
		{ { NULL }, 0, BLOOD_GROUP_A_NEGATIVE, "D", TYPED_NEGATIVE },
		{ { NULL }, 0, BLOOD_GROUP_A_NEGATIVE, "A1", TYPED_POSITIVE },
		{ { NULL }, 0, BLOOD_GROUP_O_NEGATIVE, "A", TYPED_NEGATIVE },
		{ { NULL }, 0, BLOOD_GROUP_AB_NEGATIVE, "B", TYPED_POSITIVE },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct unit unit = {
			.antigens = cases[i].antigens, .attributes = cases[i].attributes, .group = cases[i].group
		};
		while (unit.antigens_count < 3 && cases[i].antigens[unit.antigens_count] != NULL)
			unit.antigens_count++;
		ck_assert_msg(antigen_typing(&unit, cases[i].name) == cases[i].typing, "case %zu", i);
	}
}
END_TEST

START_TEST(attributes_have_names_and_bits)
{
	static const char *const names[] = { "irradiated", "leukoreduced", "washed", "irradiated" };
	static const char *const antigens[] = { "K-", "HbS-", "Fya-" };
	for (enum attribute attribute = 0; attribute < ATTRIBUTES; attribute++)
		ck_assert_uint_eq(attribute_bit(attribute_name(attribute)), ATTRIBUTE_BIT(attribute));
	ck_assert_ptr_null(attribute_name(ATTRIBUTES));
	ck_assert_uint_eq(attribute_bit("leukoreduced"), 0);
	uint32_t set = ATTRIBUTE_BIT(ATTRIBUTE_IRRADIATED) | ATTRIBUTE_BIT(ATTRIBUTE_WASHED);
	ck_assert_uint_eq(attribute_set(names, 4), set);
	ck_assert_uint_eq(attribute_set_of_unit(names, 4, antigens, 3),
		set | ATTRIBUTE_BIT(ATTRIBUTE_K_NEGATIVE) | ATTRIBUTE_BIT(ATTRIBUTE_HBS_NEGATIVE));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("antigen");
	TCase *test_case = tcase_create("antigen");
	tcase_add_test(test_case, names_are_bare);
	tcase_add_test(test_case, antigens_matter_where_there_are_cells);
	tcase_add_test(test_case, a_typing_is_what_is_known);
	tcase_add_test(test_case, attributes_have_names_and_bits);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
