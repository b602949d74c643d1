/* Pure parts of people's commands: problems told, tables, files of units, loopback. */
#include "address.h"
#include "csv.h"
#include "door.h"
#include "print.h"
#include "problem.h"
#include "shipment.h"

#include <stdlib.h>
#include <string.h>

#include "run.h"

static struct arena arena;
static struct buffer out;

static void set_up(void)
{
	arena_init(&arena);
	buffer_init(&out);
}

static void tear_down(void)
{
	arena_clear(&arena);
	buffer_clear(&out);
}

/* -- problems */

static const struct {
	long status;
	enum ending ending;
} endings[] = {
	{ 200, ENDING_DONE },
	{ 202, ENDING_DONE },
	{ 204, ENDING_DONE },
	{ 302, ENDING_FAULT },
	{ 400, ENDING_FAULT },
	{ 401, ENDING_FAULT },
	{ 403, ENDING_NO },
	{ 404, ENDING_NO },
	{ 409, ENDING_NO },
	{ 412, ENDING_NO },
	{ 422, ENDING_NO },
	{ 429, ENDING_FAULT },
	{ 500, ENDING_FAULT },
	{ 503, ENDING_FAULT },
	{ 504, ENDING_NO_ANSWER },
};

START_TEST(a_status_has_an_ending)
{
	ck_assert_int_eq(problem_ending(endings[_i].status), endings[_i].ending);
}
END_TEST

static const char *tell(long status, const char *body, long retry_after_s)
{
	json_t *decoded = body == NULL ? NULL : json_loads(body, 0, NULL);
	ck_assert(body == NULL || decoded != NULL);
	const struct problem problem = { .status = status, .body = decoded, .retry_after_s = retry_after_s };
	problem_write(&problem, "trying", &out);
	json_decref(decoded);
	return buffer_text(&out);
}

START_TEST(a_problem_says_what_why_and_what_to_do)
{
	ck_assert_str_eq(
		tell(409,
			"{\"title\":\"Conflict\",\"status\":409,\"code\":\"wrong_state\",\"detail\":\"the request is "
			"fulfilled\",\"state\":\"fulfilled\"}",
			0),
		"trying: its state forbids it: the request is fulfilled (409 wrong_state)\n  state: fulfilled\n"
		"look at its present state, then decide anew\n");
}
END_TEST

START_TEST(a_problem_names_each_member)
{
	ck_assert_str_eq(
		tell(422,
			"{\"code\":\"schema\",\"errors\":[{\"field\":\"/quantity\",\"why\":\"101 is above 100\"},"
			"{\"pointer\":\"/group\",\"detail\":\"is none of O-\"},{\"parameter\":\"limit\",\"detail\":\"no number\"}, 7]}",
			0),
		"trying: not valid (422 schema)\n  /quantity: 101 is above 100\n  /group: is none of O-\n  limit: no number\n  \n"
		"mend what is named, and send it again\n");
}
END_TEST

START_TEST(a_problem_may_be_no_problem_at_all)
{
	ck_assert_str_eq(tell(503, NULL, 2),
		"trying: the bridge cannot reach what it needs (503)\ntry again in 2 s\n");
	buffer_reset(&out);
	ck_assert_str_eq(tell(500, "[1]", 0), "trying: refused (500)\n");
	buffer_reset(&out);
	ck_assert_str_eq(tell(404, "{\"detail\":7,\"errors\":{}}", 0),
		"trying: there is no such thing (404)\ncheck the id\n");
}
END_TEST

START_TEST(a_problem_does_not_reach_the_terminal)
{
	const char *text = tell(409, "{\"detail\":\"\\u001b[2Jgone\\r\\u009b1m\\u007f, \\u00e9t\\u00e9\"}", 0);
	ck_assert_ptr_nonnull(strstr(text, "?[2Jgone???1m?, \xc3\xa9t\xc3\xa9"));
}
END_TEST

START_TEST(many_errors_are_cut)
{
	json_t *errors = json_array();
	for (int i = 0; i < 70; i++)
		json_array_append_new(errors, json_pack("{s:s, s:s}", "pointer", "/x", "detail", "bad"));
	json_t *body = json_pack("{s:o}", "errors", errors);
	const struct problem problem = { .status = 422, .body = body };
	problem_write(&problem, "trying", &out);
	ck_assert_ptr_nonnull(strstr(buffer_text(&out), "  and 20 more\n"));
	json_decref(body);
}
END_TEST

/* -- printing */

static const struct {
	const char *text;
	size_t size;
	const char *safe;
} safe_texts[] = {
	{ NULL, 8, "" },
	{ "", 8, "" },
	{ "a\tb\n", 8, "a?b?" },
	{ "12345678", 8, "1234567" },
	{ "1234567", 8, "1234567" },
	{ "123456\xc3\xa9", 8, "123456" },
	{ "12345\xc3\xa9", 8, "12345\xc3\xa9" },
	{ "12345\xe2\x82\xac", 8, "12345" },
};

START_TEST(texts_are_made_safe)
{
	char text[16];
	print_safe(safe_texts[_i].text, text, safe_texts[_i].size);
	ck_assert_str_eq(text, safe_texts[_i].safe);
}
END_TEST

START_TEST(a_table_is_aligned)
{
	static const struct column columns[] = { { .title = "NAME" }, { .title = "N", .is_number = true },
		{ .title = "LEVEL", .is_colored = true }, { .title = "X" }, { 0 } };
	char text[512] = "";
	struct table table;
	FILE *file = fmemopen(text, sizeof(text) - 1, "w");
	table_init(&table, columns);
	table_add(&table, (const char *const[]){ "h\xc3\xa9", "7", "low", NULL }, COLOR_RED);
	table_add(&table, (const char *const[]){ "longer", "1234", "normal", "y\033" }, NULL);
	table_print(&table, file);
	fclose(file);
	table_clear(&table);
	ck_assert_str_eq(text,
		"NAME       N  LEVEL   X\n"
		"h\xc3\xa9         7  " COLOR_RED "low" COLOR_PLAIN "\n"
		"longer  1234  normal  y?\n");
}
END_TEST

/* -- paths */

START_TEST(queries_are_encoded)
{
	buffer_add_text(&out, "/v1/blood-units/");
	door_part(&out, "a/../b?c%");
	door_query(&out, "group", "O+");
	door_query(&out, "absent", NULL);
	door_query(&out, "name", "a b&\xc3\xa9");
	ck_assert_str_eq(buffer_text(&out), "/v1/blood-units/a%2F..%2Fb%3Fc%25?group=O%2B&name=a%20b%26%C3%A9");
}
END_TEST

static const struct {
	const char *host;
	bool is_loopback;
} hosts[] = {
	{ "127.0.0.1", true },
	{ "127.0.0.1:5672", true },
	{ "127.3.2.1:1", true },
	{ "localhost", true },
	{ "localhost:80", true },
	{ "[::1]", true },
	{ "[::1]:80", true },
	{ "", false },
	{ "128.0.0.1", false },
	{ "10.0.0.1:80", false },
	{ "localhost.example.org", false },
	{ "127.0.0.1.example.org:80", false },
	{ "127.example.org", false },
	{ "[::1].example.org", false },
	{ "[::2]", false },
	{ "local", false },
	{ "0.0.0.0", false },
};

START_TEST(this_host_is_known_by_its_names)
{
	ck_assert_msg(address_is_loopback(hosts[_i].host) == hosts[_i].is_loopback, "%s", hosts[_i].host);
}
END_TEST

/* -- CSV */

static bool read_csv(const char *text, struct csv *csv, struct why *why)
{
	return csv_read(text, strlen(text), &arena, csv, why);
}

START_TEST(csv_has_quotes_and_line_ends)
{
	struct csv csv;
	struct why why = { .text = "" };
	ck_assert_msg(read_csv("\xef\xbb\xbf\n a,b,\"c\"\"d\"\r\n\r\n1,\"x,\ny\",\r\n,,z", &csv, &why), "%s",
		why.text);
	ck_assert_uint_eq(csv.column_count, 3);
	ck_assert_str_eq(csv.names[0], " a");
	ck_assert_str_eq(csv.names[2], "c\"d");
	ck_assert_uint_eq(csv.count, 2);
	ck_assert_str_eq(csv.rows[0].cells[0], "1");
	ck_assert_str_eq(csv.rows[0].cells[1], "x,\ny");
	ck_assert_str_eq(csv.rows[0].cells[2], "");
	ck_assert_uint_eq(csv.rows[0].line, 4);
	ck_assert_str_eq(csv.rows[1].cells[2], "z");
	ck_assert_uint_eq(csv.rows[1].line, 6);
}
END_TEST

static const struct {
	const char *text, *fault;
} bad_csv[] = {
	{ "", "line 1: there is no header" },
	{ "\n\r\n", "there is no header" },
	{ "a,b\n1\n", "line 2: 1 cells, the header has 2" },
	{ "a,b\n1,2\n1,2,3\n", "line 3: more than 2 cells" },
	{ "a,b\n\"1,2\n", "line 2: a quote is not closed" },
	{ "a,b\n\"1\"2,3\n", "line 2: a comma has to follow the quote" },
	{ "1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3", "more than 32 cells" },
};

START_TEST(bad_csv_is_refused_by_line)
{
	struct csv csv = { .count = 7 };
	struct why why = { .text = "" };
	ck_assert(!read_csv(bad_csv[_i].text, &csv, &why));
	ck_assert_msg(strstr(why.text, bad_csv[_i].fault) != NULL, "%s", why.text);
	ck_assert_uint_eq(csv.count, 7);
}
END_TEST

START_TEST(csv_with_a_nul_is_refused)
{
	struct csv csv;
	struct why why;
	ck_assert(!csv_read("a\n1\0002\n", 6, &arena, &csv, &why));
}
END_TEST

/* -- shipments */

#define UNIT \
	"\"din\":\"A999926000001\",\"product_code\":\"E0336\",\"component\":\"red_cells\",\"group\":\"O+\"," \
	"\"collected_at\":\"2026-03-01T08:00:00Z\""
#define HEADER "din,product_code,component,group,collected_at,volume_ml,attributes,additive\n"
#define ROW "A999926000001,E0336,red_cells,O+,2026-03-01T08:00:00Z,280,cmv_negative;irradiated,SAGM\n"

static bool read_shipment(const char *text, struct shipment *shipment, struct why *why)
{
	*shipment = (struct shipment){ .bank_id = "bank-001" };
	return shipment_read(text, strlen(text), &arena, shipment, why);
}

static const char *body_of(const struct shipment *shipment, size_t number, char key[UUID_TEXT_BYTES])
{
	struct why why = { .text = "" };
	ck_assert_msg(shipment_write(shipment, number, &out, key, &why), "%s", why.text);
	return arena_text(&arena, buffer_text(&out));
}

START_TEST(json_and_csv_are_the_same_units)
{
	struct shipment from_json, from_csv;
	struct why why = { .text = "" };
	char json_key[UUID_TEXT_BYTES], csv_key[UUID_TEXT_BYTES];
	ck_assert_msg(read_shipment("\n [{" UNIT
								",\"volume_ml\":280,\"attributes\":[\"cmv_negative\",\"irradiated\"],"
								"\"additive\":\"SAGM\"}]",
					  &from_json, &why),
		"%s", why.text);
	ck_assert_msg(read_shipment(HEADER ROW, &from_csv, &why), "%s", why.text);
	ck_assert_str_eq(body_of(&from_json, 0, json_key), body_of(&from_csv, 0, csv_key));
	ck_assert_str_eq(json_key, csv_key);
	ck_assert_uint_eq(from_csv.count, 1);
	ck_assert_uint_eq(from_csv.units[0].attributes_count, 2);
	from_csv.bank_id = "bank-002";
	body_of(&from_csv, 0, csv_key);
	ck_assert_str_ne(json_key, csv_key);
}
END_TEST

static const struct {
	const char *text, *fault;
} bad_shipments[] = {
	{ "", "no header" },
	{ "[]", "there are no units" },
	{ HEADER, "there are no units" },
	{ "[{" UNIT "}, 7]", "unit 2: not an object" },
	{ "[{" UNIT "}, {" UNIT ",\"colour\":1}]", "unit 2: a unit has no \"colour\", but din, product_code" },
	{ "[{" UNIT ",\"volume_ml\":\"280\"}]", "unit 1: /volume_ml" },
	{ "[{\"din\":\"A999926000001\"}]", "unit 1: " },
	{ "[{" UNIT ",\"din\":\"A999926000002\"}]", "not JSON" },
	{ "[{" UNIT "}\n,", "line 2: not JSON" },
	{ "[1", "not JSON" },
	{ "din,colour\nA999926000001,red\n", "line 1: a unit has no \"colour\"" },
	{ "din,din\nA999926000001,A999926000001\n", "line 1: the column \"din\" is there twice" },
	{ HEADER ROW "A999926000002,E0336,red_cells,O,2026-03-01T08:00:00Z,,,\n", "line 3: /group" },
	{ HEADER "A999926000002,E0336,red_cells,O+,2026-03-01T08:00:00Z,much,,\n", "line 2: /volume_ml" },
	{ HEADER "A999926000002,E0336,red_cells,O+,yesterday,,,\n", "line 2: /collected_at" },
	{ HEADER "A999926000002,E0336,red_cells,O+,2026-03-01T08:00:00Z,,a;;b,\n", "line 2: /attributes" },
	{ HEADER "A999926000002,E0336,red_cells,O+,2026-03-01T08:00:00Z,,,\xff\n",
		"line 2: /additive: not UTF-8" },
};

START_TEST(a_bad_unit_is_named_and_all_are_refused)
{
	struct shipment shipment;
	struct why why = { .text = "" };
	ck_assert(!read_shipment(bad_shipments[_i].text, &shipment, &why));
	ck_assert_msg(strstr(why.text, bad_shipments[_i].fault) != NULL, "%s", why.text);
	ck_assert_uint_eq(shipment.count, 0);
}
END_TEST

START_TEST(a_shipment_is_cut_into_parts)
{
	struct shipment shipment;
	struct why why = { .text = "" };
	struct buffer text;
	char first[UUID_TEXT_BYTES], last[UUID_TEXT_BYTES];
	buffer_init(&text);
	buffer_add_text(&text, "din,product_code,component,group,collected_at\n");
	for (int i = 0; i < 401; i++)
		buffer_print(&text, "A9999260%05d,E0336,red_cells,O+,2026-03-01T08:00:00Z\n", i);
	ck_assert_msg(read_shipment(buffer_text(&text), &shipment, &why), "%s", why.text);
	ck_assert_uint_eq(shipment_parts(&shipment), 3);
	ck_assert_uint_eq(shipment_part_units(&shipment, 0), 200);
	ck_assert_uint_eq(shipment_part_units(&shipment, 2), 1);
	body_of(&shipment, 0, first);
	ck_assert_ptr_nonnull(strstr(body_of(&shipment, 2, last), "A999926000400"));
	ck_assert_str_ne(first, last);
	shipment.bank_id = "Bank 1";
	ck_assert(!shipment_write(&shipment, 0, &out, first, &why));
	ck_assert_ptr_nonnull(strstr(why.text, "bank_id"));
	buffer_clear(&text);
}
END_TEST

#define LOOP(test_case, test, table) \
	tcase_add_loop_test(test_case, test, 0, (int)(sizeof(table) / sizeof((table)[0])))

int main(void)
{
	Suite *suite = suite_create("client_people");
	TCase *test_case = tcase_create("client_people");
	tcase_add_checked_fixture(test_case, set_up, tear_down);
	LOOP(test_case, a_status_has_an_ending, endings);
	tcase_add_test(test_case, a_problem_says_what_why_and_what_to_do);
	tcase_add_test(test_case, a_problem_names_each_member);
	tcase_add_test(test_case, a_problem_may_be_no_problem_at_all);
	tcase_add_test(test_case, a_problem_does_not_reach_the_terminal);
	tcase_add_test(test_case, many_errors_are_cut);
	LOOP(test_case, texts_are_made_safe, safe_texts);
	tcase_add_test(test_case, a_table_is_aligned);
	tcase_add_test(test_case, queries_are_encoded);
	LOOP(test_case, this_host_is_known_by_its_names, hosts);
	tcase_add_test(test_case, csv_has_quotes_and_line_ends);
	LOOP(test_case, bad_csv_is_refused_by_line, bad_csv);
	tcase_add_test(test_case, csv_with_a_nul_is_refused);
	tcase_add_test(test_case, json_and_csv_are_the_same_units);
	LOOP(test_case, a_bad_unit_is_named_and_all_are_refused, bad_shipments);
	tcase_add_test(test_case, a_shipment_is_cut_into_parts);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
