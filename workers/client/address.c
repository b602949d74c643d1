/* scheme://[user[:password]@]host[:port][/path] */
#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decodes. False: too long, a bad escape, or one that would end the text. */
static bool decode(const char *text, size_t length, char out[ADDRESS_PART_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < length; i++) {
		char c = text[i];
		if (c == '%') {
			int high = i + 2 < length ? hex_digit(text[i + 1]) : -1;
			int low = high < 0 ? -1 : hex_digit(text[i + 2]);
			if (low < 0)
				return false;
			c = (char)(high << 4 | low);
			if (c == '\0')
				return false;
			i += 2;
		}
		if (count == ADDRESS_PART_MAX - 1)
			return false;
		out[count++] = c;
	}
	out[count] = '\0';
	return true;
}

static bool take_credentials(struct address *address, const char *text, size_t length)
{
	const char *colon = memchr(text, ':', length);
	size_t user_length = colon == NULL ? length : (size_t)(colon - text);
	if (!decode(text, user_length, address->user))
		return false;
	return colon == NULL || decode(colon + 1, length - user_length - 1, address->password);
}

static bool parse(struct address *address, const char *url)
{
	const char *scheme_end = url + strspn(url, "abcdefghijklmnopqrstuvwxyz");
	if (scheme_end == url || strncmp(scheme_end, "://", 3) != 0)
		return false;
	const char *authority = scheme_end + 3;
	size_t length = strcspn(authority, "/?#");
	const char *at = memrchr(authority, '@', length);
	const char *host = at == NULL ? authority : at + 1;
	const char *end = authority + length;
	if (at != NULL && !take_credentials(address, authority, (size_t)(at - authority)))
		return false;
	const char *path = *end == '/' ? end + 1 : end;
	int written = snprintf(address->url, sizeof(address->url), "%.*s://%.*s%s", (int)(scheme_end - url), url,
		(int)(end - host), host, end);
	return end > host && written > 0 && (size_t)written < sizeof(address->url)
		&& decode(host, (size_t)(end - host), address->host)
		&& decode(path, strcspn(path, "?#"), address->path);
}

bool address_parse(struct address *address, const char *name, const char *url, struct why *why)
{
	*address = (struct address){ .url = "" };
	if (parse(address, url))
		return true;
	address_clear(address);
	return because(why, "usage", "%s is not of the form scheme://user:password@host:port/path", name);
}

void address_clear(struct address *address)
{
	explicit_bzero(address, sizeof(*address));
}

/* Four numbers that begin with 127, nothing else: names like 127.example are anyone's. */
static bool is_loopback_number(const char *host, size_t length)
{
	char text[16];
	struct in_addr number;
	snprintf(text, sizeof(text), "%.*s", (int)length, host);
	return length < sizeof(text) && inet_pton(AF_INET, text, &number) == 1
		&& (ntohl(number.s_addr) >> 24) == 127;
}

bool address_is_loopback(const char *host)
{
	static const char bracketed[] = "[::1]";
	size_t length = strcspn(host, ":");
	if (strncmp(host, bracketed, sizeof(bracketed) - 1) == 0)
		return host[sizeof(bracketed) - 1] == '\0' || host[sizeof(bracketed) - 1] == ':';
	bool is_name = length == strlen("localhost") && strncmp(host, "localhost", length) == 0;
	return is_name || is_loopback_number(host, length);
}
