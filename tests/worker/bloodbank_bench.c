/* A bench: rows made by hand instead of loaded. */
#include "bloodbank_bench.h"

#include <string.h>

#include "request_body.h"
#include "rules.h"
#include "schema.h"

static void open_bank(struct bench *bench, struct supplier *supplier, const char *bank_id, int64_t distance_m)
{
	struct bank_facts *facts = arena_new(&bench->arena, sizeof(*facts));
	*supplier = (struct supplier){ shelves_bank(&bench->state->shelves, bank_id), distance_m };
	lookup_put(&bench->state->banks, bank_id, facts);
	for (size_t group = BLOOD_GROUP_O_NEGATIVE; group < BLOOD_GROUP_UNKNOWN; group++) {
		struct line *line =
			state_add_line(bench->state, bank_id, COMPONENT_RED_CELLS, (enum blood_group)group);
		line->expiring_until = NOW + ONE_DAY;
		line->version = 1;
	}
}

void bench_open(struct bench *bench)
{
	static const unsigned char namespace_id[UUID_BYTES] = "tests, no secret";
	*bench = (struct bench){ .messages = 0 };
	arena_init(&bench->arena);
	outbox_init(&bench->outbox, &bench->arena, namespace_id, NOW);
	bench->state = state_new(&bench->arena, &rules_default, NOW);
	bench->batch = (struct batch){ .now = NOW, .arena = &bench->arena, .state = bench->state };
	struct service *service = arena_new(&bench->arena, sizeof(*service));
	service->hospital_id = "hospital-001";
	service->suppliers = arena_array(&bench->arena, 2, sizeof(struct supplier));
	service->suppliers_count = 2;
	open_bank(bench, &service->suppliers[0], "bank-001", 5000);
	open_bank(bench, &service->suppliers[1], "bank-002", 20000);
	lookup_put(&bench->state->services, service->hospital_id, service);
}

void bench_close(struct bench *bench)
{
	arena_clear(&bench->arena);
}

static struct unit make_unit(struct bench *bench, int serial, enum blood_group group, int64_t expires_at)
{
	return (struct unit){
		.unit_id = arena_print(&bench->arena, "A99992600000%d-E0336-00", serial),
		.bank_id = "bank-001",
		.component = COMPONENT_RED_CELLS,
		.group = group,
		.collected_at = NOW - 8 * ONE_DAY,
		.expires_at = expires_at,
	};
}

void bench_stock(struct bench *bench, int serial, enum blood_group group, int days)
{
	struct unit unit = make_unit(bench, serial, group, NOW + days * ONE_DAY);
	struct line *line = state_line(bench->state, unit.bank_id, unit.component, group);
	struct bin_line *bin_line = line_bin(bench->state, line, 0);
	struct bank *bank = shelves_bank(&bench->state->shelves, unit.bank_id);
	line->available++;
	line->undesignated++;
	line->expiring += unit.expires_at <= line->expiring_until;
	bin_line->available++;
	bin_line->is_new = false;
	bin_count(shelves_bin(&bench->state->shelves, bank, unit.component, group, 0, NULL), bin_line->available);
	ck_assert(shelves_add(&bench->state->shelves, &unit, OLDEST_FIRST));
	ck_assert(shelves_add(&bench->state->shelves, &unit, FRESHEST_FIRST));
}

struct bag *bench_reserved(struct bench *bench, int serial, enum blood_group group, int64_t expires_at,
	struct request *request, int64_t reserved_until)
{
	struct unit unit = make_unit(bench, serial, group, expires_at);
	struct bag *bag = state_add_bag(bench->state, &unit, UNIT_STATUS_RESERVED);
	struct stored_unit *facts = arena_new(&bench->arena, sizeof(*facts));
	facts->unit_id = unit.unit_id;
	facts->component = unit.component;
	facts->group = group;
	bag->facts = facts;
	bag->request_id = request->request_id;
	bag->reserved_until = reserved_until;
	state_line(bench->state, unit.bank_id, unit.component, group)->reserved++;
	return bag;
}

struct request *bench_request(struct bench *bench, const char *body, enum progress progress,
	int64_t allocated)
{
	const struct hospital_blood_requested *asked;
	struct why why = { .text = "" };
	ck_assert_msg(request_body_read(body, &bench->arena, &asked, &why), "%s", why.text);
	struct request *request = state_add_request(bench->state, asked->request_id);
	request->asked = asked;
	request->body = request_body_write(asked, &bench->arena);
	request->progress = progress;
	request->allocated = allocated;
	request->allocation_no = allocated > 0;
	request->version = 1;
	request->received_at = NOW - ONE_HOUR;
	request->allocate_at = NOW - 1;
	request->origin.correlation_id = "its own workflow";
	if (progress == PROGRESS_WAITING)
		state_list_waiting(bench->state, request);
	return request;
}

void bench_given(struct bench *bench, struct request *request, const struct bag *first,
	const struct bag *second, int64_t decided_at)
{
	struct bloodbank_blood_approved *approval = arena_new(&bench->arena, sizeof(*approval));
	approval->units = arena_array(&bench->arena, 2, sizeof(*approval->units));
	approval->units[approval->units_count++].unit_id = first->unit.unit_id;
	if (second != NULL)
		approval->units[approval->units_count++].unit_id = second->unit.unit_id;
	approval->decided_at = decided_at;
	request_add_decision(bench->state, request,
		&(struct decision_record){ .event = BLOODBANK_BLOOD_APPROVED, .version = 1, .content = approval });
}

const struct message *bench_message(struct bench *bench, enum event event, const char *body)
{
	struct message *message = arena_new(&bench->arena, sizeof(*message));
	struct why why = { .text = "" };
	void *content = NULL;
	if (!schema_read(event_type(event)->schema, body, strlen(body), &bench->arena, &content, &why))
		ck_abort_msg("%s: %s", event_type(event)->name, why.text);
	bench->messages++;
	*message = (struct message){
		.event = event,
		.body = content,
		.message_id = arena_print(&bench->arena, "aaaaaaaa-0000-4000-8000-%012u", bench->messages),
		.correlation_id = arena_print(&bench->arena, "workflow %u", bench->messages),
		.now = NOW,
		.arena = &bench->arena,
	};
	return message;
}

void bench_decide(struct bench *bench, const struct message *message)
{
	struct why why = { .text = "" };
	const struct route *route = bloodbank.routes;
	while (route->event != message->event)
		route++;
	outbox_cause(&bench->outbox, message, message->message_id, "digest", 0);
	ck_assert_int_eq(route->decide(message, &bench->batch, &bench->outbox, &why), DONE);
}

const char *bench_send(struct bench *bench, enum event event, const char *body)
{
	if (bench->messages == 0)
		shelves_ready(&bench->state->shelves, NOW);
	bench_decide(bench, bench_message(bench, event, body));
	return bench_told(bench);
}

/* The digit that tells one test unit from another. */
static char serial_of(const char *unit_id)
{
	return unit_id[12];
}

static const char *list_units(struct bench *bench, const char *text, const char *const *unit_ids,
	size_t count)
{
	for (size_t i = 0; i < count; i++)
		text = arena_print(&bench->arena, "%s %c", text, serial_of(unit_ids[i]));
	return text;
}

static const char *tell_approved(struct bench *bench, const struct bloodbank_blood_approved *body)
{
	const char *text = arena_print(&bench->arena, "approved %d %s %d/%d", (int)body->allocation_no,
		decision_name(body->decision), (int)body->quantity_allocated, (int)body->quantity_requested);
	for (size_t i = 0; i < body->units_count; i++)
		text = arena_print(&bench->arena, "%s %c", text, serial_of(body->units[i].unit_id));
	return text;
}

static const char *tell_received(struct bench *bench, const struct bloodbank_unit_received *body)
{
	const char *text = "received";
	for (size_t i = 0; i < body->units_count; i++)
		text = arena_print(&bench->arena, "%s %c", text, serial_of(body->units[i].unit_id));
	return text;
}

static const char *tell_stock(struct bench *bench, const struct bloodbank_inventory_updated *body)
{
	return arena_print(&bench->arena, "stock %s %d/%d", blood_group_name(body->group), (int)body->available,
		(int)body->reserved);
}

static const char *tell_refused(struct bench *bench, const struct bloodbank_unit_refused *body)
{
	return arena_print(&bench->arena, "refused %s%s%s", unit_refusal_name(body->reason),
		body->state == NULL ? "" : " ", body->state == NULL ? "" : body->state);
}

static const char *tell(struct bench *bench, const struct output *output)
{
	enum event event = event_find(output->type);
	struct why why = { .text = "" };
	void *body = NULL;
	ck_assert(schema_read(event_type(event)->schema, output->body, output->body_bytes, &bench->arena, &body,
		&why));
	if (event == BLOODBANK_BLOOD_APPROVED)
		return tell_approved(bench, body);
	if (event == BLOODBANK_BLOOD_REJECTED)
		return arena_print(&bench->arena, "rejected %s",
			rejection_name(((const struct bloodbank_blood_rejected *)body)->reason));
	if (event == BLOODBANK_UNIT_RECEIVED)
		return tell_received(bench, body);
	if (event == BLOODBANK_UNIT_REFUSED)
		return tell_refused(bench, body);
	if (event == BLOODBANK_UNIT_EXPIRED)
		return arena_print(&bench->arena, "expired %c",
			serial_of(((const struct bloodbank_unit_expired *)body)->unit_id));
	if (event == BLOODBANK_INVENTORY_UPDATED)
		return tell_stock(bench, body);
	if (event == BLOODBANK_STOCK_LOW)
		return arena_print(&bench->arena, "low %s",
			blood_group_name(((const struct bloodbank_stock_low *)body)->group));
	if (event == BLOODBANK_STOCK_CRITICAL)
		return arena_print(&bench->arena, "critical %s",
			blood_group_name(((const struct bloodbank_stock_critical *)body)->group));
	if (event == BLOODBANK_STOCK_RECOVERED)
		return arena_print(&bench->arena, "recovered %s",
			blood_group_name(((const struct bloodbank_stock_recovered *)body)->group));
	const struct bloodbank_reservation_released *released = body;
	return list_units(bench, "released", released->unit_ids, released->unit_ids_count);
}

/* The view in Redis says what the event before it says. */
static void check_view(const struct output *event, const struct output *view)
{
	ck_assert_ptr_nonnull(event);
	ck_assert_str_eq(view->type, "stock");
	ck_assert_str_eq(view->body, event->body);
	ck_assert_int_eq(view->version, event->version);
}

const char *bench_told(struct bench *bench)
{
	const char *text = "";
	const struct output *output = bench->heard == NULL ? bench->outbox.first : bench->heard->next;
	for (; output != NULL; bench->heard = output, output = output->next) {
		if (output->is_view) {
			check_view(bench->heard, output);
			continue;
		}
		bool is_emergency = strstr(output->routing_key, ".emergency") != NULL;
		text = arena_print(&bench->arena, "%s%s%s%s", text, text[0] == '\0' ? "" : "; ",
			is_emergency ? "!" : "", tell(bench, output));
	}
	return text;
}

const char *bench_progress(struct bench *bench, const char *request_id)
{
	static const char *const names[] = { "scheduled", "waiting", "settled", "rejected", "cancelled" };
	const struct request *request = state_request(bench->state, request_id);
	if (request == NULL)
		return "unknown";
	return arena_print(&bench->arena, "%s %d+%d v%d", names[request->progress], (int)request->allocated,
		(int)request->lapsed, (int)request->version);
}
