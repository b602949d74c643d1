/* SQL NULL is 0 for times and NULL for texts, here as there. */
#include "notice_rows.h"

struct notice notice_of_row(const struct rows *rows, size_t row, struct arena *arena)
{
	return (struct notice){
		.notification_id = rows_uuid(rows, row, 0, arena),
		.facility_id = rows_text(rows, row, 1, arena),
		.role = rows_text(rows, row, 2, arena),
		.kind = rows_text(rows, row, 3, arena),
		.is_emergency = rows_bool(rows, row, 4),
		.entity = rows_text(rows, row, 5, arena),
		.transition = rows_text(rows, row, 6, arena),
		.text = rows_text(rows, row, 7, arena),
		.created_at = rows_time(rows, row, 8),
		.delivered_at = rows_time(rows, row, 9),
		.acknowledged_at = rows_time(rows, row, 10),
		.acknowledged_by = rows_text(rows, row, 11, arena),
		.escalate_at = rows_time(rows, row, 12),
		.correlation_id = rows_text(rows, row, 13, arena),
		.traceparent = rows_text(rows, row, 14, arena),
		.recipient_ref = rows_text(rows, row, 15, arena),
		.is_there = true,
		.is_stored = true,
	};
}
