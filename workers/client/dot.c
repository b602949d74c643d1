/* Names come from the contract, [a-z._-] alone, so quotes are all the escaping they need. */
#include "dot.h"

static void print_arrow(const char *from, const char *to, FILE *out)
{
	fprintf(out, "\t\"%s\" -> \"%s\";\n", from, to);
}

static void print_event(const json_t *event, FILE *out)
{
	const char *name = json_string_value(json_object_get(event, "event"));
	const json_t *emitters = json_object_get(event, "emitters"),
				 *consumers = json_object_get(event, "consumers");
	fprintf(out, "\t\"%s\" [shape=ellipse];\n", name);
	for (size_t i = 0; i < json_array_size(emitters); i++)
		print_arrow(json_string_value(json_array_get(emitters, i)), name, out);
	for (size_t i = 0; i < json_array_size(consumers); i++)
		print_arrow(name, json_string_value(json_array_get(consumers, i)), out);
}

void dot_print(const json_t *events, FILE *out)
{
	fprintf(out, "digraph carebus {\n\trankdir=LR;\n\tnode [shape=box];\n");
	for (size_t i = 0; i < json_array_size(events); i++)
		print_event(json_array_get(events, i), out);
	fprintf(out, "}\n");
}
