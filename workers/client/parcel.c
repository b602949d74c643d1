/*
 * Workers park with the headers reason, detail, sender, attempts, at the time of the timestamp. The broker parks what was delivered
 * too often, with the header x-death: [{reason, time, routing-keys, ...}]. Either way `type` tells the event, if the sender set it.
 */
#include "parcel.h"

#include <string.h>

#include "clock.h"

static const char emergency_suffix[] = ".emergency";

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text == NULL ? "" : text;
}

static const json_t *death_of(const json_t *headers)
{
	return json_array_get(json_object_get(headers, "x-death"), 0);
}

static const char *reason_of(const struct parcel *parcel, const json_t *headers)
{
	if (!parcel->is_readable)
		return "unreadable";
	const char *ours = text_of(headers, "reason"), *brokers = text_of(death_of(headers), "reason");
	if (ours[0] != '\0')
		return ours;
	return brokers[0] != '\0' ? brokers : "unknown";
}

/* The type, else the routing key of the first sending, without its lane. */
static json_t *event_of(const json_t *properties, const json_t *headers)
{
	const char *type = text_of(properties, "type");
	const char *key =
		json_string_value(json_array_get(json_object_get(death_of(headers), "routing-keys"), 0));
	if (type[0] != '\0' || key == NULL)
		return json_string(type);
	size_t length = strlen(key), suffix_length = strlen(emergency_suffix);
	if (length > suffix_length && strcmp(key + length - suffix_length, emergency_suffix) == 0)
		length -= suffix_length;
	return json_stringn(key, length);
}

static json_t *time_of(const json_t *properties, const json_t *headers)
{
	char text[TIME_TEXT_BYTES];
	const json_t *time = json_object_get(death_of(headers), "time");
	if (time == NULL)
		time = json_object_get(properties, "timestamp");
	json_int_t seconds = json_integer_value(time);
	if (seconds <= 0 || seconds > INT64_MAX / MICROSECONDS_PER_SECOND)
		return json_string("");
	time_print(seconds * MICROSECONDS_PER_SECOND, text);
	return json_string(text);
}

static void set_text(json_t *object, const char *name, const char *text)
{
	json_object_set_new(object, name, json_string(text));
}

static void tell_cause(struct parcel *parcel, const json_t *properties)
{
	const json_t *headers = json_object_get(properties, "headers");
	set_text(parcel->shown, "reason", reason_of(parcel, headers));
	set_text(parcel->shown, "detail", text_of(headers, "detail"));
	json_object_set_new(parcel->shown, "event", event_of(properties, headers));
	set_text(parcel->shown, "message_id", text_of(properties, "message_id"));
	json_object_set_new(parcel->shown, "parked_at", time_of(properties, headers));
}

static void tell_message(struct parcel *parcel, const struct held *held, json_t *properties)
{
	json_t *shown = parcel->shown;
	json_object_set_new(shown, "redelivered", json_boolean(held->is_redelivered));
	json_object_set_new(shown, "exchange",
		properties_text((struct slice){ (const unsigned char *)held->exchange, strlen(held->exchange) }));
	json_object_set_new(shown, "routing_key",
		properties_text((struct slice){
			(const unsigned char *)held->routing_key, strlen(held->routing_key) }));
	json_object_set(shown, "properties", properties);
	json_object_set_new(shown, "body_bytes", json_integer((json_int_t)held->body.length));
	json_object_set_new(shown, "body", properties_text(held->body));
}

void parcel_open(struct parcel *parcel, const char *queue, const struct held *held)
{
	*parcel = (struct parcel){ .bytes = held->properties, .body = held->body, .shown = json_object() };
	json_t *properties = NULL;
	if (properties_read(held->properties, &parcel->properties))
		properties = properties_json(&parcel->properties);
	parcel->is_readable = properties != NULL;
	if (properties == NULL)
		properties = properties_base64(held->properties);
	set_text(parcel->shown, "queue", queue);
	tell_cause(parcel, properties);
	tell_message(parcel, held, properties);
	json_decref(properties);
	parcel->reason = text_of(parcel->shown, "reason");
	parcel->detail = text_of(parcel->shown, "detail");
	parcel->event = text_of(parcel->shown, "event");
	parcel->message_id = text_of(parcel->shown, "message_id");
	parcel->parked_at = text_of(parcel->shown, "parked_at");
}

void parcel_close(struct parcel *parcel)
{
	json_decref(parcel->shown);
	parcel->shown = NULL;
}

static bool is_same(const char *wanted, const char *text)
{
	return wanted == NULL || strcmp(wanted, text) == 0;
}

bool choice_has(const struct choice *choice, const struct parcel *parcel)
{
	return is_same(choice->reason, parcel->reason) && is_same(choice->message_id, parcel->message_id)
		&& is_same(choice->event, parcel->event);
}
