/* The routes, a table for each field of work. */
#pragma once

#include "route.h"

#define EVERYBODY (ROLE(TOKEN_ROLES) - 1)
#define HOSPITALS (ROLE(TOKEN_ADMIN) | ROLE(TOKEN_HOSPITAL))
#define BANKS (ROLE(TOKEN_ADMIN) | ROLE(TOKEN_BANK))
#define CLINICS (ROLE(TOKEN_ADMIN) | ROLE(TOKEN_CLINIC))
#define READERS ROLE(TOKEN_READER)

struct route_table {
	const struct route *items;
	size_t count;
};

extern const struct route_table blood_routes, appointment_routes;

/* Of lists that go from the newest to the oldest. */
bool is_time_cursor(const char *text);
