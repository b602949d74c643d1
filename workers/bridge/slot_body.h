/* PURE. A provider's day as JSON, as its owner wrote it and as it is shown: cut at the members that differ, never parsed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

struct slot_span {
	const char *text;
	size_t bytes;
};

struct slot_body {
	const char *text;
	size_t bytes;
	struct slot_span as_of, source; /* without their quotes, in this order */
};

/* Points into `text`. False: it is no found day in the order of its schema's members. */
bool slot_body_read(const char *text, size_t bytes, struct slot_body *body);

/* Whether it is the day of that key (cache_names.h). */
bool slot_body_is_of(const struct slot_body *body, const char *key);

/* 0: it has none, and must not be kept. */
uint64_t slot_body_certificate(const struct slot_body *body);

/* The same list as it is true at another time, by whoever has it. NULL: as it is. */
void slot_body_write(const struct slot_body *body, const char *as_of, const char *source, struct buffer *out);
