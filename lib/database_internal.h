/* What the files of the database share. */
#pragma once

#include <libpq-fe.h>

#include "database.h"

struct rows {
	PGresult *result; /* owned by the database until the end of the transaction */
};
