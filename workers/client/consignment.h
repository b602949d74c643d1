/* PURE. The units of a seed, cut into commands. The same options give the same bytes and ids. */
#pragma once

#include "buffer.h"
#include "options.h"
#include "outcome.h"
#include "uuid.h"
#include "world.h"

struct consignment {
	struct world world;
	const struct option_texts *banks; /* take turns; none = those of the demo */
	size_t units, units_per_command;
};

size_t consignment_commands(const struct consignment *consignment);

/* Units of the command of that number, from 0. */
size_t consignment_units(const struct consignment *consignment, size_t number);

/* The command's body and message id. False: the contract refuses it. */
bool consignment_write(const struct consignment *consignment, size_t number, struct arena *arena,
	struct buffer *body, char message_id[UUID_TEXT_BYTES], struct why *why);
