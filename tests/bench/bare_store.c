/* What the bare loop reads and writes: two round trips a batch, everything set-based. */
#include "bare.h"

#include <stdlib.h>
#include <string.h>

#include "bare_pipeline.h"
#include "bare_queries.h"

static void copy_value(char out[BARE_ID_BYTES], const PGresult *result, int row, int column)
{
	size_t length = (size_t)PQgetlength(result, row, column);
	if (length >= BARE_ID_BYTES)
		fail("a value of %zu bytes is too long", length);
	memcpy(out, PQgetvalue(result, row, column), length + 1);
}

static size_t find_bank(struct bare_facilities *facilities, const char *bank_id)
{
	for (size_t i = 0; i < facilities->banks_count; i++)
		if (strcmp(facilities->banks[i], bank_id) == 0)
			return i;
	if (facilities->banks_count == BARE_BANKS)
		fail("more than %d banks", BARE_BANKS);
	memcpy(facilities->banks[facilities->banks_count], bank_id, strlen(bank_id) + 1);
	return facilities->banks_count++;
}

void bare_connect_database(struct bare_facilities *facilities)
{
	pipeline_open();
	PGresult *result =
		pipeline_ask("SELECT DISTINCT ON (hospital_id) hospital_id, bank_id FROM bank_of_hospital "
					 "ORDER BY hospital_id, distance_km, bank_id");
	if (PQntuples(result) > BARE_HOSPITALS)
		fail("more than %d hospitals", BARE_HOSPITALS);
	for (int row = 0; row < PQntuples(result); row++) {
		struct bare_hospital *hospital = &facilities->hospitals[facilities->hospitals_count++];
		char bank_id[BARE_ID_BYTES];
		copy_value(hospital->hospital_id, result, row, 0);
		copy_value(bank_id, result, row, 1);
		hospital->bank = find_bank(facilities, bank_id);
	}
	PQclear(result);
	pipeline_start();
}

static void send_inbox(const struct bare_batch *batch)
{
	struct parameter parameters[2];
	parameters_arrays(parameters, "uy");
	for (size_t i = 0; i < batch->count; i++) {
		parameter_uuid(&parameters[0], batch->requests[i].message_id);
		parameter_bytes(&parameters[1], batch->requests[i].digest, SHA256_BYTES);
	}
	pipeline_send(&bare_inbox, parameters, 2);
}

static void send_lock(const struct bare_facilities *facilities, const struct bare_batch *batch)
{
	struct parameter banks;
	parameters_arrays(&banks, "t");
	for (size_t i = 0; i < batch->bins_count; i++)
		parameter_text(&banks, facilities->banks[batch->bins[i]->bank]);
	pipeline_send(&bare_lock, &banks, 1);
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
	pipeline_send(&bare_bins, bins, 3);
	pipeline_send(&bare_units, units, 3);
}

static void take_inbox(struct bare_batch *batch)
{
	PGresult *fresh = pipeline_take();
	for (int row = 0; row < PQntuples(fresh); row++)
		batch->requests[result_number(fresh, row, 0) - 1].is_fresh = true;
	PQclear(fresh);
}

static void take_bins(struct bare_batch *batch)
{
	PGresult *result = pipeline_take();
	for (int row = 0; row < PQntuples(result); row++) {
		struct bare_bin *bin = batch->bins[result_number(result, row, 0) - 1];
		bin->available = result_number(result, row, 1);
		bin->reserved = result_number(result, row, 2);
		bin->version = result_number(result, row, 3);
		bin->in_bin = result_number(result, row, 4);
		bin->expiring = result_number(result, row, 5);
	}
	PQclear(result);
}

static void take_units(struct bare_batch *batch)
{
	PGresult *result = pipeline_take();
	for (int row = 0; row < PQntuples(result); row++) {
		struct bare_bin *bin = batch->bins[result_number(result, row, 0) - 1];
		if (bin->units == NULL)
			bin->units = calloc(bin->asked, sizeof(struct bare_unit));
		if (bin->units == NULL)
			abort();
		struct bare_unit *unit = &bin->units[bin->units_count++];
		copy_value(unit->unit_id, result, row, 1);
		unit->expires_at = result_time(result, row, 2);
	}
	PQclear(result);
}

void bare_load(const struct bare_facilities *facilities, struct bare_batch *batch)
{
	pipeline_begin();
	send_lock(facilities, batch);
	send_inbox(batch);
	send_reads(facilities, batch);
	pipeline_flush();
	PQclear(pipeline_take());
	PQclear(pipeline_take());
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
	pipeline_send(&bare_requests, requests, 7);
	pipeline_send(&bare_decisions, decisions, 2);
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
	pipeline_send(&bare_reserve, parameters, 3);
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
	pipeline_send(&bare_stock, stock, 6);
	pipeline_send(&bare_counts, counts, 3);
	return count;
}

static void send_outbox(const struct bare_batch *batch)
{
	struct parameter parameters[10];
	parameter_init(&parameters[0], PARAMETER_TIME, false);
	parameter_time(&parameters[0], batch->now);
	parameters_arrays(&parameters[1], "uiuttttit");
	for (size_t i = 0; i < batch->outputs_count; i++) {
		const struct bare_output *output = &batch->outputs[i];
		parameter_uuid(&parameters[1], output->cause_id);
		parameter_int(&parameters[2], output->ordinal);
		parameter_uuid(&parameters[3], output->message_id);
		parameter_text(&parameters[4], output->exchange);
		parameter_text(&parameters[5], output->routing_key);
		parameter_text(&parameters[6], output->type);
		parameter_text(&parameters[7], output->correlation_id);
		parameter_int(&parameters[8], output->version);
		parameter_text(&parameters[9], output->is_view ? NULL : output->body);
	}
	pipeline_send(&bare_outbox, parameters, 10);
}

static void send_marks(const struct bare_marks *marks)
{
	struct parameter parameters[2];
	parameters_arrays(parameters, "ui");
	for (size_t i = 0; i < marks->count; i++) {
		parameter_uuid(&parameters[0], marks->sent[i].cause_id);
		parameter_int(&parameters[1], marks->sent[i].ordinal);
	}
	pipeline_send(&bare_marks, parameters, 2);
}

void bare_store(const struct bare_facilities *facilities, const struct bare_batch *batch,
	struct bare_marks *marks)
{
	size_t requests = send_requests(batch);
	size_t units = send_units(batch);
	size_t counters = send_counters(facilities, batch);
	send_outbox(batch);
	send_marks(marks);
	pipeline_commit();
	pipeline_take_rows(requests, "requests");
	pipeline_take_rows(requests, "decisions");
	pipeline_take_rows(units, "reserve");
	pipeline_take_rows(counters, "stock");
	pipeline_take_rows(counters, "counts");
	pipeline_take_rows(batch->outputs_count, "outbox");
	pipeline_take_rows(marks->count, "marks");
	pipeline_committed();
	marks->count = 0;
}

void bare_store_marks(struct bare_marks *marks)
{
	pipeline_begin();
	send_marks(marks);
	pipeline_commit();
	PQclear(pipeline_take());
	pipeline_take_rows(marks->count, "marks");
	pipeline_committed();
	marks->count = 0;
}
