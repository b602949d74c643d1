/* PURE. What `carebus request` asks for, as people typed it, and the body that it becomes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buffer.h"
#include "options.h"
#include "outcome.h"

/* Members are NULL where nothing was said. */
struct ask {
	const char *hospital_id, *component, *group, *urgency, *needed_at, *request_id, *order_id;
	const char *signed_by, *requested_by, *note;
	const char *patient_ref, *sex, *age_years;
	struct option_texts attributes, antigen_negative;
	long quantity;
	bool is_all_or_nothing;
	bool is_direct; /* the event hospital.blood.requested instead of the command */
};

/* The body as JSON. False: the contract or we do not understand it; nothing was added. */
bool ask_write(const struct ask *ask, const char *request_id, int64_t now_us, struct arena *arena,
	struct buffer *out, struct why *why);
