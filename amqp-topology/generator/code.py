"""Writes events.h and events.c: enums, structs, tables."""

import json

UPPER = str.maketrans({".": "_", "-": "_", " ": "_"})
C_TYPES = {"TEXT": "const char *", "UUID": "const char *", "DATE": "const char *", "TIME": "int64_t ",
           "INTEGER": "int64_t ", "NUMBER": "double ", "BOOLEAN": "bool "}


def constant(*parts):
    return "_".join(parts).translate(UPPER).upper()


def value_constant(enum, value):
    name = {"+": value[:-1] + "_positive", "-": value[:-1] + "_negative"}.get(value[-1:], value)
    return constant(enum, "".join(c if c.isalnum() else "_" for c in name))


def text(value):
    return "NULL" if value is None else json.dumps(value)


def c_type(field):
    if field.kind == "ENUM":
        return f"enum {field.enum} "
    if field.kind == "OBJECT":
        return f"struct {field.object.name} " + ("" if field.is_array else "*")
    return C_TYPES[field.kind]


def declare_enum(name, values):
    lines = [f"enum {name} {{", f"\t{constant(name, 'none')},"]
    lines += [f"\t{value_constant(name, value)}, /* {value} */" for value in values]
    return lines + ["};", f"const char *{name}_name(enum {name} value); /* NULL for 0 */",
                    f"enum {name} {name}_find(const char *name);       /* 0 when there is none */", ""]


def declare_field(field):
    comment = f" /* {field.description} */" if field.description else ""
    if field.is_array:
        return [f"\t{c_type(field)}*{field.name};{comment}", f"\tsize_t {field.name}_count;"]
    lines = [f"\t{c_type(field)}{field.name};{comment}"]
    if field.has_presence:
        lines.append(f"\tbool has_{field.name};")
    return lines


def declare_object(made):
    head = [f"/* {made.description} */"] if made.description else []
    lines = head + [f"struct {made.name} {{"]
    for field in made.fields:
        lines += declare_field(field)
    return lines + ["};", f"extern const struct schema {made.name}_schema;", ""]


HEADER = """/* Made from amqp-topology/ by generate.py: the events, their bodies and what is known of each. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema.h"
"""

EVENT_TYPE = """struct event_type {
	const char *name;        /* also the AMQP type and, lanes aside, the routing key */
	const char *exchange;    /* where it is published: the context, or `questions` */
	size_t size;             /* of the body's struct */
	const struct schema *schema;
	const char *id_field;    /* member that identifies the message when message_id is absent, or NULL */
	int schema_version;
	bool has_emergency_lane; /* the routing key of an emergency ends in .emergency */
	bool mandatory;          /* a queue consumes it: unroutable means that a binding is missing */
	bool is_answer;          /* its routing key is <context>.answer.<asker> */
};

/* Never NULL for an event; NULL for EVENT_NONE and what is no event. */
const struct event_type *event_type(enum event event);

/* EVENT_NONE when unknown. */
enum event event_find(const char *name);

/* The body's member that identifies the message, or NULL when it has none or it is absent. */
const char *event_id(enum event event, const void *body);

/* The body's urgency; URGENCY_NONE when it has none. */
enum urgency event_urgency(enum event event, const void *body);
"""


def header(model, events):
    lines = [HEADER, "enum event {", "\tEVENT_NONE,"]
    lines += [f"\t{constant(event.name)}, /* {event.name} */" for event in events]
    lines += ["\tEVENT_COUNT,", "};", ""]
    for name, values in model.enums.items():
        lines += declare_enum(name, values)
    for made in model.objects.values():
        lines += declare_object(made)
    return "\n".join(lines) + "\n" + EVENT_TYPE


TAKE = """/* Takes as many characters of the set as there are, at most `most`; false when there are fewer than `least`. */
static bool take(const char **text, const char *set, size_t least, size_t most)
{
	size_t length = strspn(*text, set);
	if (length > most)
		length = most;
	*text += length;
	return length >= least;
}
"""


def pattern_function(number, pieces):
    takes = [f"take(&text, {text(chars)}, {low}, {high})" for chars, low, high in pieces]
    return [f"static bool matches_{number}(const char *text)", "{",
            "\treturn " + " &&\n\t\t".join(takes + ["*text == '\\0'"]) + ";", "}", ""]


def enum_tables(name, values):
    names = ", ".join(["NULL"] + [text(value) for value in values])
    return [f"static const char *const {name}_names[] = {{ {names} }};",
            f"static const struct enumeration {name}_enumeration = {{ {name}_names, {len(values) + 1} }};", "",
            f"const char *{name}_name(enum {name} value)", "{",
            f"\treturn enumeration_name(&{name}_enumeration, value);", "}", "",
            f"enum {name} {name}_find(const char *name)", "{",
            f"\treturn (enum {name})enumeration_find(&{name}_enumeration, name);", "}", ""]


def number_text(value):
    return repr(value) if abs(value) != float("inf") else ("INFINITY" if value > 0 else "-INFINITY")


def integer_text(value):
    return {-2**63: "INT64_MIN", 2**63 - 1: "INT64_MAX"}.get(value, f"INT64_C({value})")


def field_default(field, model):
    if field.is_array or not field.has_default:
        return [".has_default = true"] if field.has_default else []
    if field.kind == "TEXT":
        return [".has_default = true", f".default_text = {text(field.default)}"]
    if field.kind == "NUMBER":
        return [".has_default = true", f".default_number = {number_text(float(field.default))}"]
    number = int(field.default) if field.kind != "ENUM" else model.enums[field.enum].index(field.default) + 1
    return [".has_default = true", f".default_integer = {integer_text(number)}"]


def field_kind(field, model, patterns):
    """What depends on the kind of value."""
    if field.kind == "ENUM":
        allowed = sum(1 << (model.enums[field.enum].index(value) + 1) for value in field.allowed)
        return [f".enumeration = &{field.enum}_enumeration", f".allowed = UINT64_C({allowed:#x})"]
    if field.kind == "OBJECT":
        return [f".object = &{field.object.name}_schema"]
    if field.kind == "INTEGER":
        return [f".integer_min = {integer_text(field.integer[0])}", f".integer_max = {integer_text(field.integer[1])}"]
    if field.kind == "NUMBER":
        return [f".number_min = {number_text(field.number[0])}", f".number_max = {number_text(field.number[1])}"]
    if field.kind in ("TEXT", "UUID", "DATE"):
        limits = [f".length_min = {field.length[0]}", f".length_max = {field.length[1]}u"]
        return limits + ([f".matches = matches_{patterns[field.pattern]}"] if field.pattern else [])
    return []


def field_row(field, made, model, patterns):
    struct = f"struct {made.name}"
    cells = [f".name = {text(field.name)}", f".kind = VALUE_{field.kind}",
             f".offset = offsetof({struct}, {field.name})"]
    if field.has_presence:
        cells.append(f".presence_offset = offsetof({struct}, has_{field.name})")
    if field.is_array:
        cells += [".is_array = true", f".count_offset = offsetof({struct}, {field.name}_count)",
                  f".count_min = {field.count[0]}", f".count_max = {field.count[1]}u"]
    cells += [f".{flag} = true" for flag in ("is_required", "is_unique", "is_nullable") if getattr(field, flag)]
    cells += field_kind(field, model, patterns) + field_default(field, model)
    return "\t{ " + ",\n\t\t".join(cells) + " },"


def object_tables(made, model, patterns):
    lines = [f"static const struct field {made.name}_fields[] = {{"]
    lines += [field_row(field, made, model, patterns) for field in made.fields] + ["};"]
    names = [field.name for field in made.fields]
    masks = [sum(1 << names.index(name) for name in choice) for choice in made.one_of]
    if masks:
        lines.append(f"static const uint64_t {made.name}_one_of[] = {{ " + ", ".join(map(hex, masks)) + " };")
    one_of = f"\n\t.one_of = {made.name}_one_of, .one_of_count = {len(masks)}," if masks else ""
    return lines + [f"const struct schema {made.name}_schema = {{ .name = {text(made.name)},",
                    f"\t.fields = {made.name}_fields, .field_count = {len(names)},{one_of}",
                    f"\t.size_bytes = sizeof(struct {made.name}) }};", ""]


EVENT_FUNCTIONS = """const struct event_type *event_type(enum event event)
{
	return event > EVENT_NONE && event < EVENT_COUNT ? &types[event].type : NULL;
}

enum event event_find(const char *name)
{
	for (enum event event = EVENT_NONE + 1; name != NULL && event < EVENT_COUNT; event++)
		if (strcmp(types[event].type.name, name) == 0)
			return event;
	return EVENT_NONE;
}

const char *event_id(enum event event, const void *body)
{
	const char *id = NULL;
	if (event_type(event) != NULL && types[event].id_offset >= 0)
		memcpy(&id, (const char *)body + types[event].id_offset, sizeof(id));
	return id;
}

enum urgency event_urgency(enum event event, const void *body)
{
	enum urgency urgency = URGENCY_NONE;
	if (event_type(event) != NULL && types[event].urgency_offset >= 0)
		memcpy(&urgency, (const char *)body + types[event].urgency_offset, sizeof(urgency));
	return urgency;
}
"""


def event_row(event, model):
    struct = event.name.replace(".", "_")
    flags = [f".{flag} = true" for flag in ("has_emergency_lane", "mandatory", "is_answer") if getattr(event, flag)]
    cells = [f".name = {text(event.name)}", f".exchange = {text(event.exchange)}", f".size = sizeof(struct {struct})",
             f".schema = &{struct}_schema", f".id_field = {text(event.id_field)}",
             f".schema_version = {event.schema_version}"] + flags
    members = {field.name: field for field in model.objects[struct].fields}
    id_offset = f"offsetof(struct {struct}, {event.id_field})" if event.id_field else "-1"
    has_urgency = "urgency" in members and members["urgency"].enum == "urgency"
    urgency_offset = f"offsetof(struct {struct}, urgency)" if has_urgency else "-1"
    return (f"\t[{constant(event.name)}] = {{\n\t\t.type = {{ " + ", ".join(cells) + " },\n"
            f"\t\t.id_offset = {id_offset}, .urgency_offset = {urgency_offset} }},")


def source(model, events):
    used = [field.pattern for made in model.objects.values() for field in made.fields if field.pattern]
    patterns = {pieces: number for number, pieces in enumerate(dict.fromkeys(used), 1)}
    lines = ["/* Made from amqp-topology/ by generate.py: the tables that schema.c walks. */",
             '#include "events.h"', "",
             "#include <math.h>", "#include <string.h>", ""]
    if patterns:
        lines.append(TAKE)
    for pieces, number in patterns.items():
        lines += pattern_function(number, pieces)
    for name, values in model.enums.items():
        lines += enum_tables(name, values)
    for made in model.objects.values():
        lines += object_tables(made, model, patterns)
    if not events:
        return "\n".join(lines) + "\n"
    lines += ["static const struct {", "\tstruct event_type type;",
              "\tptrdiff_t id_offset, urgency_offset; /* in the body's struct; -1 = has none */",
              "} types[EVENT_COUNT] = {"]
    lines += [event_row(event, model) for event in events] + ["};", "", EVENT_FUNCTIONS]
    return "\n".join(lines)
