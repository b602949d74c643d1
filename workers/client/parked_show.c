/* carebus parked show: the messages themselves, left where they are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parked.h"
#include "printable.h"

struct showing {
	const struct parked_run *run;
	json_t *messages; /* of JSON output */
	size_t shown;
};

/* Text of others, without what could move the cursor. */
static void print_value(const char *name, const json_t *value)
{
	char *text = json_is_string(value) ? strdup(json_string_value(value))
									   : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	if (text == NULL)
		abort();
	printable(text);
	printf("  %-16s %s\n", name, text);
	free(text);
}

static void print_members(const char *prefix, json_t *object)
{
	const char *name;
	json_t *value;
	json_object_foreach (object, name, value) {
		char label[80];
		if (strcmp(name, "headers") == 0 && prefix[0] == '\0')
			continue;
		snprintf(label, sizeof(label), "%s%s", prefix, name);
		printable(label);
		print_value(label, value);
	}
}

/* A body that is JSON is indented; what else is text is shown as it is, a line at a time. */
static void print_body(const json_t *body)
{
	const char *text = json_string_value(body);
	json_t *decoded = text == NULL ? NULL : json_loads(text, 0, NULL);
	char *copy = decoded != NULL ? json_dumps(decoded, JSON_INDENT(2))
								 : json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
	if (copy == NULL)
		abort();
	for (char *line = copy, *next; line != NULL; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		printable(line);
		printf("    %s\n", line);
	}
	free(copy);
	json_decref(decoded);
}

static void print_parcel(const struct parcel *parcel, size_t number)
{
	json_t *properties = json_object_get(parcel->shown, "properties");
	char head[400];
	snprintf(head, sizeof(head), "%s%s%s", parcel->reason, parcel->detail[0] == '\0' ? "" : ": ",
		parcel->detail);
	printable(head);
	printf("%s#%zu  %s\n", number == 1 ? "" : "\n", number, head);
	print_value("parked at", json_object_get(parcel->shown, "parked_at"));
	print_value("event", json_object_get(parcel->shown, "event"));
	print_members("", properties);
	print_members("header ", json_object_get(properties, "headers"));
	printf("  body, %lld bytes\n",
		(long long)json_integer_value(json_object_get(parcel->shown, "body_bytes")));
	print_body(json_object_get(parcel->shown, "body"));
}

static bool show(void *owner, struct hold *hold, const struct held *held, const struct parcel *parcel,
	struct why *why)
{
	struct showing *showing = owner;
	(void)hold;
	(void)held;
	(void)why;
	if (!choice_has(&showing->run->values->choice, parcel))
		return true;
	showing->shown++;
	if (showing->run->is_json)
		json_array_append(showing->messages, parcel->shown);
	else
		print_parcel(parcel, showing->shown);
	return true;
}

static void print_result(const struct showing *showing, const char *queue, const struct extent *extent)
{
	if (showing->run->is_json) {
		json_t *result =
			json_pack("{s:s, s:I, s:I, s:O}", "queue", queue, "messages", (json_int_t)extent->messages,
				"looked_at", (json_int_t)extent->looked_at, "shown", showing->messages);
		json_dumpf(result, stdout, JSON_INDENT(2));
		printf("\n");
		json_decref(result);
	} else if (showing->shown == 0) {
		printf("%s: none of %zu messages is meant\n", queue, extent->looked_at);
	}
}

enum ending parked_show(const struct parked_run *run, const char *queue)
{
	struct why why = { .text = "" };
	struct extent extent;
	struct showing showing = { .run = run, .messages = json_array() };
	bool is_good = parked_walk(run, queue, show, &showing, &extent, &why);
	if (is_good)
		print_result(&showing, queue, &extent);
	else
		fprintf(stderr, "%s\n", why.text);
	json_decref(showing.messages);
	if (!is_good)
		return ENDING_FAULT;
	return showing.shown > 0 ? ENDING_DONE : ENDING_NO;
}
