/* Rows of the tables to items of the state. Each reads the columns that its queries in sql/appointment/queries.sql have. */
#pragma once

#include "state.h"

typedef void row_fn(struct state *state, const struct rows *rows, size_t row);

row_fn read_slot, read_booking, read_terms, read_clinic, read_span, read_floor, read_block, read_entry,
	read_candidate, read_command;
