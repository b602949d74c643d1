/* A table: event, colour, the function that makes its line. Red is a no, yellow a loss, green a yes. */
#include "summary.h"

#include <stdbool.h>
#include <stdio.h>

#include "print.h"
#include "printable.h"

static const char *text_of(const json_t *body, const char *name)
{
	const char *text = json_string_value(json_object_get(body, name));
	return text == NULL ? "" : text;
}

static long long number_of(const json_t *body, const char *name)
{
	return (long long)json_integer_value(json_object_get(body, name));
}

static void summarize_request(const json_t *body, char summary[SUMMARY_MAX])
{
	snprintf(summary, SUMMARY_MAX, "%s: %lld x %s %s for %s", text_of(body, "urgency"),
		number_of(body, "quantity"), text_of(body, "component"), text_of(body, "group"),
		text_of(body, "hospital_id"));
}

static void summarize_approved(const json_t *body, char summary[SUMMARY_MAX])
{
	const json_t *units = json_object_get(body, "units"), *warnings = json_object_get(body, "warnings");
	const json_t *unit = json_array_get(units, 0), *warning = json_array_get(warnings, 0);
	snprintf(summary, SUMMARY_MAX, "%s: %lld of %lld units, %s %s of %s%s%s%s", text_of(body, "decision"),
		number_of(body, "quantity_allocated"), number_of(body, "quantity_requested"), text_of(unit, "group"),
		text_of(unit, "unit_id"), text_of(unit, "bank_id"), json_array_size(units) > 1 ? " and others" : "",
		warning == NULL ? "" : "; warning ", text_of(warning, "code"));
}

static void summarize_no(const json_t *body, char summary[SUMMARY_MAX])
{
	const char *detail = text_of(body, "detail");
	snprintf(summary, SUMMARY_MAX, "%s%s%s", text_of(body, "reason"), detail[0] == '\0' ? "" : ": ", detail);
}

static void summarize_cancel(const json_t *body, char summary[SUMMARY_MAX])
{
	const char *hospital = text_of(body, "hospital_id"), *by = text_of(body, "cancelled_by");
	snprintf(summary, SUMMARY_MAX, "%s%s%s%s%s", hospital, hospital[0] == '\0' ? "" : ": ",
		text_of(body, "reason"), by[0] == '\0' ? "" : ", by ", by);
}

static void summarize_state(const json_t *body, char summary[SUMMARY_MAX])
{
	snprintf(summary, SUMMARY_MAX, "version %lld, %s, %lld of %lld units", number_of(body, "version"),
		text_of(body, "status"), number_of(body, "quantity_allocated"),
		number_of(body, "quantity_requested"));
}

static void summarize_release(const json_t *body, char summary[SUMMARY_MAX])
{
	snprintf(summary, SUMMARY_MAX, "%s: %zu units", text_of(body, "reason"),
		json_array_size(json_object_get(body, "unit_ids")));
}

static void summarize_units(const json_t *body, char summary[SUMMARY_MAX])
{
	const json_t *units = json_object_get(body, "units"), *unit = json_array_get(units, 0);
	snprintf(summary, SUMMARY_MAX, "%zu units at %s: %s %s %s%s", json_array_size(units),
		text_of(body, "bank_id"), text_of(unit, "component"), text_of(unit, "group"), text_of(unit, "din"),
		json_array_size(units) > 1 ? " and others" : "");
}

static void summarize_expired(const json_t *body, char summary[SUMMARY_MAX])
{
	snprintf(summary, SUMMARY_MAX, "%s at %s", text_of(body, "unit_id"), text_of(body, "bank_id"));
}

static void summarize_stock(const json_t *body, char summary[SUMMARY_MAX])
{
	snprintf(summary, SUMMARY_MAX, "%s %s %s: %lld available, %lld reserved, %lld expire within a day",
		text_of(body, "bank_id"), text_of(body, "component"), text_of(body, "group"),
		number_of(body, "available"), number_of(body, "reserved"), number_of(body, "expiring_24h"));
}

static void summarize_alert(const json_t *body, char summary[SUMMARY_MAX])
{
	const json_t *days = json_object_get(body, "days_of_stock");
	char text[32] = "";
	if (json_is_number(days))
		snprintf(text, sizeof(text), " for %.1f days", json_number_value(days));
	snprintf(summary, SUMMARY_MAX, "%s %s %s: %lld available%s, threshold %g %s", text_of(body, "bank_id"),
		text_of(body, "component"), text_of(body, "group"), number_of(body, "available"), text,
		json_number_value(json_object_get(body, "threshold")), text_of(body, "threshold_unit"));
}

static void summarize_notification(const json_t *body, char summary[SUMMARY_MAX])
{
	snprintf(summary, SUMMARY_MAX, "%s%s %s: %s",
		json_is_true(json_object_get(body, "is_emergency")) ? "emergency: " : "",
		text_of(body, "facility_id"), text_of(body, "role"), text_of(body, "text"));
}

static void summarize_reading(const json_t *body, char summary[SUMMARY_MAX])
{
	const char *by = text_of(body, "by");
	snprintf(summary, SUMMARY_MAX, "%s%s%s %s", text_of(body, "facility_id"), by[0] == '\0' ? "" : " by ", by,
		text_of(body, "notification_id"));
}

/* Those of the members that are there. */
static void summarize_appointment(const json_t *body, char summary[SUMMARY_MAX])
{
	static const char *const members[] = { "provider_id", "slot_id", "appointment_id", "waitlist_id",
		"clinic_id", "patient_ref", "from", "to", "status", "reason" };
	size_t length = 0;
	summary[0] = '\0';
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]) && length < SUMMARY_MAX; i++) {
		const char *text = text_of(body, members[i]);
		bool is_told = text[0] == '\0' || (i == 0 && text_of(body, "slot_id")[0] != '\0');
		if (!is_told)
			length += (size_t)snprintf(summary + length, SUMMARY_MAX - length, "%s%s", length == 0 ? "" : " ",
				text);
	}
}

static const struct kind {
	enum event event;
	const char *color; /* NULL: none */
	void (*summarize)(const json_t *body, char summary[SUMMARY_MAX]);
} kinds[] = {
	{ APPOINTMENT_SCHEDULE_BLOCK, NULL, summarize_appointment },
	{ APPOINTMENT_SCHEDULE_BLOCKED, COLOR_YELLOW, summarize_appointment },
	{ APPOINTMENT_SCHEDULE_PUBLISH, NULL, summarize_appointment },
	{ APPOINTMENT_SCHEDULE_PUBLISHED, COLOR_GREEN, summarize_appointment },
	{ APPOINTMENT_SCHEDULE_REFUSED, COLOR_RED, summarize_no },
	{ APPOINTMENT_SLOT_BOOK, NULL, summarize_appointment },
	{ APPOINTMENT_SLOT_BOOKED, COLOR_GREEN, summarize_appointment },
	{ APPOINTMENT_SLOT_CANCEL, NULL, summarize_appointment },
	{ APPOINTMENT_SLOT_CANCELLED, COLOR_YELLOW, summarize_appointment },
	{ APPOINTMENT_SLOT_DECLINE, NULL, summarize_appointment },
	{ APPOINTMENT_SLOT_DECLINED, COLOR_YELLOW, summarize_appointment },
	{ APPOINTMENT_SLOT_HELD, NULL, summarize_appointment },
	{ APPOINTMENT_SLOT_HOLD, NULL, summarize_appointment },
	{ APPOINTMENT_SLOT_MOVE, NULL, summarize_appointment },
	{ APPOINTMENT_SLOT_MOVED, COLOR_GREEN, summarize_appointment },
	{ APPOINTMENT_SLOT_OFFERED, NULL, summarize_appointment },
	{ APPOINTMENT_SLOT_OFFER_EXPIRED, COLOR_YELLOW, summarize_appointment },
	{ APPOINTMENT_SLOT_REFUSED, COLOR_RED, summarize_no },
	{ APPOINTMENT_SLOT_RELEASED, NULL, summarize_appointment },
	{ APPOINTMENT_VISIT_ARRIVE, NULL, summarize_appointment },
	{ APPOINTMENT_VISIT_ARRIVED, NULL, summarize_appointment },
	{ APPOINTMENT_VISIT_COMPLETE, NULL, summarize_appointment },
	{ APPOINTMENT_VISIT_COMPLETED, COLOR_GREEN, summarize_appointment },
	{ APPOINTMENT_VISIT_NO_SHOW, COLOR_YELLOW, summarize_appointment },
	{ APPOINTMENT_VISIT_REFUSED, COLOR_RED, summarize_no },
	{ APPOINTMENT_WAITLIST_JOIN, NULL, summarize_appointment },
	{ APPOINTMENT_WAITLIST_JOINED, NULL, summarize_appointment },
	{ APPOINTMENT_WAITLIST_LEAVE, NULL, summarize_appointment },
	{ APPOINTMENT_WAITLIST_LEFT, NULL, summarize_appointment },
	{ APPOINTMENT_WAITLIST_REFUSED, COLOR_RED, summarize_no },
	{ BLOODBANK_BLOOD_APPROVED, COLOR_GREEN, summarize_approved },
	{ BLOODBANK_BLOOD_REJECTED, COLOR_RED, summarize_no },
	{ BLOODBANK_INVENTORY_UPDATED, NULL, summarize_stock },
	{ BLOODBANK_RESERVATION_RELEASED, COLOR_YELLOW, summarize_release },
	{ BLOODBANK_STOCK_CRITICAL, COLOR_RED, summarize_alert },
	{ BLOODBANK_STOCK_LOW, COLOR_YELLOW, summarize_alert },
	{ BLOODBANK_STOCK_RECOVERED, COLOR_GREEN, summarize_alert },
	{ BLOODBANK_UNIT_EXPIRED, COLOR_YELLOW, summarize_expired },
	{ BLOODBANK_UNIT_RECEIVE, NULL, summarize_units },
	{ BLOODBANK_UNIT_RECEIVED, COLOR_GREEN, summarize_units },
	{ BLOODBANK_UNIT_REFUSED, COLOR_RED, summarize_no },
	{ HOSPITAL_BLOOD_CANCEL, NULL, summarize_cancel },
	{ HOSPITAL_BLOOD_CANCELLED, COLOR_YELLOW, summarize_cancel },
	{ HOSPITAL_BLOOD_REFUSED, COLOR_RED, summarize_no },
	{ HOSPITAL_BLOOD_REQUEST, NULL, summarize_request },
	{ HOSPITAL_BLOOD_REQUESTED, NULL, summarize_request },
	{ HOSPITAL_REQUEST_UPDATED, NULL, summarize_state },
	{ NOTIFICATION_MESSAGE_ACKNOWLEDGE, NULL, summarize_reading },
	{ NOTIFICATION_MESSAGE_ACKNOWLEDGED, COLOR_GREEN, summarize_reading },
	{ NOTIFICATION_MESSAGE_CREATED, NULL, summarize_notification },
	{ NOTIFICATION_MESSAGE_DELIVERED, NULL, summarize_notification },
	{ NOTIFICATION_MESSAGE_REFUSED, COLOR_RED, summarize_no },
};

static const struct kind *kind_of(enum event event)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].event == event)
			return &kinds[i];
	return NULL;
}

void summary_write(enum event event, const json_t *body, char summary[SUMMARY_MAX])
{
	const struct kind *kind = kind_of(event);
	summary[0] = '\0';
	if (kind != NULL)
		kind->summarize(body, summary);
	printable(summary);
}

const char *summary_color(enum event event)
{
	const struct kind *kind = kind_of(event);
	return kind == NULL ? NULL : kind->color;
}
