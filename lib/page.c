/* Pages: the items are written once to see how long they are. */
#include "page.h"

/* An item that its schema refuses is found when the answer is written. */
size_t page_fit(const struct schema *schema, const void *items, size_t count)
{
	struct buffer text = { 0 };
	size_t bytes = 0, fit = 0;
	while (fit < count) {
		buffer_reset(&text);
		schema_write(schema, (const unsigned char *)items + fit * schema->size_bytes, &text);
		bytes += text.length_bytes + 1; /* and a comma */
		if (bytes > PAGE_BODY_BYTES && fit > 0)
			break;
		fit++;
	}
	buffer_clear(&text);
	return fit;
}
