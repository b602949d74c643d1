/* One event, and the view that readers find, for each shelf that a batch changed, at its end; and what people are alerted to. */
#include "inventory.h"

#include "alert.h"
#include "bloodbank.h"
#include "state.h"

/* Demand that isn't known gives no number of days. */
struct stock_item stock_item(const struct rules *rules, const struct stock_facts *facts)
{
	return (struct stock_item){
		.bank_id = facts->bank_id,
		.component = facts->component,
		.group = facts->group,
		.available = facts->available,
		.reserved = facts->reserved,
		.expiring_24h = facts->expiring_24h,
		.days_of_stock = facts->demand_28_days > 0
			? (double)(facts->undesignated * DEMAND_DAYS) / (double)facts->demand_28_days
			: 0,
		.has_days_of_stock = facts->demand_28_days > 0,
		.level = alert_level(rules, facts),
		.version = facts->version,
	};
}

struct bloodbank_inventory_updated inventory_event(const struct stock_item *item)
{
	return (struct bloodbank_inventory_updated){
		.bank_id = item->bank_id,
		.component = item->component,
		.group = item->group,
		.available = item->available,
		.reserved = item->reserved,
		.expiring_24h = item->expiring_24h,
		.days_of_stock = item->days_of_stock,
		.has_days_of_stock = item->has_days_of_stock,
		.level = item->level,
		.version = item->version,
	};
}

/* The three events have the same members, each in a struct of its own. */
#define ALERT_BODY(item, alert, now, in_days, in_units) \
	{ \
		.bank_id = (item)->bank_id, .component = (item)->component, .group = (item)->group, \
		.available = (item)->available, .days_of_stock = (item)->days_of_stock, \
		.has_days_of_stock = (item)->has_days_of_stock, .threshold = (alert)->threshold, \
		.threshold_unit = (alert)->is_in_days ? (in_days) : (in_units), .version = (item)->version, \
		.at = (now), \
	}

static void send_alert(const struct stock_item *item, const struct alert *alert, const char *key, int64_t now,
	struct outbox *outbox)
{
	const struct bloodbank_stock_low low = ALERT_BODY(item, alert, now,
		BLOODBANK_STOCK_LOW_THRESHOLD_UNIT_DAYS, BLOODBANK_STOCK_LOW_THRESHOLD_UNIT_UNITS);
	const struct bloodbank_stock_critical critical = ALERT_BODY(item, alert, now,
		BLOODBANK_STOCK_CRITICAL_THRESHOLD_UNIT_DAYS, BLOODBANK_STOCK_CRITICAL_THRESHOLD_UNIT_UNITS);
	const struct bloodbank_stock_recovered recovered = ALERT_BODY(item, alert, now,
		BLOODBANK_STOCK_RECOVERED_THRESHOLD_UNIT_DAYS, BLOODBANK_STOCK_RECOVERED_THRESHOLD_UNIT_UNITS);
	const void *body = &recovered;
	if (alert->event == BLOODBANK_STOCK_LOW)
		body = &low;
	else if (alert->event == BLOODBANK_STOCK_CRITICAL)
		body = &critical;
	outbox_event(outbox, alert->event, body, key, item->version, false, NULL);
}

static void send_line(const struct state *state, struct line *line, struct outbox *outbox)
{
	const struct stock_facts facts = {
		.bank_id = line->bank_id,
		.component = line->component,
		.group = line->group,
		.available = line->available,
		.reserved = line->reserved,
		.expiring_24h = line->expiring,
		.version = line->version + 1,
		.undesignated = line->undesignated,
		.demand_28_days = line->demand_28_days,
		.level = line->level,
	};
	const struct stock_item item = stock_item(state->rules, &facts);
	const struct bloodbank_inventory_updated body = inventory_event(&item);
	const struct alert alert = alert_decide(state->rules, &facts, line->is_taken_from);
	const char *key = arena_print(state->arena, "%s/%s/%s", line->bank_id, component_name(line->component),
		blood_group_name(line->group));
	outbox_event(outbox, BLOODBANK_INVENTORY_UPDATED, &body, key, item.version, false, NULL);
	outbox_view(outbox, "stock", key, item.version, BLOODBANK_INVENTORY_UPDATED, &body);
	if (alert.event != EVENT_NONE)
		send_alert(&item, &alert, key, state->now, outbox);
	line->level = alert.level; /* stored with the counters: told once, or not at all */
}

void conclude_batch(struct batch *batch, struct outbox *outbox)
{
	struct state *state = batch->state;
	for (struct line *line = state->first_line; line != NULL; line = line->next)
		if (line->is_changed)
			send_line(state, line, outbox);
}
