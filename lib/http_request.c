/* One request: refused where its framing is doubtful, gathered, handed to the owner. */
#include "http_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"

enum { THROWN_AWAY_MAX = 4, DIGITS_MAX = 18 }; /* times the largest body; digits of a Content-Length */

/* Headers that decide where a request ends: two of a kind, or two kinds, and a proxy may see another end than we. */
struct framing {
	unsigned lengths, codings, hosts;
	const char *length, *coding, *expectation;
};

static enum MHD_Result note_header(void *owner, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct framing *framing = owner;
	(void)kind;
	if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
		framing->lengths++;
		framing->length = value;
	} else if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
		framing->codings++;
		framing->coding = value;
	} else if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0) {
		framing->hosts++;
	} else if (strcasecmp(name, MHD_HTTP_HEADER_EXPECT) == 0) {
		framing->expectation = value;
	}
	return MHD_YES;
}

static bool is_number(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	return digits > 0 && digits <= DIGITS_MAX && text[digits] == '\0';
}

/* Why the request's framing is refused, or NULL. Sets the status. */
static const char *fault_of_framing(const struct framing *framing, size_t body_bytes_max, unsigned *status)
{
	*status = MHD_HTTP_BAD_REQUEST;
	if (framing->lengths > 1 || framing->codings > 1 || framing->hosts > 1)
		return "Content-Length, Transfer-Encoding or Host is there twice";
	if (framing->lengths > 0 && framing->codings > 0)
		return "Content-Length and Transfer-Encoding exclude each other";
	if (framing->length != NULL && (framing->length[0] == '\0' || !is_number(framing->length)))
		return "Content-Length is no number";
	if (framing->coding != NULL && strcasecmp(framing->coding, "chunked") != 0) {
		*status = MHD_HTTP_NOT_IMPLEMENTED;
		return "Transfer-Encoding can only be chunked";
	}
	if (framing->expectation != NULL && strcasecmp(framing->expectation, "100-continue") != 0) {
		*status = MHD_HTTP_EXPECTATION_FAILED;
		return "Expect can only be 100-continue";
	}
	bool has_body = framing->codings > 0 || (framing->length != NULL && strcmp(framing->length, "0") != 0);
	if (has_body && body_bytes_max == 0)
		return "requests have no body here";
	*status = MHD_HTTP_CONTENT_TOO_LARGE;
	bool is_too_large = framing->length != NULL && strtoull(framing->length, NULL, 10) > body_bytes_max;
	return is_too_large ? "the body is too large" : NULL;
}

static struct http_exchange *begin(struct http *http, struct MHD_Connection *connection, const char *path,
	const char *method)
{
	struct http_exchange *exchange = calloc(1, sizeof(*exchange));
	if (exchange == NULL)
		abort();
	exchange->http = http;
	exchange->connection = connection;
	exchange->socket =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	exchange->method = method;
	exchange->path = path;
	return exchange;
}

static enum MHD_Result queue_answer(struct http_exchange *exchange)
{
	exchange->socket->deadline_ms =
		exchange->is_stream ? INT64_MAX : clock_steady_ms() + HTTP_ANSWER_LIMIT_MS;
	enum MHD_Result result = MHD_queue_response(exchange->connection, exchange->status, exchange->response);
	MHD_destroy_response(exchange->response);
	exchange->response = NULL;
	return result;
}

static void refuse(struct http_exchange *exchange, unsigned status, const char *detail)
{
	const struct http *http = exchange->http;
	if (http->options.refuse != NULL) {
		http->options.refuse(http->options.owner, exchange, status, detail);
		return;
	}
	http_answer(exchange,
		&(struct http_answer){
			.status = status,
			.content_type = "text/plain; charset=utf-8",
			.body = detail,
			.body_bytes = strlen(detail),
		});
}

/* The answer to a request that is refused by its head closes the connection: what follows is not read as a request. */
static enum MHD_Result check_head(struct http_exchange *exchange)
{
	struct framing framing = { 0 };
	unsigned status;
	MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, note_header, &framing);
	const char *fault = fault_of_framing(&framing, exchange->http->options.body_bytes_max, &status);
	if (fault == NULL)
		return MHD_YES;
	refuse(exchange, status, fault);
	return queue_answer(exchange);
}

/* A body that is sent in chunks shows its size only now. A little more is thrown away, so that the answer can be read. */
static enum MHD_Result gather(struct http_exchange *exchange, const char *upload, size_t *upload_bytes)
{
	size_t most = exchange->http->options.body_bytes_max;
	exchange->is_too_large |= exchange->body.length_bytes + *upload_bytes > most;
	if (exchange->is_too_large) {
		exchange->thrown_bytes += *upload_bytes;
		if (exchange->thrown_bytes > most * THROWN_AWAY_MAX)
			return MHD_NO;
	} else {
		buffer_add(&exchange->body, upload, *upload_bytes);
	}
	*upload_bytes = 0;
	return MHD_YES;
}

static void dispatch(struct http_exchange *exchange)
{
	struct http *http = exchange->http;
	exchange->is_dispatched = true;
	exchange->socket->deadline_ms = INT64_MAX;
	exchange->next = http->exchanges;
	if (exchange->next != NULL)
		exchange->next->previous = exchange;
	http->exchanges = exchange;
	if (exchange->is_too_large)
		refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large");
	else
		http->options.request(http->options.owner, exchange);
}

static void forget(struct http_exchange *exchange)
{
	struct http *http = exchange->http;
	if (exchange->previous != NULL)
		exchange->previous->next = exchange->next;
	else
		http->exchanges = exchange->next;
	if (exchange->next != NULL)
		exchange->next->previous = exchange->previous;
	if (http->options.over != NULL)
		http->options.over(http->options.owner, exchange);
}

/* Called when the head is there, for each part of the body, when the request is whole, and after each resume. */
enum MHD_Result http_handle(void *owner, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *upload, size_t *upload_bytes, void **request)
{
	struct http_exchange *exchange = *request;
	(void)version;
	if (exchange == NULL) {
		*request = exchange = begin(owner, connection, path, method);
		return check_head(exchange);
	}
	if (*upload_bytes > 0)
		return gather(exchange, upload, upload_bytes);
	if (!exchange->is_dispatched)
		dispatch(exchange);
	if (exchange->response != NULL)
		return queue_answer(exchange);
	if (exchange->is_ended)
		return MHD_NO;
	MHD_suspend_connection(connection);
	exchange->is_suspended = true;
	return MHD_YES;
}

void http_completed(void *owner, struct MHD_Connection *connection, void **request,
	enum MHD_RequestTerminationCode code)
{
	struct http_exchange *exchange = *request;
	(void)owner;
	(void)connection;
	(void)code;
	if (exchange == NULL)
		return;
	exchange->socket->deadline_ms = clock_steady_ms() + exchange->http->options.request_limit_ms;
	if (exchange->is_dispatched)
		forget(exchange);
	if (exchange->response != NULL)
		MHD_destroy_response(exchange->response);
	buffer_clear(&exchange->body);
	buffer_clear(&exchange->stream);
	free(exchange);
	*request = NULL;
}
