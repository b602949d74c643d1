/*
 * Wing and Gong's search, in Lowe's just-in-time form: the operations' begins and ends are gone through in time, with all orders
 * kept that are possible so far. What an order is matters only by the slot's state and by which of the pending operations it
 * holds already. An operation is put into an order no earlier than the end of one, its own or another's, demands. Those that
 * change nothing (reads, refusals) are put in as soon as the state is right for them: nothing is lost by that.
 */
#include "history.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BITS = 64, WORDS_MAX = HISTORY_PENDING_MAX / WORD_BITS };

/* Which pending operations, by place. */
struct set {
	uint64_t words[WORDS_MAX];
};

/* An order. Only the first `words` of the set are in use. */
struct order {
	uint32_t state;
	struct set done;
};

struct event {
	int64_t time_ns;
	uint32_t operation; /* of the slot's */
	uint32_t is_end;
};

struct check {
	const struct operation *operations; /* of one slot */
	struct order *orders, *next;        /* HISTORY_ORDERS_MAX each */
	size_t count, next_count;
	bool is_too_many;
	uint32_t pending[HISTORY_PENDING_MAX]; /* operation, by place */
	uint32_t *places;                      /* by operation */
	struct set used, observers,
		doubtful; /* places: taken; of those that change nothing; of unknown outcome */
	size_t words; /* in use so far */
};

static bool has(const struct set *set, size_t place)
{
	return (set->words[place / WORD_BITS] >> place % WORD_BITS & 1) != 0;
}

static void add(struct set *set, size_t place)
{
	set->words[place / WORD_BITS] |= UINT64_C(1) << place % WORD_BITS;
}

static void remove_from(struct set *set, size_t place)
{
	set->words[place / WORD_BITS] &= ~(UINT64_C(1) << place % WORD_BITS);
}

static void copy_order(const struct check *check, struct order *to, const struct order *from)
{
	to->state = from->state;
	memcpy(to->done.words, from->done.words, check->words * sizeof(uint64_t));
}

static bool is_observer(const struct operation *operation)
{
	return operation->kind == OPERATION_READ || operation->outcome == OPERATION_REFUSED;
}

/* Whether the answer is right in this state. */
static bool fits(const struct operation *operation, uint32_t state)
{
	if (operation->kind == OPERATION_READ)
		return operation->holder == HOLDER_ANY ? state != HOLDER_FREE : state == operation->holder;
	bool is_possible = state == (operation->kind == OPERATION_BOOK ? HOLDER_FREE : operation->holder);
	return is_possible == (operation->outcome != OPERATION_REFUSED);
}

static void observe_all(const struct check *check, struct order *order)
{
	for (size_t word = 0; word < check->words; word++) {
		uint64_t open = check->observers.words[word] & ~order->done.words[word];
		for (; open != 0; open &= open - 1) {
			size_t place = word * WORD_BITS + (size_t)__builtin_ctzll(open);
			if (fits(&check->operations[check->pending[place]], order->state))
				add(&order->done, place);
		}
	}
}

static void apply(const struct check *check, struct order *order, size_t place)
{
	const struct operation *operation = &check->operations[check->pending[place]];
	order->state = operation->kind == OPERATION_BOOK ? operation->holder : (uint32_t)HOLDER_FREE;
	add(&order->done, place);
	observe_all(check, order);
}

/* Whether whatever can follow `b` can follow `a`: it has seen as much, and used up nothing that b has not. */
static bool is_as_good(const struct check *check, const struct order *a, const struct order *b)
{
	if (a->state != b->state)
		return false;
	for (size_t word = 0; word < check->words; word++) {
		uint64_t only_a = a->done.words[word] & ~b->done.words[word],
				 only_b = b->done.words[word] & ~a->done.words[word];
		if ((only_a & ~check->observers.words[word]) != 0 || (only_b & ~check->doubtful.words[word]) != 0)
			return false;
	}
	return true;
}

/* Adds to the next orders, unless one there is as good; those that are worse leave. */
static void keep_order(struct check *check, const struct order *order)
{
	size_t kept = 0;
	for (size_t i = 0; i < check->next_count; i++)
		if (is_as_good(check, &check->next[i], order))
			return;
	for (size_t i = 0; i < check->next_count; i++)
		if (!is_as_good(check, order, &check->next[i])) {
			if (kept != i)
				copy_order(check, &check->next[kept], &check->next[i]);
			kept++;
		}
	check->next_count = kept;
	if (kept == HISTORY_ORDERS_MAX)
		check->is_too_many = true;
	else
		copy_order(check, &check->next[check->next_count++], order);
}

static bool was_tried(const struct check *check, size_t count, const struct order *order)
{
	for (size_t i = 0; i < count; i++)
		if (check->orders[i].state == order->state
			&& memcmp(check->orders[i].done.words, order->done.words, check->words * sizeof(uint64_t)) == 0)
			return true;
	return false;
}

/* One more change to this order, each that is possible; those without `place` wait behind the orders that are there. */
static void extend(struct check *check, const struct order *order, size_t place)
{
	struct order longer;
	for (size_t word = 0; word < check->words; word++) {
		uint64_t open = check->used.words[word] & ~check->observers.words[word] & ~order->done.words[word];
		for (; open != 0; open &= open - 1) {
			size_t next = word * WORD_BITS + (size_t)__builtin_ctzll(open);
			if (!fits(&check->operations[check->pending[next]], order->state))
				continue;
			copy_order(check, &longer, order);
			apply(check, &longer, next);
			if (has(&longer.done, place))
				keep_order(check, &longer);
			else if (check->count == HISTORY_ORDERS_MAX)
				check->is_too_many = true;
			else if (!was_tried(check, check->count, &longer))
				copy_order(check, &check->orders[check->count++], &longer);
		}
	}
}

/* All orders that hold the operation in this place: those that do already, and the others after as many changes as they need. */
static void demand(struct check *check, size_t place)
{
	check->next_count = 0;
	for (size_t i = 0; i < check->count && !check->is_too_many; i++)
		if (has(&check->orders[i].done, place))
			keep_order(check, &check->orders[i]);
		else
			extend(check, &check->orders[i], place);
	struct order *orders = check->orders;
	check->orders = check->next;
	check->next = orders;
	check->count = check->next_count;
}

static bool find_place(struct check *check, size_t *place)
{
	for (size_t word = 0; word < WORDS_MAX; word++) {
		if (~check->used.words[word] == 0)
			continue;
		*place = word * WORD_BITS + (size_t)__builtin_ctzll(~check->used.words[word]);
		for (; check->words <= word; check->words++)
			for (size_t i = 0; i < check->count; i++)
				check->orders[i].done.words[check->words] = 0;
		return true;
	}
	return false;
}

/* False: too many at the same time. */
static bool begin_operation(struct check *check, uint32_t number)
{
	const struct operation *operation = &check->operations[number];
	size_t place;
	if (!find_place(check, &place))
		return false;
	check->pending[place] = number;
	check->places[number] = (uint32_t)place;
	add(&check->used, place);
	if (operation->outcome == OPERATION_UNKNOWN)
		add(&check->doubtful, place);
	if (!is_observer(operation))
		return true;
	add(&check->observers, place);
	for (size_t i = 0; i < check->count; i++)
		if (fits(operation, check->orders[i].state))
			add(&check->orders[i].done, place);
	return true;
}

static bool is_in_all(const struct check *check, size_t place)
{
	for (size_t i = 0; i < check->count; i++)
		if (!has(&check->orders[i].done, place))
			return false;
	return true;
}

static void end_operation(struct check *check, uint32_t number)
{
	size_t place = check->places[number];
	if (!is_in_all(check, place))
		demand(check, place);
	for (size_t i = 0; i < check->count; i++)
		remove_from(&check->orders[i].done, place);
	remove_from(&check->used, place);
	remove_from(&check->observers, place);
}

static void note_state(struct finding *finding, uint32_t state)
{
	for (size_t i = 0; i < finding->possible_count; i++)
		if (finding->possible[i] == state)
			return;
	if (finding->possible_count < sizeof(finding->possible) / sizeof(finding->possible[0]))
		finding->possible[finding->possible_count++] = state;
}

static int compare_events(const void *left, const void *right)
{
	const struct event *a = left, *b = right;
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	if (a->is_end != b->is_end)
		return a->is_end < b->is_end ? -1 : 1; /* at the same time: side by side */
	return (a->operation > b->operation) - (a->operation < b->operation);
}

static struct event *list_events(const struct operation operations[], size_t count, size_t *events_count)
{
	struct event *events = calloc(2 * count, sizeof(*events));
	if (events == NULL)
		abort();
	*events_count = 0;
	for (uint32_t i = 0; i < count; i++) {
		events[(*events_count)++] = (struct event){ operations[i].begin_ns, i, 0 };
		if (operations[i].outcome != OPERATION_UNKNOWN)
			events[(*events_count)++] = (struct event){ operations[i].end_ns, i, 1 };
	}
	qsort(events, *events_count, sizeof(*events), compare_events);
	return events;
}

static void start(struct check *check, const struct operation operations[])
{
	check->operations = operations;
	check->count = 1;
	check->words = 0;
	check->is_too_many = false;
	memset(&check->used, 0, sizeof(check->used));
	memset(&check->observers, 0, sizeof(check->observers));
	memset(&check->doubtful, 0, sizeof(check->doubtful));
	check->orders[0].state = HOLDER_FREE;
}

/* What was possible before the end that could not be. */
static enum verdict run_event(struct check *check, const struct event *event, struct finding *finding)
{
	if (!event->is_end)
		return begin_operation(check, event->operation) ? LINEARIZABLE : UNDECIDED;
	finding->possible_count = 0;
	for (size_t i = 0; i < check->count && i < 64; i++)
		note_state(finding, check->orders[i].state);
	end_operation(check, event->operation);
	if (check->is_too_many)
		return UNDECIDED;
	return check->count > 0 ? LINEARIZABLE : NOT_LINEARIZABLE;
}

static struct finding check_slot(struct check *check, const struct operation operations[], size_t count)
{
	struct finding finding = { .verdict = LINEARIZABLE, .slot = operations[0].slot };
	size_t events_count;
	struct event *events = list_events(operations, count, &events_count);
	start(check, operations);
	for (size_t i = 0; i < events_count && finding.verdict == LINEARIZABLE; i++) {
		finding.verdict = run_event(check, &events[i], &finding);
		finding.line = operations[events[i].operation].line;
	}
	free(events);
	return finding;
}

static int compare_slots(const void *left, const void *right)
{
	const struct operation *a = left, *b = right;
	if (a->slot != b->slot)
		return a->slot < b->slot ? -1 : 1;
	return (a->begin_ns > b->begin_ns) - (a->begin_ns < b->begin_ns);
}

static size_t count_same_slot(const struct history *history, size_t first)
{
	size_t end = first;
	while (end < history->count && history->operations[end].slot == history->operations[first].slot)
		end++;
	return end - first;
}

static struct check *check_new(void)
{
	struct check *check = calloc(1, sizeof(*check));
	if (check == NULL)
		abort();
	check->orders = calloc(HISTORY_ORDERS_MAX, sizeof(*check->orders));
	check->next = calloc(HISTORY_ORDERS_MAX, sizeof(*check->next));
	if (check->orders == NULL || check->next == NULL)
		abort();
	return check;
}

void check_free(struct check *check)
{
	if (check == NULL)
		return;
	free(check->orders);
	free(check->next);
	free(check->places);
	free(check);
}

size_t history_check(struct history *history, struct finding findings[], size_t max)
{
	size_t found = 0, count;
	if (history->count == 0)
		return 0;
	if (history->check == NULL)
		history->check = check_new();
	struct check *check = history->check;
	check->places = reallocarray(check->places, history->count, sizeof(*check->places));
	if (check->places == NULL)
		abort();
	qsort(history->operations, history->count, sizeof(*history->operations), compare_slots);
	for (size_t first = 0; first < history->count; first += count) {
		count = count_same_slot(history, first);
		struct finding finding = check_slot(check, &history->operations[first], count);
		if (finding.verdict != LINEARIZABLE && found++ < max)
			findings[found - 1] = finding;
	}
	return found;
}
