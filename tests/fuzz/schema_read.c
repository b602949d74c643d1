/*
 * libFuzzer: bodies of every event. The first byte picks the event, the rest is its body. What is read must be
 * writable and say the same as what came, and what was written must read back and give the same bytes. Where there is
 * one fault, all are told.
 */
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "clock.h"
#include "events.h"

static bool is_faithful(const json_t *came, json_t *written);

/* Uuids are written in lower case, times in UTC. */
static bool is_same_text(const char *came, const char *written)
{
	int64_t came_us, written_us;
	return strcmp(came, written) == 0 || (strcasecmp(came, written) == 0 && strlen(came) == 36)
		|| (time_parse(came, &came_us) && time_parse(written, &written_us) && came_us == written_us);
}

static bool is_faithful_array(const json_t *came, json_t *written)
{
	bool is_good = json_array_size(came) == json_array_size(written);
	for (size_t i = 0; is_good && i < json_array_size(written); i++)
		is_good = is_faithful(json_array_get(came, i), json_array_get(written, i));
	return is_good;
}

/* Members that came and were kept; others are unknown, or defaults. */
static bool is_faithful_object(const json_t *came, json_t *written)
{
	const char *name;
	json_t *value;
	json_object_foreach (written, name, value) {
		const json_t *original = json_object_get(came, name);
		if (original != NULL && !json_is_null(original) && !is_faithful(original, value))
			return false;
	}
	return true;
}

static bool is_faithful(const json_t *came, json_t *written)
{
	if (json_is_number(came) && json_is_number(written))
		return !(json_number_value(came) < json_number_value(written))
			&& !(json_number_value(came) > json_number_value(written));
	if (json_typeof(came) != json_typeof(written))
		return false;
	if (json_is_string(came))
		return is_same_text(json_string_value(came), json_string_value(written));
	if (json_is_array(came))
		return is_faithful_array(came, written);
	return !json_is_object(came) || is_faithful_object(came, written);
}

static void check_faithful(const char *text, size_t length, const struct buffer *written)
{
	json_t *came = json_loadb(text, length, 0, NULL);
	json_t *kept = json_loads(buffer_text(written), 0, NULL);
	must(came != NULL && kept != NULL, "both are JSON");
	must(is_faithful(came, kept), "what was written says what came");
	json_decref(came);
	json_decref(kept);
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
		must(schema_write(schema, body, &first), "what was read can be written");
		check_faithful(text, length, &first);
		must(schema_read(schema, buffer_text(&first), first.length_bytes, arena, &body, &why),
			"what was written can be read");
		must(schema_write(schema, body, &second), "and written again");
		must(strcmp(buffer_text(&first), buffer_text(&second)) == 0, "as the same bytes");
	} else {
		must(why.text[0] != '\0', "a refusal says why");
	}
	bool is_good = why.text[0] == '\0';
	must(schema_read_all(schema, text, length, arena, &body, &faults) == is_good, "both readers agree");
	must((faults.count == 0) == is_good, "a fault is told where there is one");
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
