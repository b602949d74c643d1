/* The statements of the bare loop: two round trips a batch, everything set-based, in libpq's pipeline mode. */
#include "bare.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "clock.h"
#include "database.h"

enum { BINARY = 1, PARAMETERS_MAX = 16 };

static const int64_t EPOCH_2000_US = INT64_C(946684800000000);

static PGconn *database;

static const char *const statements[][2] = {
	{ "lock",
		"SELECT 1 FROM shelf WHERE component = 'red_cells' AND bank_id = ANY ($1::text[]) ORDER BY bank_id FOR UPDATE" },
	{ "inbox",
		"WITH given AS (SELECT * FROM unnest($1::uuid[], $2::bytea[]) WITH ORDINALITY g (message_id, body_sha256, place)), "
		"fresh AS (INSERT INTO inbox (consumer, message_id, body_sha256) "
		"SELECT 'bloodbank', message_id, body_sha256 FROM given ORDER BY message_id ON CONFLICT DO NOTHING RETURNING message_id) "
		"SELECT place FROM fresh JOIN given USING (message_id)" },
	{ "bins",
		"SELECT a.place, s.available::bigint, s.reserved::bigint, s.version, b.available::bigint, "
		"s.expiring + (SELECT count(*) FROM unit u WHERE u.status = 'available' AND u.bank_id = a.bank_id "
		"AND u.component = 'red_cells' AND u.blood_group = a.blood_group AND u.expires_at > s.expiring_until "
		"AND u.expires_at <= $3::timestamptz) "
		"FROM unnest($1::text[], $2::text[]) WITH ORDINALITY a (bank_id, blood_group, place) "
		"JOIN stock s ON s.bank_id = a.bank_id AND s.component = 'red_cells' AND s.blood_group = a.blood_group "
		"JOIN bin b ON b.bank_id = a.bank_id AND b.component = 'red_cells' AND b.blood_group = a.blood_group "
		"AND b.profile = 0" },
	{ "units",
		"SELECT a.place, u.unit_id, u.expires_at "
		"FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY a (bank_id, blood_group, asked, place) "
		"CROSS JOIN LATERAL (SELECT unit_id, expires_at FROM unit u WHERE u.status = 'available' "
		"AND u.designated_for IS NULL AND u.bank_id = a.bank_id AND u.component = 'red_cells' "
		"AND u.blood_group = a.blood_group AND u.profile = 0 ORDER BY u.expires_at, u.unit_id LIMIT a.asked) u" },
	{ "requests",
		"INSERT INTO request (request_id, hospital_id, component, blood_group, urgency, quantity, quantity_allocated, "
		"status, allocation_no, version, received_at, correlation_id, body) "
		"SELECT request_id, hospital_id, 'red_cells', blood_group, 'routine', quantity, quantity, 'settled', 1, 1, "
		"$1::timestamptz, correlation_id, body "
		"FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[]) "
		"r (request_id, hospital_id, blood_group, quantity, correlation_id, body)" },
	{ "decisions",
		"INSERT INTO decision (request_id, version, event, body) "
		"SELECT request_id, 1, 'bloodbank.blood.approved', body FROM unnest($1::uuid[], $2::text[]) d (request_id, body)" },
	{ "reserve",
		"UPDATE unit u SET status = 'reserved', request_id = c.request_id, reserved_until = c.reserved_until, "
		"version = u.version + 1 FROM unnest($1::text[], $2::uuid[], $3::timestamptz[]) "
		"c (unit_id, request_id, reserved_until) WHERE u.unit_id = c.unit_id AND u.status = 'available'" },
	{ "stock",
		"UPDATE stock s SET available = c.available, reserved = c.reserved, expiring = c.expiring, "
		"expiring_until = $6::timestamptz, version = s.version + 1 "
		"FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) "
		"c (bank_id, blood_group, available, reserved, expiring) "
		"WHERE s.bank_id = c.bank_id AND s.component = 'red_cells' AND s.blood_group = c.blood_group" },
	{ "counts",
		"UPDATE bin b SET available = c.available FROM unnest($1::text[], $2::text[], $3::bigint[]) "
		"c (bank_id, blood_group, available) WHERE b.bank_id = c.bank_id AND b.component = 'red_cells' "
		"AND b.blood_group = c.blood_group AND b.profile = 0" },
	{ "outbox",
		"INSERT INTO outbox (cause_id, ordinal, message_id, exchange, routing_key, type, correlation_id, causation_id, "
		"schema_version, version, body, created_at) "
		"SELECT cause_id, ordinal, message_id, 'bloodbank', type, type, correlation_id, cause_id, 1, version, body, "
		"$1::timestamptz FROM unnest($2::uuid[], $3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::bigint[], $8::text[]) "
		"o (cause_id, ordinal, message_id, type, correlation_id, version, body)" },
	{ "marks",
		"UPDATE outbox SET sent_at = now() FROM unnest($1::uuid[], $2::bigint[]) m (cause_id, ordinal) "
		"WHERE outbox.cause_id = m.cause_id AND outbox.ordinal = m.ordinal" },
};

static void check(bool is_good, const char *what)
{
	if (!is_good)
		bare_fail("%s: %s", what, PQerrorMessage(database));
}

static PGresult *checked(PGresult *result, const char *what)
{
	ExecStatusType status = PQresultStatus(result);
	check(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, what);
	return result;
}

void bare_connect_database(void)
{
	const char *const keywords[] = { "dbname", "password", "application_name", NULL };
	const char *const values[] = { getenv("DATABASE_URL"), getenv("DATABASE_PASSWORD"), "bare-loop", NULL };
	database = PQconnectdbParams(keywords, values, 1);
	check(PQstatus(database) == CONNECTION_OK, "connecting to the database");
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
		PQclear(checked(PQprepare(database, statements[i][0], statements[i][1], 0, NULL), statements[i][0]));
}

static void copy_value(char out[BARE_ID_BYTES], const PGresult *result, int row, int column)
{
	size_t length = (size_t)PQgetlength(result, row, column);
	if (length >= BARE_ID_BYTES)
		bare_fail("a value of %zu bytes is too long", length);
	memcpy(out, PQgetvalue(result, row, column), length + 1);
}

static size_t find_bank(struct bare_facilities *facilities, const char *bank_id)
{
	for (size_t i = 0; i < facilities->banks_count; i++)
		if (strcmp(facilities->banks[i], bank_id) == 0)
			return i;
	if (facilities->banks_count == BARE_BANKS)
		bare_fail("more than %d banks", BARE_BANKS);
	memcpy(facilities->banks[facilities->banks_count], bank_id, strlen(bank_id) + 1);
	return facilities->banks_count++;
}

void bare_read_facilities(struct bare_facilities *facilities)
{
	PGresult *result =
		checked(PQexec(database,
					"SELECT DISTINCT ON (hospital_id) hospital_id, bank_id FROM bank_of_hospital "
					"ORDER BY hospital_id, distance_km, bank_id"),
			"facilities");
	for (int row = 0; row < PQntuples(result); row++) {
		struct bare_hospital *hospital = &facilities->hospitals[facilities->hospitals_count++];
		if (facilities->hospitals_count > BARE_HOSPITALS)
			bare_fail("more than %d hospitals", BARE_HOSPITALS);
		char bank_id[BARE_ID_BYTES];
		copy_value(hospital->hospital_id, result, row, 0);
		copy_value(bank_id, result, row, 1);
		hospital->bank = find_bank(facilities, bank_id);
	}
	PQclear(result);
	check(PQenterPipelineMode(database) && PQsetnonblocking(database, 1) == 0, "entering the pipeline mode");
}

static void send_command(const char *text)
{
	check(PQsendQueryParams(database, text, 0, NULL, NULL, NULL, NULL, BINARY), text);
}

static void send_statement(const char *name, struct parameter parameters[], size_t count)
{
	const char *values[PARAMETERS_MAX];
	int lengths[PARAMETERS_MAX], formats[PARAMETERS_MAX];
	for (size_t i = 0; i < count; i++) {
		values[i] = (const char *)parameters[i].buffer.data;
		lengths[i] = (int)parameters[i].buffer.length_bytes;
		formats[i] = BINARY;
	}
	check(PQsendQueryPrepared(database, name, (int)count, values, lengths, formats, BINARY), name);
	parameters_clear(parameters, count);
}

static void flush(void)
{
	int left;
	while ((left = PQflush(database)) == 1) {
		struct pollfd poll_fd = { .fd = PQsocket(database), .events = POLLIN | POLLOUT };
		poll(&poll_fd, 1, -1);
		check(PQconsumeInput(database), "reading");
	}
	check(left == 0, "writing");
}

/* The result of the next statement; the NULL that ends it is taken too. */
static PGresult *take_result(const char *what)
{
	PGresult *result = checked(PQgetResult(database), what);
	PGresult *end = PQgetResult(database);
	check(end == NULL, what);
	return result;
}

static void expect_rows(const char *what, size_t expected)
{
	PGresult *result = take_result(what);
	size_t touched = strtoul(PQcmdTuples(result), NULL, 10);
	if (touched != expected)
		bare_fail("%s touched %zu rows instead of %zu", what, touched, expected);
	PQclear(result);
}

static int64_t number(const PGresult *result, int row, int column)
{
	uint64_t value = 0;
	const unsigned char *bytes = (const unsigned char *)PQgetvalue(result, row, column);
	for (int i = 0; i < 8; i++)
		value = value << 8 | bytes[i];
	return (int64_t)value;
}

static void send_inbox(const struct bare_batch *batch)
{
	struct parameter parameters[2];
	parameters_arrays(parameters, "uy");
	for (size_t i = 0; i < batch->count; i++) {
		parameter_uuid(&parameters[0], batch->requests[i].message_id);
		parameter_bytes(&parameters[1], batch->requests[i].digest, SHA256_BYTES);
	}
	send_statement("inbox", parameters, 2);
}

static void send_lock(const struct bare_facilities *facilities, const struct bare_batch *batch)
{
	struct parameter banks;
	parameters_arrays(&banks, "t");
	for (size_t i = 0; i < batch->bins_count; i++)
		parameter_text(&banks, facilities->banks[batch->bins[i]->bank]);
	send_statement("lock", &banks, 1);
}

static void send_reads(const struct bare_facilities *facilities, const struct bare_batch *batch)
{
	struct parameter bins[3], units[3];
	parameters_arrays(bins, "tt");
	parameter_init(&bins[2], PARAMETER_TIME, false);
	parameter_time(&bins[2], bare_soon(batch));
	parameters_arrays(units, "tti");
	for (size_t i = 0; i < batch->bins_count; i++) {
		const struct bare_bin *bin = batch->bins[i];
		parameter_text(&bins[0], facilities->banks[bin->bank]);
		parameter_text(&bins[1], bare_groups[bin->group]);
		parameter_text(&units[0], facilities->banks[bin->bank]);
		parameter_text(&units[1], bare_groups[bin->group]);
		parameter_int(&units[2], (int64_t)bin->asked);
	}
	send_statement("bins", bins, 3);
	send_statement("units", units, 3);
}

static void take_inbox(struct bare_batch *batch)
{
	PGresult *fresh = take_result("inbox");
	for (int row = 0; row < PQntuples(fresh); row++)
		batch->requests[number(fresh, row, 0) - 1].is_fresh = true;
	PQclear(fresh);
}

static void take_bins(struct bare_batch *batch)
{
	PGresult *result = take_result("bins");
	for (int row = 0; row < PQntuples(result); row++) {
		struct bare_bin *bin = batch->bins[number(result, row, 0) - 1];
		bin->available = number(result, row, 1);
		bin->reserved = number(result, row, 2);
		bin->version = number(result, row, 3);
		bin->in_bin = number(result, row, 4);
		bin->expiring = number(result, row, 5);
	}
	PQclear(result);
}

static void take_units(struct bare_batch *batch)
{
	PGresult *result = take_result("units");
	for (int row = 0; row < PQntuples(result); row++) {
		struct bare_bin *bin = batch->bins[number(result, row, 0) - 1];
		if (bin->units == NULL)
			bin->units = calloc(bin->asked, sizeof(struct bare_unit));
		if (bin->units == NULL)
			abort();
		struct bare_unit *unit = &bin->units[bin->units_count++];
		copy_value(unit->unit_id, result, row, 1);
		unit->expires_at = number(result, row, 2) + EPOCH_2000_US;
	}
	PQclear(result);
}

void bare_load(const struct bare_facilities *facilities, struct bare_batch *batch)
{
	send_command("BEGIN");
	send_lock(facilities, batch);
	send_inbox(batch);
	send_reads(facilities, batch);
	check(PQsendFlushRequest(database), "asking for the answers");
	flush();
	PQclear(take_result("BEGIN"));
	PQclear(take_result("lock"));
	take_inbox(batch);
	take_bins(batch);
	take_units(batch);
}

static size_t send_requests(const struct bare_batch *batch)
{
	struct parameter requests[7], decisions[2];
	size_t count = 0;
	parameter_init(&requests[0], PARAMETER_TIME, false);
	parameter_time(&requests[0], batch->now);
	parameters_arrays(&requests[1], "uttitt");
	parameters_arrays(decisions, "ut");
	for (size_t i = 0; i < batch->count; i++) {
		const struct bare_request *request = &batch->requests[i];
		if (!request->is_fresh)
			continue;
		parameter_uuid(&requests[1], request->request_id);
		parameter_text(&requests[2], request->hospital_id);
		parameter_text(&requests[3], bare_groups[batch->bins[request->bin]->group]);
		parameter_int(&requests[4], (int64_t)request->quantity);
		parameter_text(&requests[5], request->correlation_id);
		parameter_text(&requests[6], request->body);
		parameter_uuid(&decisions[0], request->request_id);
		parameter_text(&decisions[1],
			batch->outputs[count++].body); /* the first outputs are those of the requests */
	}
	send_statement("requests", requests, 7);
	send_statement("decisions", decisions, 2);
	return count;
}

static size_t send_units(const struct bare_batch *batch)
{
	struct parameter parameters[3];
	size_t count = 0;
	parameters_arrays(parameters, "tuz");
	for (size_t i = 0; i < batch->count; i++) {
		const struct bare_request *request = &batch->requests[i];
		for (size_t u = 0; request->is_fresh && u < request->quantity; u++) {
			parameter_text(&parameters[0], request->units[u].unit_id);
			parameter_uuid(&parameters[1], request->request_id);
			parameter_time(&parameters[2], bare_reserved_until(batch->now, request->units[u].expires_at));
			count++;
		}
	}
	send_statement("reserve", parameters, 3);
	return count;
}

static size_t send_counters(const struct bare_facilities *facilities, const struct bare_batch *batch)
{
	struct parameter stock[6], counts[3];
	size_t count = 0;
	parameters_arrays(stock, "ttiii");
	parameter_init(&stock[5], PARAMETER_TIME, false);
	parameter_time(&stock[5], bare_soon(batch));
	parameters_arrays(counts, "tti");
	for (size_t i = 0; i < batch->bins_count; i++) {
		const struct bare_bin *bin = batch->bins[i];
		if (bin->taken == 0)
			continue;
		parameter_text(&stock[0], facilities->banks[bin->bank]);
		parameter_text(&stock[1], bare_groups[bin->group]);
		parameter_int(&stock[2], bin->available);
		parameter_int(&stock[3], bin->reserved);
		parameter_int(&stock[4], bin->expiring);
		parameter_text(&counts[0], facilities->banks[bin->bank]);
		parameter_text(&counts[1], bare_groups[bin->group]);
		parameter_int(&counts[2], bin->in_bin);
		count++;
	}
	send_statement("stock", stock, 6);
	send_statement("counts", counts, 3);
	return count;
}

static void send_outbox(const struct bare_batch *batch)
{
	struct parameter parameters[8];
	parameter_init(&parameters[0], PARAMETER_TIME, false);
	parameter_time(&parameters[0], batch->now);
	parameters_arrays(&parameters[1], "uiuttit");
	for (size_t i = 0; i < batch->outputs_count; i++) {
		const struct bare_output *output = &batch->outputs[i];
		parameter_uuid(&parameters[1], output->cause_id);
		parameter_int(&parameters[2], output->ordinal);
		parameter_uuid(&parameters[3], output->message_id);
		parameter_text(&parameters[4], output->type);
		parameter_text(&parameters[5], output->correlation_id);
		parameter_int(&parameters[6], output->version);
		parameter_text(&parameters[7], output->body);
	}
	send_statement("outbox", parameters, 8);
}

static void send_marks(const struct bare_marks *marks)
{
	struct parameter parameters[2];
	parameters_arrays(parameters, "ui");
	for (size_t i = 0; i < marks->count; i++) {
		parameter_uuid(&parameters[0], marks->sent[i].cause_id);
		parameter_int(&parameters[1], marks->sent[i].ordinal);
	}
	send_statement("marks", parameters, 2);
}

static void commit(void)
{
	PGresult *result = take_result("COMMIT");
	if (strcmp(PQcmdStatus(result), "COMMIT") != 0)
		bare_fail("COMMIT was answered with %s", PQcmdStatus(result));
	PQclear(result);
	result = PQgetResult(database);
	check(PQresultStatus(result) == PGRES_PIPELINE_SYNC, "the end of the pipeline");
	PQclear(result);
}

void bare_store(const struct bare_facilities *facilities, const struct bare_batch *batch,
	struct bare_marks *marks)
{
	size_t requests = send_requests(batch);
	size_t units = send_units(batch);
	size_t counters = send_counters(facilities, batch);
	send_outbox(batch);
	send_marks(marks);
	send_command("COMMIT");
	check(PQpipelineSync(database), "ending the pipeline");
	flush();
	expect_rows("requests", requests);
	expect_rows("decisions", requests);
	expect_rows("reserve", units);
	expect_rows("stock", counters);
	expect_rows("counts", counters);
	expect_rows("outbox", batch->outputs_count);
	expect_rows("marks", marks->count);
	commit();
	marks->count = 0;
}

void bare_store_marks(struct bare_marks *marks)
{
	send_command("BEGIN");
	send_marks(marks);
	send_command("COMMIT");
	check(PQpipelineSync(database), "ending the pipeline");
	flush();
	PQclear(take_result("BEGIN"));
	expect_rows("marks", marks->count);
	commit();
	marks->count = 0;
}
