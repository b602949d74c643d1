/* One connection to RabbitMQ: opened by librabbitmq within limits, then written and read without waiting. */
#include "broker_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <amqp_framing.h>
#include <amqp_tcp_socket.h>

#include "clock.h"

enum {
	OPEN_TIMEOUT_S = 5, /* for connecting, for the handshake, for each question after it */
	CLOSE_TIMEOUT_MS = 1000,
	FRAME_MAX_BYTES = 131072,
	/*
	 * The broker adds headers to a message it delivers again and sends them in one frame, however long: a message
	 * whose headers filled a frame would then end every connection that gets it.
	 */
	READ_FACTOR = 2,
	OUTPUT_KEPT_BYTES = 64 * 1024, /* sent bytes are cut off the output beyond this */
	ADDRESS_MAX = 1024,
};

static const char *text_of(amqp_bytes_t bytes, char text[static 256])
{
	size_t length = bytes.len < 255 ? bytes.len : 255;
	if (length > 0)
		memcpy(text, bytes.bytes, length);
	text[length] = '\0';
	return text;
}

bool bytes_equal(amqp_bytes_t bytes, const char *text)
{
	size_t length = strlen(text);
	return bytes.len == length && (length == 0 || memcmp(bytes.bytes, text, length) == 0);
}

bool connection_failed(struct connection *connection, struct why *why, const char *format, ...)
{
	char text[WHY_TEXT_MAX];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	connection_drop(connection);
	return because(why, "connection", "%s", text);
}

/* "channel.close" or "connection.close" as text; false: it is another method. */
static bool describe_close(amqp_method_t method, struct why *why, const char *doing)
{
	char text[256];
	if (method.id == AMQP_CHANNEL_CLOSE_METHOD) {
		const amqp_channel_close_t *close = method.decoded;
		because(why, "refused", "%s: the broker closed the channel: %u %s", doing, close->reply_code,
			text_of(close->reply_text, text));
		return true;
	}
	if (method.id == AMQP_CONNECTION_CLOSE_METHOD) {
		const amqp_connection_close_t *close = method.decoded;
		bool is_ours =
			close->reply_code != AMQP_CONNECTION_FORCED && close->reply_code != AMQP_INTERNAL_ERROR;
		because(why, is_ours ? "refused" : "connection", "%s: the broker closed the connection: %u %s", doing,
			close->reply_code, text_of(close->reply_text, text));
		return true;
	}
	return false;
}

bool connection_succeeded(amqp_rpc_reply_t reply, const char *doing, struct why *why)
{
	switch (reply.reply_type) {
	case AMQP_RESPONSE_NORMAL:
		return true;
	case AMQP_RESPONSE_SERVER_EXCEPTION:
		if (describe_close(reply.reply, why, doing))
			return false;
		return because(why, "connection", "%s: unexpected answer 0x%08" PRIx32, doing, reply.reply.id);
	case AMQP_RESPONSE_LIBRARY_EXCEPTION:
		return because(why, "connection", "%s: %s", doing, amqp_error_string2(reply.library_error));
	case AMQP_RESPONSE_NONE:
		break;
	}
	return because(why, "connection", "%s: no answer", doing);
}

static bool open_socket(struct connection *connection, const struct amqp_connection_info *place,
	struct why *why)
{
	amqp_socket_t *socket = amqp_tcp_socket_new(connection->state);
	if (socket == NULL)
		abort();
	const struct timeval limit = { .tv_sec = OPEN_TIMEOUT_S };
	int status = amqp_socket_open_noblock(socket, place->host, place->port, &limit);
	if (status != AMQP_STATUS_OK)
		return because(why, "connection", "connecting to %s:%d: %s", place->host, place->port,
			amqp_error_string2(status));
	int fd = amqp_get_sockfd(connection->state);
	int one = 1;
	unsigned dead_after_ms = 2 * 1000 * BROKER_HEARTBEAT_S;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_after_ms, sizeof(dead_after_ms));
	return true;
}

static amqp_table_entry_t text_entry(const char *name, const char *text)
{
	return (amqp_table_entry_t){
		.key = amqp_cstring_bytes(name),
		.value = { .kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(text) },
	};
}

static amqp_table_entry_t true_entry(const char *name)
{
	return (amqp_table_entry_t){
		.key = amqp_cstring_bytes(name),
		.value = { .kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1 },
	};
}

/* The library merges these properties with its own. */
static bool log_in(struct connection *connection, const struct broker_address *address, const char *vhost,
	struct why *why)
{
	amqp_table_entry_t abilities[] = {
		true_entry("consumer_cancel_notify"),
		true_entry("connection.blocked"),
		true_entry("publisher_confirms"),
		true_entry("basic.nack"),
		true_entry("authentication_failure_close"),
	};
	amqp_table_entry_t entries[] = {
		text_entry("connection_name", address->connection_name),
		{
			.key = amqp_cstring_bytes("capabilities"),
			.value = {
				.kind = AMQP_FIELD_KIND_TABLE,
				.value.table = { .num_entries = sizeof(abilities) / sizeof(abilities[0]), .entries = abilities },
			},
		},
	};
	const amqp_table_t properties = { .num_entries = sizeof(entries) / sizeof(entries[0]),
		.entries = entries };
	const struct timeval limit = { .tv_sec = OPEN_TIMEOUT_S };
	amqp_set_handshake_timeout(connection->state, &limit);
	amqp_set_rpc_timeout(connection->state, &limit);
	amqp_rpc_reply_t reply = amqp_login_with_properties(connection->state, vhost, 0, FRAME_MAX_BYTES,
		BROKER_HEARTBEAT_S, &properties, AMQP_SASL_METHOD_PLAIN, address->user, address->password);
	return connection_succeeded(reply, "logging in", why);
}

/* From here on heartbeats are ours: the library forgets its own, the broker keeps to what was agreed. */
static bool take_over(struct connection *connection, struct why *why)
{
	amqp_connection_state_t state = connection->state;
	connection->frame_max_bytes = (size_t)amqp_get_frame_max(state);
	connection->heartbeat_ms = SECONDS(amqp_get_heartbeat(state));
	amqp_maybe_release_buffers(state);
	if (!amqp_release_buffers_ok(state))
		return because(why, "connection", "the broker sent half a frame during the handshake");
	int read_max_bytes = READ_FACTOR * amqp_get_frame_max(state);
	int status = amqp_tune_connection(state, amqp_get_channel_max(state), read_max_bytes, 0);
	if (status != AMQP_STATUS_OK)
		return because(why, "connection", "setting the heartbeat: %s", amqp_error_string2(status));
	connection->received_ms = clock_steady_ms();
	connection->written_ms = connection->received_ms;
	return true;
}

static bool open_at(struct connection *connection, const struct broker_address *address,
	const struct amqp_connection_info *place, struct why *why)
{
	if (!open_socket(connection, place, why) || !log_in(connection, address, place->vhost, why))
		return false;
	amqp_channel_open(connection->state, WIRE_CHANNEL);
	if (!connection_succeeded(amqp_get_rpc_reply(connection->state), "opening a channel", why))
		return false;
	return take_over(connection, why);
}

bool connection_open(struct connection *connection, const struct broker_address *address, struct why *why)
{
	char url[ADDRESS_MAX];
	struct amqp_connection_info place;
	amqp_default_connection_info(&place);
	if (snprintf(url, sizeof(url), "%s", address->url) >= (int)sizeof(url) || amqp_parse_url(url, &place) != 0
		|| place.ssl)
		return because(why, "refused", "\"%.100s\" is not of the form amqp://host:port/vhost", address->url);
	connection_drop(connection);
	connection->state = amqp_new_connection();
	if (connection->state == NULL)
		abort();
	if (open_at(connection, address, &place, why))
		return true;
	connection_drop(connection);
	return false;
}

void connection_drop(struct connection *connection)
{
	if (connection->state != NULL)
		amqp_destroy_connection(connection->state);
	connection->state = NULL;
	connection->sent_bytes = 0;
	connection->is_stalled = false;
	buffer_reset(&connection->output);
}

void connection_clear(struct connection *connection)
{
	connection_drop(connection);
	buffer_clear(&connection->output);
}

/* Waits until everything is sent, CLOSE_TIMEOUT_MS at most. */
static bool drain(struct connection *connection, struct why *why)
{
	int64_t deadline_ms = clock_steady_ms() + CLOSE_TIMEOUT_MS;
	while (connection_flush(connection, why)) {
		if (connection_unsent_bytes(connection) == 0)
			return true;
		int64_t left_ms = deadline_ms - clock_steady_ms();
		if (left_ms <= 0)
			return false;
		struct pollfd poller = { .fd = connection_socket(connection), .events = POLLOUT };
		if (poll(&poller, 1, (int)left_ms) < 0 && errno != EINTR)
			return false;
	}
	return false;
}

void connection_close(struct connection *connection)
{
	struct why why;
	if (connection->state != NULL && drain(connection, &why)) {
		const struct timeval limit = { .tv_usec = CLOSE_TIMEOUT_MS * 1000 % 1000000,
			.tv_sec = CLOSE_TIMEOUT_MS / 1000 };
		amqp_set_rpc_timeout(connection->state, &limit);
		amqp_connection_close(connection->state, AMQP_REPLY_SUCCESS);
	}
	connection_drop(connection);
}

bool connection_is_open(const struct connection *connection)
{
	return connection->state != NULL;
}

int connection_socket(const struct connection *connection)
{
	return connection->state == NULL ? -1 : amqp_get_sockfd(connection->state);
}

size_t connection_unsent_bytes(const struct connection *connection)
{
	return connection->output.length_bytes - connection->sent_bytes;
}

bool connection_wants_write(const struct connection *connection)
{
	return connection->state != NULL && connection_unsent_bytes(connection) > 0;
}

bool connection_has_pending(const struct connection *connection)
{
	if (connection->state == NULL)
		return false;
	if (connection_unsent_bytes(connection) > 0 && !connection->is_stalled)
		return true;
	return amqp_frames_enqueued(connection->state) || amqp_data_in_buffer(connection->state);
}

/* Forgets what was sent: all of it, or a front that has grown large. */
static void cut_output(struct connection *connection)
{
	struct buffer *output = &connection->output;
	if (connection_unsent_bytes(connection) == 0) {
		buffer_reset(output);
		connection->sent_bytes = 0;
	} else if (connection->sent_bytes > OUTPUT_KEPT_BYTES) {
		output->length_bytes -= connection->sent_bytes;
		memmove(output->data, output->data + connection->sent_bytes, output->length_bytes + 1);
		connection->sent_bytes = 0;
	}
}

bool connection_flush(struct connection *connection, struct why *why)
{
	if (connection->state == NULL)
		return because(why, "connection", "the connection is closed");
	int fd = connection_socket(connection);
	connection->is_stalled = false;
	while (connection_unsent_bytes(connection) > 0 && !connection->is_stalled) {
		ssize_t sent = send(fd, connection->output.data + connection->sent_bytes,
			connection_unsent_bytes(connection), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent > 0) {
			connection->sent_bytes += (size_t)sent;
			connection->written_ms = clock_steady_ms();
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			connection->is_stalled = true;
		} else if (errno != EINTR) {
			return connection_failed(connection, why, "sending: %s", strerror(errno));
		}
	}
	cut_output(connection);
	return true;
}

bool connection_beat(struct connection *connection, struct why *why)
{
	if (connection->state == NULL)
		return because(why, "connection", "the connection is closed");
	int64_t now_ms = clock_steady_ms();
	int waiting_bytes = 0;
	if (ioctl(connection_socket(connection), FIONREAD, &waiting_bytes) == 0 && waiting_bytes > 0)
		connection->received_ms = now_ms;
	if (connection->heartbeat_ms == 0)
		return true;
	if (now_ms - connection->received_ms > 2 * connection->heartbeat_ms)
		return connection_failed(connection, why, "nothing heard from the broker for %" PRId64 " ms",
			now_ms - connection->received_ms);
	if (now_ms - connection->written_ms >= connection->heartbeat_ms / 3
		&& connection_unsent_bytes(connection) == 0)
		wire_heartbeat(&connection->output);
	return true;
}

static enum reading reading_failed(struct connection *connection, int status, struct why *why)
{
	bool is_malformed = status == AMQP_STATUS_BAD_AMQP_DATA || status == AMQP_STATUS_UNKNOWN_METHOD
		|| status == AMQP_STATUS_UNKNOWN_CLASS || status == AMQP_STATUS_TABLE_TOO_BIG;
	connection_drop(connection);
	because(why, is_malformed ? "malformed" : "connection", "reading from the broker: %s",
		amqp_error_string2(status));
	return READING_FAILED;
}

enum reading connection_read(struct connection *connection, amqp_frame_t *frame, struct why *why)
{
	const struct timeval at_once = { 0 };
	amqp_maybe_release_buffers(connection->state);
	int status = amqp_simple_wait_frame_noblock(connection->state, frame, &at_once);
	if (status == AMQP_STATUS_TIMEOUT)
		return READING_NOTHING;
	if (status != AMQP_STATUS_OK)
		return reading_failed(connection, status, why);
	if (frame->frame_type != AMQP_FRAME_METHOD || !describe_close(frame->payload.method, why, "serving"))
		return READING_FRAME;
	if (frame->payload.method.id == AMQP_CONNECTION_CLOSE_METHOD
		&& connection_unsent_bytes(connection) == 0) {
		struct why ignored;
		wire_connection_close_ok(&connection->output);
		connection_flush(connection, &ignored);
	}
	char text[WHY_TEXT_MAX];
	snprintf(text, sizeof(text), "%s", why->text);
	connection_failed(connection, why, "%s", text);
	return READING_FAILED;
}
