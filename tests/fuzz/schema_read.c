/*
 * libFuzzer: bodies of every event. The first byte picks the event, the rest is its body. What is read must be
 * writable, and what was written must read back and give the same bytes. All faults are told where there is one.
 * clang -fsanitize=fuzzer,address,undefined, with the sources of lib/ that tests/contract/reader.py names.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_or_abort(const struct schema *schema, const void *body, struct buffer *out)
{
	if (!schema_write(schema, body, out))
		abort();
}

static void read_and_write(const struct schema *schema, const char *text, size_t length, struct arena *arena)
{
	void *body = NULL;
	struct why why = { 0 };
	struct schema_faults faults;
	struct buffer first, second;
	buffer_init(&first);
	buffer_init(&second);
	if (schema_read(schema, text, length, arena, &body, &why)) {
		write_or_abort(schema, body, &first);
		if (!schema_read(schema, buffer_text(&first), first.length_bytes, arena, &body, &why))
			abort();
		write_or_abort(schema, body, &second);
		if (strcmp(buffer_text(&first), buffer_text(&second)) != 0)
			abort();
	} else if (why.text[0] == '\0') {
		abort();
	}
	if (schema_read_all(schema, text, length, arena, &body, &faults) != (why.text[0] == '\0')
		|| (faults.count == 0) != (why.text[0] == '\0'))
		abort();
	buffer_clear(&first);
	buffer_clear(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	enum event event = (enum event)(1 + data[0] % (EVENT_COUNT - 1));
	struct arena arena;
	arena_init(&arena);
	read_and_write(event_type(event)->schema, (const char *)data + 1, size - 1, &arena);
	arena_clear(&arena);
	return 0;
}
