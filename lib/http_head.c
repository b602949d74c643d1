/* The head of a request: refused where its target or its framing is doubtful, so that nobody between reads another one than we. */
#include "http_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	LENGTH_DIGITS_MAX = 18, /* of a Content-Length */
	PARAMETERS_MAX = 32,    /* of a query */
	NUL = 0x00,
	SLASH = 0x2f,
	BACKSLASH = 0x5c,
};

/* Headers that a request has once: of two, another may take the other one. */
static const char *const single_headers[] = {
	MHD_HTTP_HEADER_AUTHORIZATION,
	MHD_HTTP_HEADER_CONTENT_LENGTH,
	MHD_HTTP_HEADER_CONTENT_TYPE,
	MHD_HTTP_HEADER_EXPECT,
	MHD_HTTP_HEADER_HOST,
	MHD_HTTP_HEADER_TRANSFER_ENCODING,
	"Idempotency-Key",
};

enum { SINGLE_HEADERS = sizeof(single_headers) / sizeof(single_headers[0]) };

/* What was seen of a head. */
struct seen {
	const char *single[SINGLE_HEADERS]; /* their values */
	const char *parameters[PARAMETERS_MAX];
	size_t parameters_count;
	const char *fault;
};

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What an encoded byte would hide from whoever looks at the target as it came; NULL: nothing. */
static const char *fault_of_encoded(const char *percent, bool is_query)
{
	int high = hex_value(percent[1]), low = high < 0 ? -1 : hex_value(percent[2]);
	if (low < 0)
		return "a % in the target is not followed by two hex digits";
	int byte = high << 4 | low;
	if (byte == NUL)
		return "the target holds %00";
	if (!is_query && (byte == SLASH || byte == BACKSLASH))
		return "the path holds %2F or %5C";
	return NULL;
}

const char *http_target_fault(const char *target)
{
	const char *fault = NULL;
	bool is_query = false;
	for (const char *next = target; *next != '\0' && fault == NULL; next++) {
		is_query |= *next == '?';
		if (*next <= ' ' || *next >= 0x7f || *next == '#' || (*next == '\\' && !is_query))
			fault = "the target holds a character that must be percent-encoded";
		else if (*next == '%')
			fault = fault_of_encoded(next, is_query);
	}
	return fault;
}

/* "/path", "http://host/path" or "*"; a proxy's CONNECT has "host:port", which is no path of ours. */
const char *http_target_path(const char *decoded)
{
	static const char scheme[] = "http://";
	if (strncasecmp(decoded, scheme, sizeof(scheme) - 1) != 0)
		return decoded;
	const char *path = strchr(decoded + sizeof(scheme) - 1, '/');
	return path == NULL ? "/" : path;
}

static bool is_token(const char *name)
{
	static const char allowed[] =
		"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t length = strspn(name, allowed);
	return length > 0 && name[length] == '\0';
}

static enum MHD_Result see_header(void *owner, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct seen *seen = owner;
	(void)kind;
	if (!is_token(name))
		seen->fault = "a header's name has a character that no name may have";
	for (size_t i = 0; i < SINGLE_HEADERS; i++) {
		if (strcasecmp(single_headers[i], name) != 0)
			continue;
		if (seen->single[i] != NULL)
			seen->fault = "a header that can only be there once is there twice";
		seen->single[i] = value == NULL ? "" : value;
	}
	return seen->fault == NULL ? MHD_YES : MHD_NO;
}

static enum MHD_Result see_parameter(void *owner, enum MHD_ValueKind kind, const char *name,
	const char *value)
{
	struct seen *seen = owner;
	(void)kind;
	(void)value;
	for (size_t i = 0; i < seen->parameters_count; i++)
		if (strcasecmp(seen->parameters[i], name) == 0)
			seen->fault = "a parameter of the query is there twice";
	if (seen->parameters_count == PARAMETERS_MAX)
		seen->fault = "the query has too many parameters";
	else
		seen->parameters[seen->parameters_count++] = name;
	return seen->fault == NULL ? MHD_YES : MHD_NO;
}

static const char *single(const struct seen *seen, const char *name)
{
	for (size_t i = 0; i < SINGLE_HEADERS; i++)
		if (strcmp(single_headers[i], name) == 0)
			return seen->single[i];
	return NULL;
}

static bool is_number(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	return digits > 0 && digits <= LENGTH_DIGITS_MAX && text[digits] == '\0';
}

/* Of the headers that decide where a request ends. */
static struct http_fault fault_of_framing(const struct seen *seen, const char *version)
{
	const char *length = single(seen, MHD_HTTP_HEADER_CONTENT_LENGTH);
	const char *coding = single(seen, MHD_HTTP_HEADER_TRANSFER_ENCODING);
	const char *expectation = single(seen, MHD_HTTP_HEADER_EXPECT);
	bool is_current = strcmp(version, MHD_HTTP_VERSION_1_1) == 0;
	if (is_current && single(seen, MHD_HTTP_HEADER_HOST) == NULL)
		return (struct http_fault){ MHD_HTTP_BAD_REQUEST, "a request of HTTP/1.1 names its Host" };
	if (length != NULL && coding != NULL)
		return (struct http_fault){ MHD_HTTP_BAD_REQUEST,
			"Content-Length and Transfer-Encoding exclude each other" };
	if (length != NULL && !is_number(length))
		return (struct http_fault){ MHD_HTTP_BAD_REQUEST, "Content-Length is no number" };
	if (coding != NULL && !is_current)
		return (struct http_fault){ MHD_HTTP_BAD_REQUEST, "Transfer-Encoding is of HTTP/1.1" };
	if (coding != NULL && strcasecmp(coding, "chunked") != 0)
		return (struct http_fault){ MHD_HTTP_NOT_IMPLEMENTED, "Transfer-Encoding can only be chunked" };
	if (expectation != NULL && strcasecmp(expectation, "100-continue") != 0)
		return (struct http_fault){ MHD_HTTP_EXPECTATION_FAILED, "Expect can only be 100-continue" };
	return (struct http_fault){ 0 };
}

static struct http_fault fault_of_body(const struct seen *seen, size_t body_bytes_max)
{
	const char *length = single(seen, MHD_HTTP_HEADER_CONTENT_LENGTH);
	if (body_bytes_max == 0)
		return (struct http_fault){ MHD_HTTP_BAD_REQUEST, "requests have no body here" };
	if (length != NULL && strtoull(length, NULL, 10) > body_bytes_max)
		return (struct http_fault){ MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large" };
	return (struct http_fault){ 0 };
}

static bool announces_body(const struct seen *seen)
{
	const char *length = single(seen, MHD_HTTP_HEADER_CONTENT_LENGTH);
	return single(seen, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL
		|| (length != NULL && strtoull(length, NULL, 10) > 0);
}

void http_read_head(const struct http_exchange *exchange, const char *version, struct http_head *head)
{
	struct seen seen = { .fault = NULL };
	*head = (struct http_head){ .has_body = false };
	const union MHD_ConnectionInfo *size =
		MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	if (size != NULL && size->header_size > HTTP_HEAD_BYTES_MAX) {
		head->fault = (struct http_fault){ MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE,
			"target and headers are too long" };
		return;
	}
	MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, see_header, &seen);
	if (seen.fault == NULL)
		MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND, see_parameter, &seen);
	head->fault = seen.fault == NULL ? fault_of_framing(&seen, version)
									 : (struct http_fault){ MHD_HTTP_BAD_REQUEST, seen.fault };
	if (head->fault.text != NULL)
		return;
	head->has_body = announces_body(&seen);
	head->is_chunked = single(&seen, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
	head->is_waiting = single(&seen, MHD_HTTP_HEADER_EXPECT) != NULL;
	if (head->has_body)
		head->fault = fault_of_body(&seen, exchange->http->options.body_bytes_max);
}
