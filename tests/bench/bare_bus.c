/* The broker's side of the bare loop: one connection to consume, one to publish with confirms. */
#include "bare.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>

enum {
	CHANNEL = 1,
	PREFETCH = 4 * BARE_BATCH,
	CONNECT_S = 5,
	FRAME_MAX = 131072,
	WINDOW = 1024,
	HEADERS = 2
};

static amqp_connection_state_t consumer, publisher;
static uint64_t next_sequence = 1, confirmed; /* all up to `confirmed` are */
static bool is_confirmed[WINDOW];

static amqp_bytes_t bytes(const char *text)
{
	union { /* the library takes what it only reads as void * */
		const char *in;
		void *out;
	} borrowed = { .in = text };
	return (amqp_bytes_t){ .len = strlen(text), .bytes = borrowed.out };
}

static void check_reply(amqp_rpc_reply_t reply, const char *what)
{
	if (reply.reply_type != AMQP_RESPONSE_NORMAL)
		fail("%s failed (%d)", what, (int)reply.reply_type);
}

static amqp_connection_state_t connect_broker(void)
{
	char url[256];
	struct amqp_connection_info where;
	if ((size_t)snprintf(url, sizeof(url), "%s", setting("AMQP_URL")) >= sizeof(url)
		|| amqp_parse_url(url, &where) != AMQP_STATUS_OK)
		fail("AMQP_URL is not a URL");
	amqp_connection_state_t connection = amqp_new_connection();
	amqp_socket_t *socket = amqp_tcp_socket_new(connection);
	if (socket == NULL
		|| amqp_socket_open_noblock(socket, where.host, where.port, &(struct timeval){ .tv_sec = CONNECT_S })
			!= AMQP_STATUS_OK)
		fail("no broker at %s", setting("AMQP_URL"));
	check_reply(amqp_login(connection, where.vhost, 0, FRAME_MAX, 0, AMQP_SASL_METHOD_PLAIN,
					setting("AMQP_USER"), setting("AMQP_PASSWORD")),
		"logging in");
	amqp_channel_open(connection, CHANNEL);
	check_reply(amqp_get_rpc_reply(connection), "opening a channel");
	return connection;
}

void bare_connect_broker(void)
{
	publisher = connect_broker();
	amqp_confirm_select(publisher, CHANNEL);
	check_reply(amqp_get_rpc_reply(publisher), "asking for confirms");
	consumer = connect_broker();
	amqp_basic_qos(consumer, CHANNEL, 0, PREFETCH, 0);
	check_reply(amqp_get_rpc_reply(consumer), "setting the prefetch");
	amqp_basic_consume(consumer, CHANNEL, bytes("bloodbank"), bytes("bare-loop"), 0, 0, 0, amqp_empty_table);
	check_reply(amqp_get_rpc_reply(consumer), "consuming");
}

static bool has_input(amqp_connection_state_t connection)
{
	return amqp_frames_enqueued(connection) || amqp_data_in_buffer(connection);
}

/* Until one of the connections has something to read, or for `wait_ms`. */
static void wait_for_input(int wait_ms)
{
	if (has_input(consumer) || has_input(publisher))
		return;
	struct pollfd sockets[] = {
		{ .fd = amqp_get_sockfd(consumer), .events = POLLIN },
		{ .fd = amqp_get_sockfd(publisher), .events = POLLIN },
	};
	poll(sockets, 2, wait_ms);
}

static void copy_bytes(char out[BARE_ID_BYTES], amqp_bytes_t value, const char *what)
{
	if (value.len == 0 || value.len >= BARE_ID_BYTES)
		fail("a request without a usable %s", what);
	memcpy(out, value.bytes, value.len);
	out[value.len] = '\0';
}

static void take_envelope(const struct bare_facilities *facilities, struct bare_batch *batch,
	const amqp_envelope_t *envelope)
{
	struct bare_request *request = &batch->requests[batch->count++];
	const amqp_basic_properties_t *properties = &envelope->message.properties;
	char message_id[BARE_ID_BYTES];
	*request = (struct bare_request){ .tag = envelope->delivery_tag };
	copy_bytes(message_id, properties->message_id, "message id");
	if (!uuid_canonical(message_id, request->message_id))
		fail("message id %s is not a uuid", message_id);
	copy_bytes(request->correlation_id, properties->correlation_id, "correlation id");
	bare_read(facilities, batch, request, envelope->message.body.bytes, envelope->message.body.len);
}

bool bare_receive(const struct bare_facilities *facilities, struct bare_batch *batch, int wait_ms)
{
	amqp_envelope_t envelope;
	if (wait_ms > 0)
		wait_for_input(wait_ms);
	amqp_maybe_release_buffers(consumer);
	amqp_rpc_reply_t reply = amqp_consume_message(consumer, &envelope, &(struct timeval){ 0 }, 0);
	if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION && reply.library_error == AMQP_STATUS_TIMEOUT)
		return false;
	check_reply(reply, "consuming");
	take_envelope(facilities, batch, &envelope);
	amqp_destroy_envelope(&envelope);
	return true;
}

static amqp_table_entry_t header_text(const char *name, const char *text)
{
	return (amqp_table_entry_t){ .key = bytes(name),
		.value = { .kind = AMQP_FIELD_KIND_UTF8, .value.bytes = bytes(text) } };
}

static amqp_table_entry_t header_number(const char *name, int64_t value)
{
	return (amqp_table_entry_t){ .key = bytes(name),
		.value = { .kind = AMQP_FIELD_KIND_I64, .value.i64 = value } };
}

static void publish_one(const struct bare_output *output, int64_t now)
{
	amqp_table_entry_t entries[HEADERS] = { header_text("causation_id", output->cause_id),
		header_number("schema_version", 1) };
	amqp_basic_properties_t properties = {
		._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG
			| AMQP_BASIC_CORRELATION_ID_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TIMESTAMP_FLAG
			| AMQP_BASIC_TYPE_FLAG | AMQP_BASIC_USER_ID_FLAG | AMQP_BASIC_APP_ID_FLAG,
		.content_type = bytes("application/json"),
		.headers = { .num_entries = HEADERS, .entries = entries },
		.delivery_mode = AMQP_DELIVERY_PERSISTENT,
		.correlation_id = bytes(output->correlation_id),
		.message_id = bytes(output->message_id),
		.timestamp = (uint64_t)(now / 1000000),
		.type = bytes(output->type),
		.user_id = bytes(setting("AMQP_USER")),
		.app_id = bytes("bloodbank"),
	};
	int status = amqp_basic_publish(publisher, CHANNEL, bytes("bloodbank"), bytes(output->routing_key),
		output->is_mandatory, 0, &properties, bytes(output->body));
	if (status != AMQP_STATUS_OK)
		fail("publishing failed: %s", amqp_error_string2(status));
}

void bare_publish(const struct bare_batch *batch, struct bare_flight *flight)
{
	flight->sent_count = 0;
	for (size_t i = 0; i < batch->outputs_count; i++) {
		const struct bare_output *output = &batch->outputs[i];
		if (!output->is_view) {
			is_confirmed[next_sequence++ % WINDOW] = false;
			publish_one(output, batch->now);
		}
		struct bare_sent *sent = &flight->sent[flight->sent_count++];
		memcpy(sent->cause_id, output->cause_id, UUID_TEXT_BYTES);
		sent->ordinal = output->ordinal;
	}
	flight->last_sequence = next_sequence - 1;
	flight->last_tag = batch->requests[batch->count - 1].tag;
}

static void take_confirm(const amqp_basic_ack_t *ack)
{
	if (ack->multiple)
		for (uint64_t sequence = confirmed + 1; sequence < ack->delivery_tag; sequence++)
			is_confirmed[sequence % WINDOW] = true;
	is_confirmed[ack->delivery_tag % WINDOW] = true;
	while (confirmed + 1 < next_sequence && is_confirmed[(confirmed + 1) % WINDOW])
		confirmed++;
}

uint64_t bare_confirmed(void)
{
	amqp_frame_t frame;
	int status;
	amqp_maybe_release_buffers(publisher);
	while ((status = amqp_simple_wait_frame_noblock(publisher, &frame, &(struct timeval){ 0 }))
		== AMQP_STATUS_OK) {
		if (frame.frame_type != AMQP_FRAME_METHOD || frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
			fail("the broker answered a publish with something else than a confirm");
		take_confirm(frame.payload.method.decoded);
	}
	if (status != AMQP_STATUS_TIMEOUT)
		fail("waiting for confirms: %s", amqp_error_string2(status));
	return confirmed;
}

void bare_wait_for_confirms(int wait_ms)
{
	struct pollfd socket = { .fd = amqp_get_sockfd(publisher), .events = POLLIN };
	if (!has_input(publisher))
		poll(&socket, 1, wait_ms);
}

void bare_acknowledge(uint64_t tag)
{
	int status = amqp_basic_ack(consumer, CHANNEL, tag, 1);
	if (status != AMQP_STATUS_OK)
		fail("acknowledging failed: %s", amqp_error_string2(status));
}
