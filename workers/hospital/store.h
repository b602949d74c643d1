/* The hospital worker's database: loads the requests of a batch and stores what changed. */
#pragma once

#include "requests.h"

enum outcome store_load(struct batch *batch, struct database *database, struct why *why);
enum outcome store_changes(struct batch *batch, struct database *database, struct why *why);

/* Fills the items of `requests` with what is stored of them: read only, takes no locks. */
enum outcome store_read(struct requests *requests, struct database *database, struct arena *arena,
	struct why *why);

/* The request as others see it, or NULL: not there, or (with `*outcome` other than DONE) not readable. */
const struct hospital_request_updated *store_describe(const char *request_id, struct database *database,
	struct arena *arena, enum outcome *outcome, struct why *why);
