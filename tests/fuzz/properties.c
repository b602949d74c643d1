/*
 * libFuzzer: a message's properties as bytes. What is read can be shown as JSON, or its headers are unreadable; what is
 * written for a second sending can be read, shows nothing that was to be left out, and is written again as the same bytes.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "properties.h"

static void check_shown(const struct properties *properties, int is_left_out)
{
	json_t *shown = properties_json(properties);
	if (shown == NULL)
		return;
	const json_t *headers = json_object_get(shown, "headers");
	must(!is_left_out || json_object_get(headers, "x-death") == NULL, "what the broker added is left out");
	must(!is_left_out || json_object_get(headers, "CC") == NULL, "no copies are asked for");
	char *text = json_dumps(shown, JSON_COMPACT);
	must(text != NULL, "it is JSON");
	free(text);
	json_decref(shown);
}

static struct slice slice_of(const struct buffer *buffer)
{
	return (struct slice){ buffer->data, buffer->length_bytes };
}

static void check_written(const struct properties *properties)
{
	struct buffer first, second;
	struct properties again;
	buffer_init(&first);
	buffer_init(&second);
	if (properties_write_again(properties, "hospital.blood.request", &first)) {
		must(properties_read(slice_of(&first), &again), "what was written can be read");
		must(again.values[PROPERTY_USER_ID].bytes == NULL, "without who sent it");
		must(again.values[PROPERTY_TYPE].bytes != NULL, "with a type");
		check_shown(&again, 1);
		must(properties_write_again(&again, NULL, &second), "and written again");
		must(first.length_bytes == second.length_bytes
				&& memcmp(first.data, second.data, first.length_bytes) == 0,
			"as the same bytes");
	}
	buffer_clear(&first);
	buffer_clear(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scan scan = { .next = data, .left_bytes = size };
	struct properties properties;
	size_t length;
	char *bytes = fuzz_rest(&scan, &length);
	if (properties_read((struct slice){ (const unsigned char *)bytes, length }, &properties)) {
		check_shown(&properties, 0);
		check_written(&properties);
	}
	free(bytes);
	return 0;
}
