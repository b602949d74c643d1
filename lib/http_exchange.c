/* What an owner sees of an exchange: the request's parts, and the answer, whole or as a stream. */
#include "http_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum {
	STREAM_BLOCK_BYTES = 16 * 1024,
	STREAM_KEPT_BYTES = 16 * 1024, /* of a buffer's memory, once it is empty */
	STREAM_SOCKET_BYTES =
		64 * 1024, /* of the kernel's, which would keep megabytes for a reader who does not read */
};

const char *http_method(const struct http_exchange *exchange)
{
	return exchange->method;
}

const char *http_path(const struct http_exchange *exchange)
{
	return exchange->path;
}

const char *http_header(const struct http_exchange *exchange, const char *name)
{
	return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

/* The search for the nth header of a name. */
struct nth {
	const char *name, *value;
	unsigned left;
};

static enum MHD_Result count_header(void *owner, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct nth *nth = owner;
	(void)kind;
	if (strcasecmp(name, nth->name) != 0 || nth->left-- > 0)
		return MHD_YES;
	nth->value = value;
	return MHD_NO;
}

const char *http_nth_header(const struct http_exchange *exchange, const char *name, unsigned number)
{
	struct nth nth = { .name = name, .left = number };
	MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, count_header, &nth);
	return nth.value;
}

const char *http_parameter(const struct http_exchange *exchange, const char *name)
{
	return MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *http_body(const struct http_exchange *exchange, size_t *bytes)
{
	*bytes = exchange->body.length_bytes;
	return buffer_text(&exchange->body);
}

/* The search for a parameter that is not in a list. */
struct search {
	const char *const *names;
	const char *unknown;
};

static enum MHD_Result look_at(void *owner, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct search *search = owner;
	(void)kind;
	(void)value;
	for (const char *const *known = search->names; *known != NULL; known++)
		if (strcmp(*known, name) == 0)
			return MHD_YES;
	search->unknown = name;
	return MHD_NO;
}

const char *http_unknown_parameter(const struct http_exchange *exchange, const char *const names[])
{
	struct search search = { .names = names };
	MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND, look_at, &search);
	return search.unknown;
}

void http_set_data(struct http_exchange *exchange, void *data)
{
	exchange->data = data;
}

void *http_data(const struct http_exchange *exchange)
{
	return exchange->data;
}

static void add_headers(struct MHD_Response *response, const struct http_answer *answer)
{
	if (answer->content_type != NULL)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
	for (size_t i = 0; i < HTTP_HEADERS_MAX && answer->headers[i].name != NULL; i++)
		MHD_add_response_header(response, answer->headers[i].name, answer->headers[i].value);
}

/* Ends the wait; the library then asks again. */
static void wake(struct http_exchange *exchange)
{
	if (!exchange->is_suspended)
		return;
	exchange->is_suspended = false;
	exchange->http->has_pending = true;
	MHD_resume_connection(exchange->connection);
}

static void set_response(struct http_exchange *exchange, struct MHD_Response *response,
	const struct http_answer *answer)
{
	if (response == NULL)
		abort();
	assert(!exchange->is_answered);
	exchange->is_answered = true;
	add_headers(response, answer);
	exchange->response = response;
	exchange->status = answer->status;
	wake(exchange);
}

void http_answer(struct http_exchange *exchange, const struct http_answer *answer)
{
	/* the library copies, though its prototype says void *; memory is only read */
	union {
		const char *text;
		void *memory;
	} source = { .text = answer->body };
	enum MHD_ResponseMemoryMode mode = answer->is_static ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY;
	set_response(exchange, MHD_create_response_from_buffer(answer->body_bytes, source.memory, mode), answer);
}

/* Called by the library when the client can take more. */
static ssize_t read_stream(void *owner, uint64_t position, char *out, size_t most)
{
	struct http_exchange *exchange = owner;
	size_t waiting = exchange->stream.length_bytes;
	(void)position;
	if (waiting == 0 && exchange->is_ended)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (waiting == 0) {
		MHD_suspend_connection(exchange->connection);
		exchange->is_suspended = true;
		return 0;
	}
	if (waiting > most)
		waiting = most;
	memcpy(out, exchange->stream.data, waiting);
	buffer_remove(&exchange->stream, waiting);
	exchange->http->streams_bytes -= waiting;
	if (exchange->stream.length_bytes == 0 && exchange->stream.capacity_bytes > STREAM_KEPT_BYTES)
		buffer_clear(&exchange->stream);
	return (ssize_t)waiting;
}

void http_stream(struct http_exchange *exchange, const struct http_answer *answer)
{
	int socket_bytes = STREAM_SOCKET_BYTES;
	exchange->is_stream = true;
	setsockopt(exchange->socket->socket, SOL_SOCKET, SO_SNDBUF, &socket_bytes, sizeof(socket_bytes));
	set_response(exchange,
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, read_stream, exchange, NULL),
		answer);
}

void http_stream_cut(struct http_exchange *exchange)
{
	exchange->is_ended = true;
	shutdown(exchange->socket->socket, SHUT_RDWR);
	wake(exchange);
}

/* When all streams together hold too much, it is those that do not read who have to go. */
static bool has_room(const struct http_exchange *exchange, size_t length)
{
	size_t waiting = exchange->stream.length_bytes;
	if (waiting + length > HTTP_STREAM_BYTES_MAX)
		return false;
	return waiting == 0
		|| exchange->http->streams_bytes + length <= exchange->http->options.streams_bytes_max;
}

bool http_stream_add(struct http_exchange *exchange, const char *bytes, size_t length)
{
	if (exchange->is_ended)
		return false;
	if (!has_room(exchange, length)) {
		http_stream_cut(exchange);
		return false;
	}
	buffer_add(&exchange->stream, bytes, length);
	exchange->http->streams_bytes += length;
	wake(exchange);
	return true;
}

void http_stream_end(struct http_exchange *exchange)
{
	exchange->is_ended = true;
	wake(exchange);
}
