/* libFuzzer: URLs with credentials. What is taken apart fits, and what is shown of it holds no password. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "address.h"

static void check_address(const struct address *address)
{
	must(strlen(address->url) < sizeof(address->url), "the URL ends");
	must(strlen(address->host) < ADDRESS_PART_MAX && strlen(address->path) < ADDRESS_PART_MAX,
		"its parts end");
	must(strlen(address->user) < ADDRESS_PART_MAX && strlen(address->password) < ADDRESS_PART_MAX,
		"the credentials end");
	must(address->host[0] != '\0', "there is a host");
	const char *authority = strstr(address->url, "://") + 3;
	size_t before = (size_t)(authority - address->url) + strcspn(authority, "/?#");
	must(memchr(address->url, '@', before) == NULL, "the URL shows no credentials");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scan scan = { .next = data, .left_bytes = size };
	char *text = fuzz_text(&scan);
	struct address address = { 0 };
	struct why why = { 0 };
	if (address_parse(&address, "FUZZ_URL", text, &why))
		check_address(&address);
	else
		must(strstr(why.text, "FUZZ_URL") != NULL, "the fault names the variable");
	address_clear(&address);
	free(text);
	return 0;
}
