/* One event, and the view that readers find, for each shelf that a batch changed, at its end. */
#include "inventory.h"

#include "bloodbank.h"
#include "state.h"

enum { DEMAND_DAYS = 28 };

/* Demand that isn't known gives no number of days. */
struct stock_item stock_item(const struct stock_facts *facts)
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
		.version = item->version,
	};
}

static void send_line(const struct state *state, const struct line *line, struct outbox *outbox)
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
	};
	const struct stock_item item = stock_item(&facts);
	const struct bloodbank_inventory_updated body = inventory_event(&item);
	const char *key = arena_print(state->arena, "%s/%s/%s", line->bank_id, component_name(line->component),
		blood_group_name(line->group));
	outbox_event(outbox, BLOODBANK_INVENTORY_UPDATED, &body, key, item.version, false, NULL);
	outbox_view(outbox, "stock", key, item.version, BLOODBANK_INVENTORY_UPDATED, &body);
}

void conclude_batch(struct batch *batch, struct outbox *outbox)
{
	const struct state *state = batch->state;
	for (const struct line *line = state->first_line; line != NULL; line = line->next)
		if (line->is_changed)
			send_line(state, line, outbox);
}
