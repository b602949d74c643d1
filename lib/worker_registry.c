/* The registry of caches in the database: leases for this process and for those that speak no SQL, fences for those that are silent. */
#include "worker_cache.h"

#include <string.h>

#include "registry_queries.h"

/*
 * One statement by itself. Its wait serves everything else meanwhile, but no second statement of the registry. NULL: it did not answer, or
 * refused.
 */
static const struct rows *ask(struct cache *cache, const struct query *query, struct parameter parameters[],
	size_t count)
{
	struct why why = { 0 };
	cache->is_asking = true;
	const struct rows *rows = database_ask(cache->registry, query, parameters, count, &why);
	cache->is_asking = false;
	parameters_clear(parameters, count);
	if (rows != NULL)
		return rows;
	if (!database_is_open(cache->registry))
		links_lost(cache->runtime, LINK_REGISTRY, &why);
	else if (database_failure(cache->registry, &why) != RETRY)
		worker_fail(cache->runtime, EXIT_OUR_FAULT, &why);
	return NULL;
}

static void set_number(struct parameter *parameter, uint64_t number)
{
	parameter_init(parameter, PARAMETER_INT, false);
	parameter_int(parameter, (int64_t)number);
}

static void set_text(struct parameter *parameter, const char *text)
{
	parameter_init(parameter, PARAMETER_TEXT, false);
	parameter_text(parameter, text);
}

/* The row, committed. 0 in `*incarnation`: there are too many. */
static bool enter(struct cache *cache, const char *name, uint64_t left, uint64_t *incarnation)
{
	struct parameter parameters[2];
	set_text(&parameters[0], name);
	set_number(&parameters[1], left);
	const struct rows *rows = ask(cache, &cache_enter, parameters, 2);
	if (rows == NULL)
		return false;
	*incarnation = rows_count(rows) == 0 ? 0 : (uint64_t)rows_int(rows, 0, 0);
	return true;
}

bool registry_register(struct cache *cache, const char *name, const struct coherence_request *request,
	struct coherence_answer *answer, char timeline[TIMELINE_BYTES])
{
	struct parameter parameter;
	uint64_t incarnation;
	*answer = (struct coherence_answer){ .number = request->number };
	if (!enter(cache, name, request->left, &incarnation))
		return false;
	if (incarnation == 0)
		return true;
	set_number(&parameter, incarnation);
	const struct rows *rows = ask(cache, &cache_begin, &parameter, 1);
	if (rows == NULL)
		return false;
	if (rows_count(rows) == 0)
		return true;
	struct arena arena;
	arena_init(&arena);
	answer->is_granted = true;
	answer->incarnation = incarnation;
	answer->generation = (uint64_t)rows_int(rows, 0, 0);
	snprintf(timeline, TIMELINE_BYTES, "%s", rows_text(rows, 0, 1, &arena));
	arena_clear(&arena);
	return true;
}

bool registry_renew(struct cache *cache, const char *name, const struct coherence_request *request,
	struct coherence_answer *answer)
{
	struct parameter parameters[2];
	set_number(&parameters[0], request->renew);
	set_text(&parameters[1], name);
	const struct rows *rows = ask(cache, &cache_renew, parameters, 2);
	if (rows != NULL)
		*answer = (struct coherence_answer){ .number = request->number, .is_granted = rows_count(rows) > 0 };
	return rows != NULL;
}

bool registry_leave(struct cache *cache, const char *name, const struct coherence_request *request)
{
	struct parameter parameters[2];
	set_number(&parameters[0], request->renew);
	set_text(&parameters[1], name);
	return ask(cache, &cache_give_up, parameters, 2) != NULL;
}

static bool ask_about(struct cache *cache, const struct query *query, const uint64_t incarnations[],
	size_t count)
{
	struct parameter list;
	parameters_arrays(&list, "i");
	for (size_t i = 0; i < count; i++)
		parameter_int(&list, (int64_t)incarnations[i]);
	return ask(cache, query, &list, 1) != NULL;
}

bool registry_fence(struct cache *cache, const uint64_t incarnations[], size_t count)
{
	return ask_about(cache, &cache_fence, incarnations, count);
}

bool registry_remove(struct cache *cache, const uint64_t incarnations[], size_t count)
{
	return ask_about(cache, &cache_remove, incarnations, count);
}

bool registry_is_lease_question(const struct runtime *runtime, const struct delivery *delivery)
{
	const char *name = delivery->type == NULL ? delivery->routing_key : delivery->type;
	return runtime->cache != NULL && event_find(name) == APPOINTMENT_QUERY_LEASE;
}

enum outcome registry_answer(const struct message *message, struct cache *cache, enum event *answer_event,
	const void **answer, struct why *why)
{
	const struct appointment_query_lease *question = message->body;
	const struct coherence_request request = {
		.number = (uint64_t)question->number,
		.renew = question->has_renew ? (uint64_t)question->renew : 0,
		.left = question->has_left ? (uint64_t)question->left : 0,
	};
	struct coherence_answer granted = { .number = request.number };
	char timeline[TIMELINE_BYTES] = "";
	bool is_answered;
	if (question->has_leaves && question->leaves)
		is_answered = registry_leave(cache, question->cache, &request);
	else if (request.renew != 0)
		is_answered = registry_renew(cache, question->cache, &request, &granted);
	else
		is_answered = registry_register(cache, question->cache, &request, &granted, timeline);
	if (!is_answered)
		return retry(why, "database", "the registry of caches does not answer");
	struct appointment_lease_answered *body = arena_new(message->arena, sizeof(*body));
	*body = (struct appointment_lease_answered){
		.cache = question->cache,
		.number = question->number,
		.granted = granted.is_granted,
		.incarnation = (int64_t)granted.incarnation,
		.has_incarnation = granted.incarnation != 0,
		.generation = (int64_t)granted.generation,
		.has_generation = granted.incarnation != 0,
		.timeline = timeline[0] == '\0' ? NULL : arena_text(message->arena, timeline),
	};
	*answer_event = APPOINTMENT_LEASE_ANSWERED;
	*answer = body;
	return DONE;
}
