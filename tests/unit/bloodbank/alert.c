/* Alerts: each transition, each limit to the unit, and that nothing is told twice. */
#include "alert.h"

#include <string.h>

#include "run.h"

#define RED COMPONENT_RED_CELLS
#define PLATELETS COMPONENT_PLATELETS
#define PLASMA COMPONENT_PLASMA
#define NONE STOCK_LEVEL_NONE
#define NORMAL STOCK_LEVEL_NORMAL
#define LOW STOCK_LEVEL_LOW
#define CRITICAL STOCK_LEVEL_CRITICAL

struct example {
	const char *name;
	enum component component;
	int64_t available, demand_28_days;
	enum stock_level before;
	enum event event;
	enum stock_level after;
	double threshold;
	bool is_in_days;
};

/* clang-format off */
static const struct example examples[] = {
	/* units: low below 5, critical below 2, back from 5.5 and 2.2 on */
	{ "five are enough", PLASMA, 5, 0, NORMAL, EVENT_NONE, NORMAL, 0, false },
	{ "four are few", PLASMA, 4, 0, NORMAL, BLOODBANK_STOCK_LOW, LOW, 5, false },
	{ "told already", PLASMA, 4, 0, LOW, EVENT_NONE, LOW, 0, false },
	{ "fewer, and told already", PLASMA, 2, 0, LOW, EVENT_NONE, LOW, 0, false },
	{ "worse", PLASMA, 1, 0, LOW, BLOODBANK_STOCK_CRITICAL, CRITICAL, 2, false },
	{ "critical at once", PLASMA, 1, 0, NORMAL, BLOODBANK_STOCK_CRITICAL, CRITICAL, 2, false },
	{ "worse still, and told already", PLASMA, 0, 0, CRITICAL, EVENT_NONE, CRITICAL, 0, false },
	{ "at the edge it stays critical", PLASMA, 2, 0, CRITICAL, EVENT_NONE, CRITICAL, 0, false },
	{ "better, in silence", PLASMA, 3, 0, CRITICAL, EVENT_NONE, LOW, 0, false },
	{ "worse again", PLASMA, 1, 0, LOW, BLOODBANK_STOCK_CRITICAL, CRITICAL, 2, false },
	{ "at the edge it stays low", PLASMA, 5, 0, LOW, EVENT_NONE, LOW, 0, false },
	{ "back", PLASMA, 6, 0, LOW, BLOODBANK_STOCK_RECOVERED, NORMAL, 5, false },
	{ "back at once", PLASMA, 6, 0, CRITICAL, BLOODBANK_STOCK_RECOVERED, NORMAL, 5, false },
	{ "from critical to the edge of low", PLASMA, 5, 0, CRITICAL, EVENT_NONE, LOW, 0, false },
	{ "plasma knows no days", PLASMA, 6, 28000, NORMAL, EVENT_NONE, NORMAL, 0, false },
	{ "nor does cryo", COMPONENT_CRYO, 4, 28000, NORMAL, BLOODBANK_STOCK_LOW, LOW, 5, false },
	{ "nor whole blood", COMPONENT_WHOLE_BLOOD, 6, 28000, LOW, BLOODBANK_STOCK_RECOVERED, NORMAL, 5, false },
	/* red cells at 10 a day: low below 60, critical below 20, back from 66 and 22 on */
	{ "six days are enough", RED, 60, 280, NORMAL, EVENT_NONE, NORMAL, 0, false },
	{ "less than six days", RED, 59, 280, NORMAL, BLOODBANK_STOCK_LOW, LOW, 6, true },
	{ "two days", RED, 20, 280, LOW, EVENT_NONE, LOW, 0, false },
	{ "less than two days", RED, 19, 280, LOW, BLOODBANK_STOCK_CRITICAL, CRITICAL, 2, true },
	{ "2.1 days", RED, 21, 280, CRITICAL, EVENT_NONE, CRITICAL, 0, false },
	{ "2.2 days", RED, 22, 280, CRITICAL, EVENT_NONE, LOW, 0, false },
	{ "6.5 days", RED, 65, 280, LOW, EVENT_NONE, LOW, 0, false },
	{ "6.6 days, exactly", RED, 66, 280, LOW, BLOODBANK_STOCK_RECOVERED, NORMAL, 6, true },
	{ "no demand is known: units alone", RED, 5, 0, NORMAL, EVENT_NONE, NORMAL, 0, false },
	{ "no demand is known, and few", RED, 4, 0, NORMAL, BLOODBANK_STOCK_LOW, LOW, 5, false },
	{ "many days, but few units", RED, 4, 1, NORMAL, BLOODBANK_STOCK_LOW, LOW, 5, false },
	{ "low by days, critical by units", RED, 1, 7, NORMAL, BLOODBANK_STOCK_CRITICAL, CRITICAL, 2, false },
	{ "low by both: days are named", RED, 4, 28, NORMAL, BLOODBANK_STOCK_LOW, LOW, 6, true },
	{ "enough units, but not yet days", RED, 30, 280, CRITICAL, EVENT_NONE, LOW, 0, false },
	/* platelets at 20 a day: low below 20, critical at 10 and below, back from 22 and 11 on */
	{ "one day", PLATELETS, 20, 560, NORMAL, EVENT_NONE, NORMAL, 0, false },
	{ "less than one day", PLATELETS, 19, 560, NORMAL, BLOODBANK_STOCK_LOW, LOW, 1, true },
	{ "more than half a day", PLATELETS, 11, 560, LOW, EVENT_NONE, LOW, 0, false },
	{ "half a day", PLATELETS, 10, 560, LOW, BLOODBANK_STOCK_CRITICAL, CRITICAL, 0.5, true },
	{ "0.55 days", PLATELETS, 11, 560, CRITICAL, EVENT_NONE, LOW, 0, false },
	{ "1.05 days", PLATELETS, 21, 560, LOW, EVENT_NONE, LOW, 0, false },
	{ "1.1 days", PLATELETS, 22, 560, LOW, BLOODBANK_STOCK_RECOVERED, NORMAL, 1, true },
	/* the first time, when something is taken */
	{ "taken from a shelf of ten", PLASMA, 9, 0, NONE, EVENT_NONE, NORMAL, 0, false },
	{ "taken from a shelf of three", PLASMA, 2, 0, NONE, BLOODBANK_STOCK_LOW, LOW, 5, false },
	{ "taken from a shelf of one", PLASMA, 0, 0, NONE, BLOODBANK_STOCK_CRITICAL, CRITICAL, 2, false },
};
/* clang-format on */

static struct stock_facts facts_of(const struct example *example)
{
	return (struct stock_facts){
		.bank_id = "bank-001",
		.component = example->component,
		.group = BLOOD_GROUP_B_NEGATIVE,
		.available = example->available,
		.undesignated = example->available,
		.demand_28_days = example->demand_28_days,
		.level = example->before,
	};
}

START_TEST(each_transition)
{
	const struct example *example = &examples[_i];
	const struct stock_facts facts = facts_of(example);
	const struct alert alert = alert_decide(&rules_default, &facts, true);
	ck_assert_msg(alert.event == example->event, "%s: told %d", example->name, (int)alert.event);
	ck_assert_msg(alert.level == example->after, "%s: %s", example->name, stock_level_name(alert.level));
	ck_assert_msg(alert.event == EVENT_NONE || alert.is_in_days == example->is_in_days, "%s", example->name);
	ck_assert_double_eq(alert.threshold, example->threshold);
	ck_assert_int_eq(alert_level(&rules_default, &facts), example->after);
}
END_TEST

/* Filling a shelf for the first time is no news, and neither is that it is full then. */
START_TEST(a_new_shelf_is_filled_in_silence)
{
	static const int64_t fillings[] = { 0, 1, 3, 5, 6 };
	struct stock_facts facts = {
		.bank_id = "bank-001", .component = PLASMA, .group = BLOOD_GROUP_O_POSITIVE
	};
	for (size_t i = 0; i < sizeof(fillings) / sizeof(fillings[0]); i++) {
		facts.available = fillings[i];
		const struct alert alert = alert_decide(&rules_default, &facts, false);
		ck_assert_int_eq(alert.event, EVENT_NONE);
		ck_assert_int_eq(alert.level, fillings[i] < 5 ? NONE : NORMAL);
		facts.level = alert.level;
	}
	facts.available = 1;
	ck_assert_int_eq(alert_decide(&rules_default, &facts, true).event, BLOODBANK_STOCK_CRITICAL);
}
END_TEST

/* What nobody was told of is shown all the same. */
START_TEST(a_level_is_always_shown)
{
	const struct stock_facts empty = { .component = RED, .group = BLOOD_GROUP_O_NEGATIVE };
	struct stock_facts little = empty, much = empty;
	little.available = 4;
	much.available = 5;
	ck_assert_int_eq(alert_level(&rules_default, &empty), CRITICAL);
	ck_assert_int_eq(alert_level(&rules_default, &little), LOW);
	ck_assert_int_eq(alert_level(&rules_default, &much), NORMAL);
}
END_TEST

/* Units for one patient count as units of the bank, but not as days of its stock. */
START_TEST(designated_units_last_no_day)
{
	struct stock_facts facts = { .component = RED,
		.group = BLOOD_GROUP_A_POSITIVE,
		.available = 60,
		.undesignated = 59,
		.demand_28_days = 280,
		.level = NORMAL };
	ck_assert_int_eq(alert_decide(&rules_default, &facts, true).event, BLOODBANK_STOCK_LOW);
	facts.demand_28_days = 0;
	ck_assert_int_eq(alert_decide(&rules_default, &facts, true).event, EVENT_NONE);
}
END_TEST

START_TEST(another_edition_has_other_limits)
{
	struct rules rules = rules_default;
	struct stock_facts facts = {
		.component = PLASMA, .group = BLOOD_GROUP_AB_POSITIVE, .available = 9, .level = NORMAL
	};
	rules.unit_limits[PLASMA][BLOOD_GROUP_AB_POSITIVE] = (struct stock_limits){ .low = 10, .critical = 3 };
	struct alert alert = alert_decide(&rules, &facts, true);
	ck_assert_int_eq(alert.event, BLOODBANK_STOCK_LOW);
	ck_assert_double_eq(alert.threshold, 10);
	facts.group = BLOOD_GROUP_A_POSITIVE;
	ck_assert_int_eq(alert_decide(&rules, &facts, true).event, EVENT_NONE);
	rules.unit_limits[PLASMA][BLOOD_GROUP_A_POSITIVE] = (struct stock_limits){ 0 };
	facts.available = 0;
	ck_assert_int_eq(alert_decide(&rules, &facts, true).event, EVENT_NONE);
}
END_TEST

/* xorshift64*: the same days in every run. */
static int64_t next_random(uint64_t *random, unsigned below)
{
	*random ^= *random >> 12;
	*random ^= *random << 25;
	*random ^= *random >> 27;
	return (int64_t)((*random * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % below;
}

static int64_t within(int64_t value, int64_t most)
{
	return value < 0 ? 0 : value > most ? most : value;
}

/* What somebody knows who only hears the alerts. */
static enum stock_level heard(enum stock_level known, enum event event)
{
	if (event == BLOODBANK_STOCK_LOW) {
		ck_assert_int_eq(known, NORMAL);
		return LOW;
	}
	if (event == BLOODBANK_STOCK_CRITICAL)
		return CRITICAL; /* perhaps once more: it had got better in silence */
	if (event == BLOODBANK_STOCK_RECOVERED) {
		ck_assert_int_ne(known, NORMAL);
		return NORMAL;
	}
	return known;
}

/*
 * Units come and go by ones and twos: nothing is told that was known, the same facts once more tell nothing, and whoever heard
 * all alerts is never told less than the truth.
 */
START_TEST(random_days)
{
	uint64_t random = (uint64_t)_i + 1;
	unsigned told = 0;
	struct stock_facts facts = { .component = (enum component)(RED + _i % (COMPONENTS - 1)),
		.group = BLOOD_GROUP_O_NEGATIVE,
		.demand_28_days = _i % 2 == 0 ? 0 : 14 };
	enum stock_level known = NORMAL;
	for (int step = 0; step < 5000; step++) {
		int64_t change = next_random(&random, 5) - 2;
		facts.available = within(facts.available + change, 12);
		facts.undesignated = facts.available;
		enum stock_level shown = alert_level(&rules_default, &facts);
		const struct alert alert = alert_decide(&rules_default, &facts, change < 0);
		known = heard(known, alert.event);
		facts.level = alert.level;
		told += alert.event != EVENT_NONE;
		ck_assert_int_eq(alert_level(&rules_default, &facts), shown);
		ck_assert(facts.level == NONE || facts.level == shown);
		ck_assert(facts.level == NONE || (known == NORMAL) == (shown == NORMAL));
		ck_assert_int_eq(alert_decide(&rules_default, &facts, change < 0).event, EVENT_NONE);
	}
	ck_assert_uint_gt(told, 20);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("alert");
	TCase *tests = tcase_create("alert");
	tcase_add_loop_test(tests, each_transition, 0, (int)(sizeof(examples) / sizeof(examples[0])));
	tcase_add_test(tests, a_new_shelf_is_filled_in_silence);
	tcase_add_test(tests, a_level_is_always_shown);
	tcase_add_test(tests, designated_units_last_no_day);
	tcase_add_test(tests, another_edition_has_other_limits);
	tcase_add_loop_test(tests, random_days, 0, 20);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
