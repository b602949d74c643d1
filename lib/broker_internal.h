/* What consumer and publisher share: one connection with one channel, read and written without waiting. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <amqp.h>

#include "broker.h"
#include "broker_wire.h"
#include "buffer.h"

/*
 * librabbitmq opens the connection, reads and decodes. Everything sent after the handshake goes through `output`, and
 * the heartbeats are ours: the library's would wait for the socket, and would land inside a half-written frame.
 */
struct connection {
	amqp_connection_state_t state; /* NULL while closed */
	struct buffer output;          /* frames to send; the first `sent_bytes` are gone already */
	size_t sent_bytes;
	size_t frame_max_bytes;
	int64_t heartbeat_ms; /* as negotiated; 0 = none */
	int64_t received_ms;  /* when bytes last came, and last went, on the steady clock */
	int64_t written_ms;
	bool is_stalled; /* the socket took no more; poll for writing */
};

/* Connects, logs in, opens the channel. Bounded by OPEN_TIMEOUT_S for each step. */
bool connection_open(struct connection *connection, const struct broker_address *address, struct why *why);

/* Orderly when everything unsent still goes out at once and the broker answers within a second; else like drop. */
void connection_close(struct connection *connection);
void connection_drop(struct connection *connection);
void connection_clear(struct connection *connection); /* drops, and gives the output's memory back */

bool connection_is_open(const struct connection *connection);
int connection_socket(const struct connection *connection);
bool connection_has_pending(const struct connection *connection);
bool connection_wants_write(const struct connection *connection);
size_t connection_unsent_bytes(const struct connection *connection);

/* Each of the following drops the connection when it returns false. */

/* Writes what the socket takes. */
bool connection_flush(struct connection *connection, struct why *why);

/* To be called once before a round of reads: notes whether the peer is alive, sends our heartbeat when it is due. */
bool connection_beat(struct connection *connection, struct why *why);

enum reading { READING_FRAME, READING_NOTHING, READING_FAILED };

/* The next frame, its contents valid until the next call. Closes by the broker, of channel or connection, are a failure. */
enum reading connection_read(struct connection *connection, amqp_frame_t *frame, struct why *why);

/* Sets `why` from the answer to a call of the library; true when it is a normal one. Drops nothing. */
bool connection_succeeded(amqp_rpc_reply_t reply, const char *doing, struct why *why);

bool bytes_equal(amqp_bytes_t bytes, const char *text);

/* One block for a message: its texts copied, room for its body at `*body`, a NUL behind that. */
struct delivery *delivery_new(const amqp_basic_properties_t *properties, const char *exchange,
	const char *routing_key, size_t body_bytes, char **body);

/* The questions of a consumer that opens. None drops the connection; a refusal leaves no channel to go on with. */
bool connection_set_prefetch(struct connection *connection, uint16_t prefetch, struct why *why);
bool connection_check_queue(struct connection *connection, const char *queue, struct why *why);
bool connection_declare_own(struct connection *connection, const char *queue,
	const struct consumer_binding bindings[], struct why *why);
bool connection_consume(struct connection *connection, const char *queue, const char *tag, struct why *why);

/* Drops the connection, sets `why` (reason "connection"), returns false. */
bool connection_failed(struct connection *connection, struct why *why, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
