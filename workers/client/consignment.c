/* bloodbank.unit.receive commands. */
#include "consignment.h"

#include "digest.h"

size_t consignment_commands(const struct consignment *consignment)
{
	return (consignment->units + consignment->units_per_command - 1) / consignment->units_per_command;
}

size_t consignment_units(const struct consignment *consignment, size_t number)
{
	size_t left = consignment->units - number * consignment->units_per_command;
	return left < consignment->units_per_command ? left : consignment->units_per_command;
}

static const char *bank_of(const struct consignment *consignment, size_t number)
{
	static const char *const demo_banks[] = { "bank-001", "bank-002" };
	const struct option_texts *banks = consignment->banks;
	return banks->count > 0 ? banks->items[number % banks->count] : demo_banks[number % 2];
}

/* Ids follow from what is sent: another run of the same seed is the same run, and changes nothing. */
static void name_command(const struct consignment *consignment, const struct buffer *body,
	char message_id[UUID_TEXT_BYTES])
{
	static const unsigned char namespace_bytes[UUID_BYTES] = "carebus demo 001";
	char digest[SHA256_TEXT_BYTES];
	sha256_text(buffer_text(body), body->length_bytes, digest);
	uuid_from_names(namespace_bytes, (const char *const[]){ consignment->world.seed, digest, NULL },
		message_id);
}

bool consignment_write(const struct consignment *consignment, size_t number, struct arena *arena,
	struct buffer *body, char message_id[UUID_TEXT_BYTES], struct why *why)
{
	size_t count = consignment_units(consignment, number), first = number * consignment->units_per_command;
	struct bloodbank_unit_receive receive = {
		.bank_id = bank_of(consignment, number),
		.units = arena_array(arena, count, sizeof(*receive.units)),
		.units_count = count,
		.received_by = "carebus-seed",
	};
	for (size_t i = 0; i < count; i++)
		world_unit(&consignment->world, first + i, arena, &receive.units[i]);
	buffer_reset(body);
	if (!schema_check(&bloodbank_unit_receive_schema, &receive, why)
		|| !schema_write(&bloodbank_unit_receive_schema, &receive, body))
		return false;
	name_command(consignment, body, message_id);
	return true;
}
