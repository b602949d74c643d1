/* Asks for each acknowledged request of a journal, in rounds, until all are known and decided or the time is over. */
#include "load_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "pool.h"
#include "print.h"
#include "problem.h"

enum { SHOWN_MAX = 100, ROUND_PAUSE_MS = 300, WAIT_MS = 1000, PATH_BYTES = 80 };

/* What the system said of a request last. */
enum finding { NOT_ASKED, MISSING, UNDECIDED, GOOD };

struct verification {
	struct journal_records records;
	unsigned char *findings; /* of each record */
	size_t *open;            /* records to be asked for in this round */
	size_t open_count;
	struct pool *pool;
	size_t rounds; /* that are over */
	int64_t deadline_ms, pause_until_ms;
	long fault_status; /* of the last answer that told nothing; 0 = none */
	CURLcode fault_code;
};

static bool is_decided(const json_t *body)
{
	const char *status = json_string_value(json_object_get(body, "status"));
	return status != NULL
		&& (strcmp(status, "pending") != 0 || json_is_string(json_object_get(body, "decided_at")));
}

static void done(void *owner, uint64_t record, CURLcode code, const struct door_answer *answer)
{
	struct verification *verification = owner;
	enum finding finding = NOT_ASKED;
	if (code == CURLE_OK && answer->status == 200 && answer->body != NULL)
		finding = is_decided(answer->body) ? GOOD : UNDECIDED;
	else if (code == CURLE_OK && answer->status == 404)
		finding = MISSING;
	if (finding == NOT_ASKED) {
		verification->fault_status = answer->status;
		verification->fault_code = code;
	}
	if (answer->retry_after_s > 0)
		verification->pause_until_ms = clock_steady_ms() + SECONDS(answer->retry_after_s);
	verification->findings[record] = (unsigned char)finding;
}

static void ask(struct verification *verification, size_t record)
{
	char id[UUID_TEXT_BYTES], path[PATH_BYTES];
	uuid_print(verification->records.items[record].id, id);
	snprintf(path, sizeof(path), "/v1/blood-requests/%s", id);
	const struct door_request request = { .method = "GET", .path = path };
	pool_send(verification->pool, &request, record);
}

/* The first round is for all, however late, unless someone refuses to answer. */
static bool is_late(const struct verification *verification, int64_t now_ms)
{
	bool has_fault = verification->fault_status != 0 || verification->fault_code != CURLE_OK;
	return now_ms >= verification->deadline_ms && (verification->rounds > 0 || has_fault);
}

/* Every open one once. */
static void ask_all(struct verification *verification)
{
	size_t next = 0;
	while (next < verification->open_count || pool_in_flight(verification->pool) > 0) {
		int64_t now_ms = clock_steady_ms();
		if (is_late(verification, now_ms))
			next = verification->open_count; /* only hears what was asked */
		bool is_paused = now_ms < verification->pause_until_ms;
		while (!is_paused && next < verification->open_count && pool_room(verification->pool) > 0)
			ask(verification, verification->open[next++]);
		pool_serve(verification->pool);
		if (next == verification->open_count && pool_in_flight(verification->pool) == 0)
			break;
		int64_t pause_ms = verification->pause_until_ms - now_ms;
		pool_wait(verification->pool, NULL, 0, is_paused && pause_ms < WAIT_MS ? (int)pause_ms : WAIT_MS);
	}
}

static void keep_open(struct verification *verification)
{
	size_t kept = 0;
	for (size_t i = 0; i < verification->open_count; i++)
		if (verification->findings[verification->open[i]] != GOOD)
			verification->open[kept++] = verification->open[i];
	verification->open_count = kept;
}

/* Who will never be let in need not wait. */
static bool is_hopeless(const struct verification *verification)
{
	return verification->fault_status == 401 || verification->fault_status == 403;
}

static void ask_in_rounds(struct verification *verification)
{
	for (;;) {
		ask_all(verification);
		verification->rounds++;
		keep_open(verification);
		if (verification->open_count == 0 || clock_steady_ms() >= verification->deadline_ms
			|| is_hopeless(verification))
			return;
		pool_wait(verification->pool, NULL, 0, ROUND_PAUSE_MS);
	}
}

/* Acknowledged, and not answered by a refusal. */
static void choose(struct verification *verification)
{
	size_t count = verification->records.count;
	verification->findings = calloc(count + 1, sizeof(*verification->findings));
	verification->open = calloc(count + 1, sizeof(*verification->open));
	if (verification->findings == NULL || verification->open == NULL)
		abort();
	for (size_t i = 0; i < count; i++) {
		const struct journal_record *record = &verification->records.items[i];
		if ((record->events & JOURNAL_ACKNOWLEDGED) != 0 && !record->is_refused)
			verification->open[verification->open_count++] = i;
	}
}

static json_t *ids_of(const struct verification *verification, enum finding finding)
{
	json_t *ids = json_array();
	for (size_t i = 0; i < verification->open_count; i++) {
		char id[UUID_TEXT_BYTES];
		size_t record = verification->open[i];
		uuid_print(verification->records.items[record].id, id);
		if (verification->findings[record] == finding)
			json_array_append_new(ids, json_string(id));
	}
	return ids;
}

static void print_ids(const char *title, const json_t *ids)
{
	size_t count = json_array_size(ids);
	if (count > 0)
		printf("%s: %zu\n", title, count);
	for (size_t i = 0; i < count && i < SHOWN_MAX; i++)
		printf("  %s\n", json_string_value(json_array_get(ids, i)));
	if (count > SHOWN_MAX)
		printf("  and %zu more (-o json lists all)\n", count - SHOWN_MAX);
}

static void tell_fault(const struct verification *verification)
{
	struct buffer text;
	const struct problem problem = { .status = verification->fault_status };
	buffer_init(&text);
	if (verification->fault_code != CURLE_OK)
		buffer_print(&text, "asking for a request: %s\n", curl_easy_strerror(verification->fault_code));
	else
		problem_write(&problem, "asking for a request", &text);
	fputs(buffer_text(&text), stderr);
	buffer_clear(&text);
}

static enum ending report(const struct verification *verification, size_t asked, bool is_json)
{
	json_t *missing = ids_of(verification, MISSING), *undecided = ids_of(verification, UNDECIDED),
		   *unasked = ids_of(verification, NOT_ASKED);
	bool is_missing = json_array_size(missing) > 0, is_undecided = json_array_size(undecided) > 0,
		 is_unasked = json_array_size(unasked) > 0;
	size_t good = asked - verification->open_count;
	json_t *object = json_pack("{s:I, s:I, s:I, s:o, s:o, s:o}", "in_journal",
		(json_int_t)verification->records.count, "acknowledged", (json_int_t)asked, "decided",
		(json_int_t)good, "missing", missing, "undecided", undecided, "not_told", unasked);
	if (is_json) {
		print_json_value(object);
	} else {
		printf("%zu in the journal, %zu acknowledged and not refused, %zu of them known and decided\n",
			verification->records.count, asked, good);
		print_ids("missing", missing);
		print_ids("known, not decided", undecided);
		print_ids("could not be asked for", unasked);
	}
	json_decref(object);
	if (is_unasked)
		tell_fault(verification);
	if (is_missing)
		return ENDING_NO;
	return is_unasked ? ENDING_FAULT : is_undecided ? ENDING_NO_ANSWER : ENDING_DONE;
}

enum ending load_verify(const struct load_values *values, struct door *door)
{
	struct why why;
	struct verification verification = { .deadline_ms = clock_steady_ms() + SECONDS(values->drain_s) };
	if (!journal_read(values->verify, &verification.records, &why)) {
		fprintf(stderr, "%s\n", why.text);
		return ENDING_FAULT;
	}
	choose(&verification);
	size_t asked = verification.open_count;
	verification.pool = pool_new(door, (size_t)values->connections, true, done, &verification);
	ask_in_rounds(&verification);
	enum ending ending = report(&verification, asked, strcmp(values->common.format, "json") == 0);
	pool_free(verification.pool);
	free(verification.findings);
	free(verification.open);
	journal_records_clear(&verification.records);
	return ending;
}
