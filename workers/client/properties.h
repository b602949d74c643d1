/* PURE. A message's properties as bytes (AMQP 0-9-1, section 4.2.6.1), taken apart, shown, and written for a second sending. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "buffer.h"
#include "scan.h"

/* In their order on the wire. */
enum property {
	PROPERTY_CONTENT_TYPE,
	PROPERTY_CONTENT_ENCODING,
	PROPERTY_HEADERS,
	PROPERTY_DELIVERY_MODE,
	PROPERTY_PRIORITY,
	PROPERTY_CORRELATION_ID,
	PROPERTY_REPLY_TO,
	PROPERTY_EXPIRATION,
	PROPERTY_MESSAGE_ID,
	PROPERTY_TIMESTAMP,
	PROPERTY_TYPE,
	PROPERTY_USER_ID,
	PROPERTY_APP_ID,
	PROPERTY_CLUSTER_ID,
	PROPERTY_COUNT,
};

enum property_kind { PROPERTY_IS_SHORT_TEXT, PROPERTY_IS_TABLE, PROPERTY_IS_OCTET, PROPERTY_IS_TIMESTAMP };

struct property_form {
	const char *name;
	enum property_kind kind;
};

extern const struct property_form property_forms[PROPERTY_COUNT];

/* Values without their lengths; those that are absent have no bytes. */
struct properties {
	struct slice values[PROPERTY_COUNT];
};

/* Borrows from `bytes`. False: they are cut, or not of this form. */
bool properties_read(struct slice bytes, struct properties *properties);

/* {"message_id": ..., "headers": {...}, ...}. What is no UTF-8 becomes {"base64": ...}. NULL: the headers can't be read. */
json_t *properties_json(const struct properties *properties);

/*
 * The properties for sending a parked message to its queue again: all as they are, but
 * - without user_id, which the broker checks against who publishes; the first sender stays in the header `sender`;
 * - without what parking added (reason, detail, attempts) and what the broker added (x-death, x-delivery-count, ...);
 * - without CC and BCC, which would send it to other queues as well;
 * - without a header that has no name: no worker of ours could read the message;
 * - with `type` (may be NULL) where they have none, for the routing key no longer says it.
 * False: the headers can't be read.
 */
bool properties_write_again(const struct properties *properties, const char *type, struct buffer *out);

/* A text, or an object with its base64 when it is no UTF-8. */
json_t *properties_text(struct slice text);
json_t *properties_base64(struct slice bytes);
