/* libFuzzer: cursors of lists. What is read is what is printed, byte for byte: nothing else is a cursor. */
#include "fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "cursor.h"

static bool has_the_shape_of_a_unit(const char *text)
{
	size_t din = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
	return din == 13 && text[din] == '-' && strlen(text) >= 18 && strlen(text) <= 33;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scan scan = { .next = data, .left_bytes = size };
	struct cursor cursor;
	char printed[CURSOR_TEXT_BYTES], time[TIME_TEXT_BYTES];
	int64_t time_us;
	char *text = fuzz_text(&scan);
	if (cursor_parse(text, &cursor)) {
		cursor_print(&cursor, printed);
		must(strcmp(printed, text) == 0, "a cursor prints as itself");
		time_print(cursor.time_us, time);
		must(time_parse(time, &time_us) && time_us == cursor.time_us, "its time is one that can be");
	}
	if (cursor_is_unit_id(text))
		must(has_the_shape_of_a_unit(text), "a unit's id has its shape");
	free(text);
	return 0;
}
