/* Pages: how much of a list goes into one answer. */
#pragma once

#include <stddef.h>

#include "schema.h"

enum {
	PAGE_BODY_BYTES = 200 * 1024
}; /* of the items as JSON: with what stands around them below the bus's 256 KiB */

/*
 * How many of the items, from the first on, one answer holds: at least one. `items` is an array of the schema's struct.
 * The rest belongs on the next page.
 */
size_t page_fit(const struct schema *schema, const void *items, size_t count);
