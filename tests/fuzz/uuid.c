/* libFuzzer: texts as uuids. What is read is what the shape says, and prints as itself in lower case. */
#include "fuzz.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "uuid.h"

static bool has_the_shape(const char *text)
{
	if (strlen(text) != UUID_TEXT_BYTES - 1)
		return false;
	for (int i = 0; i < UUID_TEXT_BYTES - 1; i++) {
		bool is_hyphen = i == 8 || i == 13 || i == 18 || i == 23;
		if (is_hyphen ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
	}
	return true;
}

static void check_bytes(const char *text, const unsigned char bytes[UUID_BYTES])
{
	char printed[UUID_TEXT_BYTES], canonical[UUID_TEXT_BYTES];
	uuid_print(bytes, printed);
	must(uuid_canonical(text, canonical), "what was read is canonical");
	must(strcmp(printed, canonical) == 0, "both print the same");
	must(strcasecmp(printed, text) == 0, "it prints as itself");
	for (const char *digit = printed; *digit != '\0'; digit++)
		must(!isupper((unsigned char)*digit), "it prints in lower case");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scan scan = { .next = data, .left_bytes = size };
	char *text = fuzz_text(&scan);
	unsigned char bytes[UUID_BYTES];
	bool is_read = uuid_parse(text, bytes);
	must(is_read == has_the_shape(text), "read if and only if it has the shape");
	if (is_read)
		check_bytes(text, bytes);
	free(text);
	return 0;
}
