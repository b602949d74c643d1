/* The asker's name. */
#include "asker.h"

#include <string.h>

bool asker_is_name(const char *reply_to)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
	return reply_to != NULL && reply_to[0] != '\0' && strlen(reply_to) <= ASKER_MAX
		&& strspn(reply_to, plain) == strlen(reply_to);
}
