/* One request: refused where its head is doubtful, gathered, handed to the owner. */
#include "http_internal.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"

enum { THROWN_AWAY_MAX = 4 /* times the largest body */ };

static void expect_request(const struct http *http, struct http_connection *connection)
{
	connection->deadline_ms = clock_steady_ms() + http->options.request_limit_ms;
	connection->part_ms = INT64_MAX;
}

/*
 * The library keeps a chunk's line until it has its end. One that fills its memory is never whole: nothing more is read, and the library
 * asks to be run again at once, for as long as the connection is open.
 */
static void expect_part(struct http_exchange *exchange)
{
	if (exchange->is_chunked)
		exchange->socket->part_ms = clock_steady_ms() + HTTP_PART_LIMIT_MS;
}

/* Called when the request line is there: from now on the client has its time for the rest. */
void *http_begin(void *owner, const char *target, struct MHD_Connection *connection)
{
	struct http *http = owner;
	struct http_exchange *exchange = calloc(1, sizeof(*exchange));
	if (exchange == NULL)
		abort();
	exchange->http = http;
	exchange->connection = connection;
	exchange->socket =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	exchange->fault.text = http_target_fault(target);
	exchange->fault.status = MHD_HTTP_BAD_REQUEST;
	expect_request(http, exchange->socket);
	return exchange;
}

static enum MHD_Result queue_answer(struct http_exchange *exchange)
{
	exchange->socket->deadline_ms =
		exchange->is_stream ? INT64_MAX : clock_steady_ms() + HTTP_ANSWER_LIMIT_MS;
	exchange->socket->part_ms = INT64_MAX;
	enum MHD_Result result = MHD_queue_response(exchange->connection, exchange->status, exchange->response);
	MHD_destroy_response(exchange->response);
	exchange->response = NULL;
	return result;
}

static void refuse(struct http_exchange *exchange, const struct http_fault *fault)
{
	const struct http *http = exchange->http;
	if (http->options.refuse != NULL) {
		http->options.refuse(http->options.owner, exchange, fault->status, fault->text);
		return;
	}
	http_answer(exchange,
		&(struct http_answer){
			.status = fault->status,
			.content_type = "text/plain; charset=utf-8",
			.body = fault->text,
			.body_bytes = strlen(fault->text),
		});
}

/*
 * A request that is refused by its head closes the connection: what follows is not read as a request. Where only the owner does not
 * want it, its end is not in doubt: the body is thrown away, so that the client can read the answer and go on.
 */
static enum MHD_Result take_head(struct http_exchange *exchange, const char *version)
{
	const struct http_options *options = &exchange->http->options;
	struct http_head head = { .fault = exchange->fault };
	if (head.fault.text == NULL)
		http_read_head(exchange, version, &head);
	if (head.fault.text != NULL) {
		refuse(exchange, &head.fault);
		return queue_answer(exchange);
	}
	exchange->is_chunked = head.is_chunked;
	expect_part(exchange);
	if (head.has_body && options->admit != NULL)
		options->admit(options->owner, exchange);
	return exchange->response != NULL && head.is_waiting ? queue_answer(exchange) : MHD_YES;
}

static void drop_body(struct http_exchange *exchange)
{
	exchange->http->bodies_bytes -= exchange->body.length_bytes;
	buffer_clear(&exchange->body);
}

/* A body that is sent in chunks shows its size only now. */
static void check_room(struct http_exchange *exchange, size_t more)
{
	const struct http *http = exchange->http;
	if (exchange->body.length_bytes + more > http->options.body_bytes_max)
		exchange->fault = (struct http_fault){ MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large" };
	else if (http->bodies_bytes + more > http->options.bodies_bytes_max)
		exchange->fault = (struct http_fault){ MHD_HTTP_SERVICE_UNAVAILABLE,
			"too much is sent to this server at once; try again" };
	if (exchange->fault.text != NULL)
		drop_body(exchange);
}

/* A little more than wanted is thrown away, so that the answer can be read. */
static enum MHD_Result gather(struct http_exchange *exchange, const char *upload, size_t *upload_bytes)
{
	struct http *http = exchange->http;
	size_t length = *upload_bytes;
	*upload_bytes = 0;
	expect_part(exchange);
	if (!exchange->is_answered && exchange->fault.text == NULL)
		check_room(exchange, length);
	if (exchange->is_answered || exchange->fault.text != NULL) {
		exchange->thrown_bytes += length;
		return exchange->thrown_bytes <= http->options.body_bytes_max * THROWN_AWAY_MAX ? MHD_YES : MHD_NO;
	}
	buffer_add(&exchange->body, upload, length);
	http->bodies_bytes += length;
	return MHD_YES;
}

static void dispatch(struct http_exchange *exchange)
{
	struct http *http = exchange->http;
	exchange->is_dispatched = true;
	exchange->socket->deadline_ms = INT64_MAX;
	exchange->socket->part_ms = INT64_MAX;
	exchange->next = http->exchanges;
	if (exchange->next != NULL)
		exchange->next->previous = exchange;
	http->exchanges = exchange;
	if (exchange->fault.text != NULL)
		refuse(exchange, &exchange->fault);
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
	(void)owner;
	if (exchange == NULL) /* a line without a target is no request */
		return MHD_NO;
	if (!exchange->has_head) {
		exchange->has_head = true;
		exchange->method = method;
		exchange->path = http_target_path(path);
		return take_head(exchange, version);
	}
	if (*upload_bytes > 0)
		return gather(exchange, upload, upload_bytes);
	if (!exchange->is_dispatched && !exchange->is_answered)
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
	struct http *http = owner;
	struct http_exchange *exchange = *request;
	(void)connection;
	(void)code;
	if (exchange == NULL)
		return;
	expect_request(http, exchange->socket);
	if (exchange->is_dispatched)
		forget(exchange);
	if (exchange->response != NULL)
		MHD_destroy_response(exchange->response);
	drop_body(exchange);
	http->streams_bytes -= exchange->stream.length_bytes;
	buffer_clear(&exchange->stream);
	free(exchange);
	*request = NULL;
}
