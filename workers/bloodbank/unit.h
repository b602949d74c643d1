/* A bag that may be chosen: what the allocator knows about it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "events.h"

struct bin;

struct unit {
	const char *unit_id;
	const char *bank_id;
	const char *designated_for;  /* a patient's reference; NULL: for anyone */
	const char *const *antigens; /* as typed: "K-", "Fya+" (antigen.h) */
	size_t antigens_count;
	const char *const *codes; /* attributes that have no bit of their own */
	size_t codes_count;
	struct bin *bin;      /* where it lies (shelf.h); set by shelves_add */
	int64_t collected_at; /* microseconds since 1970, UTC */
	int64_t expires_at;   /* usable if and only if t < expires_at */
	uint32_t attributes;  /* bits of attribute.h */
	enum component component;
	enum blood_group group;
	bool is_taken; /* chosen by this batch */
};
