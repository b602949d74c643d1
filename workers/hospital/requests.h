/* The requests that one batch is about. */
#pragma once

#include "request.h"
#include "worker.h"

struct requests {
	struct request *items; /* by id; each once; version 0 = not there */
	size_t count;
	const char **hospitals; /* known ones among those that the batch names, sorted */
	size_t hospitals_count;
};

/* The request that a message is about: its body's request_id, or where a command has none, its message id. */
const char *message_request_id(const struct message *message);

/* The hospital that a command is from, or NULL for other messages. */
const char *message_hospital_id(const struct message *message);

/* An empty item for each of these requests. The ids are borrowed. */
struct requests *requests_of(const char *const request_ids[], size_t count, struct arena *arena);

/* An empty item for each request of the batch. */
struct requests *requests_new(const struct batch *batch);

/* NULL when the batch is not about it. */
struct request *requests_find(const struct requests *requests, const char *request_id);

bool requests_knows_hospital(const struct requests *requests, const char *hospital_id);
