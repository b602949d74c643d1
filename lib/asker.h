/* Who asked: the name in a message's reply_to. Answers are routed by it, so it is checked before it becomes part of a key. */
#pragma once

#include <stdbool.h>

enum { ASKER_MAX = 64 };

/* One or more words of plain characters. NULL is nobody. */
bool asker_is_name(const char *reply_to);
