/* No network and no handshake: librabbitmq is given one end of a pair of sockets. */
#include "peer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <amqp_tcp_socket.h>

#include "broker_internal.h"
#include "clock.h"

enum { FRAME_END = 0xCE, FRAME_MAX_BYTES = 131072 };

bool __wrap_connection_open(struct connection *connection, const struct broker_address *address,
	struct why *why);

static const struct buffer *words; /* that every connection is greeted with */
static int peer = -1;              /* our end of the last connection */

size_t frame_begin(struct buffer *out, unsigned type)
{
	buffer_add_byte(out, (unsigned char)type);
	buffer_add_u16(out, WIRE_CHANNEL);
	size_t mark = out->length_bytes;
	buffer_add_u32(out, 0);
	return mark;
}

size_t method_begin(struct buffer *out, unsigned class_id, unsigned method_id)
{
	size_t mark = frame_begin(out, METHOD);
	buffer_add_u16(out, (uint16_t)class_id);
	buffer_add_u16(out, (uint16_t)method_id);
	return mark;
}

void frame_end(struct buffer *out, size_t mark)
{
	buffer_set_u32(out, mark, (uint32_t)(out->length_bytes - mark - sizeof(uint32_t)));
	buffer_add_byte(out, FRAME_END);
}

void add_frame(struct buffer *out, unsigned type, const void *bytes, size_t length)
{
	size_t mark = frame_begin(out, type);
	buffer_add(out, bytes, length);
	frame_end(out, mark);
}

void add_method(struct buffer *out, unsigned class_id, unsigned method_id)
{
	frame_end(out, method_begin(out, class_id, method_id));
}

void add_header(struct buffer *out, uint64_t body_bytes)
{
	size_t mark = frame_begin(out, HEADER);
	buffer_add_u16(out, CLASS_BASIC);
	buffer_add_u16(out, 0);
	buffer_add_u64(out, body_bytes);
	buffer_add_u16(out, 0);
	frame_end(out, mark);
}

void add_short_text(struct buffer *out, const char *text)
{
	buffer_add_byte(out, (unsigned char)strlen(text));
	buffer_add_text(out, text);
}

static void say(const void *bytes, size_t length)
{
	if (length > 0 && send(peer, bytes, length, MSG_NOSIGNAL) != (ssize_t)length)
		abort();
}

void peer_greet(const struct buffer *greeting)
{
	words = greeting;
}

void peer_say(const void *bytes, size_t length)
{
	say(bytes, length);
	shutdown(peer, SHUT_WR);
}

/* In place of lib/broker.c's. */
bool __wrap_connection_open(struct connection *connection, const struct broker_address *address,
	struct why *why)
{
	int ends[2];
	(void)address;
	(void)why;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
		abort();
	if (peer >= 0)
		close(peer);
	peer = ends[1];
	say(words->data, words->length_bytes);
	connection->state = amqp_new_connection();
	amqp_socket_t *socket = amqp_tcp_socket_new(connection->state);
	if (socket == NULL)
		abort();
	amqp_tcp_socket_set_sockfd(socket, ends[0]);
	connection->frame_max_bytes = FRAME_MAX_BYTES;
	connection->heartbeat_ms = 0;
	connection->received_ms = connection->written_ms = clock_steady_ms();
	return true;
}
