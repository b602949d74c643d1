/* Rows to notifications. */
#pragma once

#include "database.h"
#include "notice.h"

enum { NOTICE_COLUMNS = 16 }; /* of a notification, from column 0 on, in every statement that reads some */

struct notice notice_of_row(const struct rows *rows, size_t row, struct arena *arena);
