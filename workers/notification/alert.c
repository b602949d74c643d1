/* The contract gives each event a type of its own; to people they differ by one word. */
#include "alert.h"

static struct alert alert_of_low(const struct bloodbank_stock_low *low)
{
	return (struct alert){
		.level = "low",
		.bank_id = low->bank_id,
		.component = low->component,
		.group = low->group,
		.available = low->available,
		.days_of_stock = low->days_of_stock,
		.has_days_of_stock = low->has_days_of_stock,
		.threshold = low->threshold,
		.is_in_days = low->threshold_unit == BLOODBANK_STOCK_LOW_THRESHOLD_UNIT_DAYS,
		.version = low->version,
		.at = low->at,
	};
}

static struct alert alert_of_critical(const struct bloodbank_stock_critical *critical)
{
	return (struct alert){
		.level = "critical",
		.bank_id = critical->bank_id,
		.component = critical->component,
		.group = critical->group,
		.available = critical->available,
		.days_of_stock = critical->days_of_stock,
		.has_days_of_stock = critical->has_days_of_stock,
		.threshold = critical->threshold,
		.is_in_days = critical->threshold_unit == BLOODBANK_STOCK_CRITICAL_THRESHOLD_UNIT_DAYS,
		.version = critical->version,
		.at = critical->at,
	};
}

static struct alert alert_of_recovered(const struct bloodbank_stock_recovered *recovered)
{
	return (struct alert){
		.level = "recovered",
		.bank_id = recovered->bank_id,
		.component = recovered->component,
		.group = recovered->group,
		.available = recovered->available,
		.days_of_stock = recovered->days_of_stock,
		.has_days_of_stock = recovered->has_days_of_stock,
		.threshold = recovered->threshold,
		.is_in_days = recovered->threshold_unit == BLOODBANK_STOCK_RECOVERED_THRESHOLD_UNIT_DAYS,
		.version = recovered->version,
		.at = recovered->at,
	};
}

struct alert alert_of(const struct message *message)
{
	if (message->event == BLOODBANK_STOCK_LOW)
		return alert_of_low(message->body);
	if (message->event == BLOODBANK_STOCK_CRITICAL)
		return alert_of_critical(message->body);
	return alert_of_recovered(message->body);
}
