/* Redis over hiredis: blocking and bounded while it opens, non-blocking from then on. */
#include "keyvalue.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"

enum {
	OPEN_TIMEOUT_US = 500000, /* for the connect, and again for the login */
	HOST_BYTES_MAX = 256,
	PORT_MAX = 65535,
	INPUT_BYTES = 64 * 1024, /* read at once: as much as Redis writes at once */
	SLICE_BYTES = 4 * 1024,  /* of it given to hiredis at once */
	ANSWER_TIMEOUT_MS = 500, /* a cache that answers later is away: in the end batches wait for it */
};

/* A put or a get that was queued and is not answered yet. */
struct waiting {
	void *token;
	int64_t deadline_ms;
	bool is_get;
};

/* Who hears of the answers. */
struct listener {
	view_stored_fn *stored;
	view_read_fn *read;
	void *owner;
};

struct keyvalue {
	const char *url, *user, *password;       /* borrowed */
	redisContext *context;                   /* NULL while closed */
	struct waiting waiting[KEYVALUE_WINDOW]; /* a ring, in the order of the questions */
	size_t first, count;
	size_t lost_count;   /* the oldest of them whose connection is gone: reported by the next serve */
	size_t queued_count; /* the newest of them, of which nothing was sent yet */
	bool has_unsent;     /* bytes that the socket did not take yet */
	char input[INPUT_BYTES];
};

struct address {
	char host[HOST_BYTES_MAX];
	int port;
};

/* redis://host:port, with an optional slash at the end. */
static bool parse_url(const char *url, struct address *address)
{
	static const char scheme[] = "redis://";
	if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
		return false;
	url += sizeof(scheme) - 1;
	size_t host_length = strcspn(url, ":/@");
	if (url[host_length] != ':' || host_length == 0 || host_length >= HOST_BYTES_MAX)
		return false;
	memcpy(address->host, url, host_length);
	address->host[host_length] = '\0';
	char *end;
	long port = strtol(url + host_length + 1, &end, 10);
	if (port < 1 || port > PORT_MAX || strcmp(end + (*end == '/'), "") != 0)
		return false;
	address->port = (int)port;
	return true;
}

static bool connect_bounded(struct keyvalue *store, const struct address *address, struct why *why)
{
	const struct timeval timeout = { .tv_usec = OPEN_TIMEOUT_US };
	store->context = redisConnectWithTimeout(address->host, address->port, timeout);
	if (store->context == NULL)
		abort();
	if (store->context->err != 0)
		return because(why, "connection", "redis at %s:%d: %s", address->host, address->port,
			store->context->errstr);
	if (redisSetTimeout(store->context, timeout) != REDIS_OK)
		return because(why, "connection", "redis: %s", store->context->errstr);
	return true;
}

/* AUTH where there is a password, PING to hear that the server answers us. */
static bool log_in(struct keyvalue *store, struct why *why)
{
	const char *login[] = { "AUTH", store->user, store->password };
	const char *ping[] = { "PING" };
	bool has_login = store->password != NULL && store->password[0] != '\0';
	redisReply *reply = has_login ? redisCommandArgv(store->context, 3, login, NULL)
								  : redisCommandArgv(store->context, 1, ping, NULL);
	bool is_good = reply != NULL && reply->type == REDIS_REPLY_STATUS;
	if (reply == NULL)
		because(why, "connection", "redis does not answer: %s", store->context->errstr);
	else if (!is_good)
		because(why, "login", "redis refuses user %s: %s", store->user, reply->str == NULL ? "" : reply->str);
	freeReplyObject(reply);
	return is_good;
}

static bool stop_blocking(struct keyvalue *store, struct why *why)
{
	int flags = fcntl(store->context->fd, F_GETFL);
	if (flags < 0 || fcntl(store->context->fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return because(why, "connection", "redis: fcntl: %s", strerror(errno));
	store->context->flags &= ~REDIS_BLOCK;
	return true;
}

static struct waiting take_first(struct keyvalue *store)
{
	struct waiting waiting = store->waiting[store->first];
	store->first = (store->first + 1) % KEYVALUE_WINDOW;
	store->count--;
	return waiting;
}

static bool send_queued(struct keyvalue *store, struct why *why)
{
	int is_done = 0;
	if (!store->has_unsent)
		return true;
	if (redisBufferWrite(store->context, &is_done) != REDIS_OK)
		return because(why, "connection", "redis: cannot send: %s", store->context->errstr);
	store->has_unsent = !is_done;
	store->queued_count = 0;
	return true;
}

static bool take_stored(const redisReply *reply, const struct waiting *waiting,
	const struct listener *listener, struct why *why)
{
	if (reply->type != REDIS_REPLY_INTEGER)
		return because(why, "answer", "redis: view_put answered with type %d", reply->type);
	listener->stored(listener->owner, waiting->token, true);
	return true;
}

/* Version and body; both are nil where there is no view. */
static bool take_view(const redisReply *reply, const struct waiting *waiting, const struct listener *listener,
	struct why *why)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
		return because(why, "answer", "redis: HMGET answered with type %d", reply->type);
	const redisReply *version = reply->element[0], *body = reply->element[1];
	assert(listener->read != NULL);
	if (version->type != REDIS_REPLY_STRING || body->type != REDIS_REPLY_STRING)
		listener->read(listener->owner, waiting->token, true, 0, NULL, 0);
	else
		listener->read(listener->owner, waiting->token, true, strtoll(version->str, NULL, 10), body->str,
			body->len);
	return true;
}

/*
 * An error answer (no such function, no memory, read-only) would come for every put: it counts as a
 * failure of the connection, which reports what it was the answer to.
 */
static bool take_answer(struct keyvalue *store, const redisReply *reply, const struct listener *listener,
	struct why *why)
{
	if (store->count == 0)
		return because(why, "connection", "redis: an answer that nobody asked for");
	if (reply->type == REDIS_REPLY_ERROR)
		return because(why, "answer", "redis: %s", reply->str);
	const struct waiting *waiting = &store->waiting[store->first];
	if (waiting->is_get ? !take_view(reply, waiting, listener, why)
						: !take_stored(reply, waiting, listener, why))
		return false;
	take_first(store);
	return true;
}

/* One read; hiredis would take 16 KiB at a time. */
static bool receive(struct keyvalue *store, size_t *received, struct why *why)
{
	ssize_t got = recv(store->context->fd, store->input, sizeof(store->input), MSG_DONTWAIT);
	*received = got < 0 ? 0 : (size_t)got;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (got < 0)
		return because(why, "connection", "redis: cannot receive: %s", strerror(errno));
	if (got == 0)
		return because(why, "connection", "redis: cannot receive: the server closed the connection");
	return true;
}

/* Those that are whole. */
static bool take_answers(struct keyvalue *store, const struct listener *listener, struct why *why)
{
	for (;;) {
		void *reply = NULL;
		if (redisGetReplyFromReader(store->context, &reply) != REDIS_OK)
			return because(why, "connection", "redis: %s", store->context->errstr);
		if (reply == NULL)
			return true;
		bool is_good = take_answer(store, reply, listener, why);
		freeReplyObject(reply);
		if (!is_good)
			return false;
	}
}

/* By the slice: for each answer that hiredis takes out it moves all that it was fed and that is left. */
static bool receive_answers(struct keyvalue *store, const struct listener *listener, struct why *why)
{
	size_t received;
	if (!receive(store, &received, why))
		return false;
	for (size_t at = 0; at < received; at += SLICE_BYTES) {
		size_t length = received - at < SLICE_BYTES ? received - at : SLICE_BYTES;
		if (redisReaderFeed(store->context->reader, store->input + at, length) != REDIS_OK)
			return because(why, "connection", "redis: %s", store->context->reader->errstr);
		if (!take_answers(store, listener, why))
			return false;
	}
	return true;
}

/* No answer is looked for right after the first question is sent: the caller's poll tells when it is there. */
static bool exchange(struct keyvalue *store, const struct listener *listener, struct why *why)
{
	bool is_first = store->has_unsent && store->count == store->queued_count;
	if (!send_queued(store, why))
		return false;
	return is_first || receive_answers(store, listener, why);
}

static void report_lost(struct keyvalue *store, const struct listener *listener)
{
	for (; store->lost_count > 0; store->lost_count--) {
		struct waiting lost = take_first(store);
		if (lost.is_get)
			listener->read(listener->owner, lost.token, false, 0, NULL, 0);
		else
			listener->stored(listener->owner, lost.token, false);
	}
}

static bool check_deadline(const struct keyvalue *store, struct why *why)
{
	if (store->count == 0 || clock_steady_ms() < store->waiting[store->first].deadline_ms)
		return true;
	return because(why, "connection", "redis: no answer for %d ms", ANSWER_TIMEOUT_MS);
}

struct keyvalue *keyvalue_new(const char *url, const char *user, const char *password)
{
	struct keyvalue *store = calloc(1, sizeof(*store));
	if (store == NULL)
		abort();
	store->url = url;
	store->user = user == NULL || user[0] == '\0' ? "default" : user;
	store->password = password;
	return store;
}

void keyvalue_free(struct keyvalue *store)
{
	if (store == NULL)
		return;
	keyvalue_close(store);
	free(store);
}

bool keyvalue_open(struct keyvalue *store, struct why *why)
{
	struct address address;
	keyvalue_close(store);
	if (!parse_url(store->url, &address))
		return because(why, "url", "\"%s\" is no address: want redis://host:port", store->url);
	if (connect_bounded(store, &address, why) && log_in(store, why) && stop_blocking(store, why))
		return true;
	keyvalue_close(store);
	return false;
}

void keyvalue_close(struct keyvalue *store)
{
	redisFree(store->context);
	store->context = NULL;
	store->has_unsent = false;
	store->queued_count = 0;
	store->lost_count = store->count;
}

bool keyvalue_is_open(const struct keyvalue *store)
{
	return store->context != NULL;
}

static bool has_room(const struct keyvalue *store)
{
	return store->context != NULL && store->count < KEYVALUE_WINDOW;
}

static void queue_words(struct keyvalue *store, int count, const char *words[], const size_t lengths[],
	struct waiting waiting)
{
	if (redisAppendCommandArgv(store->context, count, words, lengths) != REDIS_OK)
		abort();
	waiting.deadline_ms = clock_steady_ms() + ANSWER_TIMEOUT_MS;
	store->waiting[(store->first + store->count) % KEYVALUE_WINDOW] = waiting;
	store->count++;
	store->queued_count++;
	store->has_unsent = true;
}

bool keyvalue_put(struct keyvalue *store, const char *key, int64_t version, const char *body,
	size_t body_bytes, void *token)
{
	if (!has_room(store))
		return false;
	char version_text[24], ttl_text[24];
	snprintf(version_text, sizeof(version_text), "%lld", (long long)version);
	snprintf(ttl_text, sizeof(ttl_text), "%d", VIEW_TTL_S);
	const char *words[] = { "FCALL", "view_put", "1", key, version_text, ttl_text, body };
	enum { WORDS = sizeof(words) / sizeof(words[0]) };
	size_t lengths[WORDS];
	for (size_t i = 0; i < WORDS; i++)
		lengths[i] = i == WORDS - 1 ? body_bytes : strlen(words[i]);
	queue_words(store, WORDS, words, lengths, (struct waiting){ .token = token });
	return true;
}

bool keyvalue_get(struct keyvalue *store, const char *key, void *token)
{
	if (!has_room(store))
		return false;
	const char *words[] = { "HMGET", key, "version", "body" };
	enum { WORDS = sizeof(words) / sizeof(words[0]) };
	queue_words(store, WORDS, words, NULL, (struct waiting){ .token = token, .is_get = true });
	return true;
}

bool keyvalue_serve(struct keyvalue *store, view_stored_fn *stored, view_read_fn *read, void *owner,
	struct why *why)
{
	const struct listener listener = { stored, read, owner };
	report_lost(store, &listener);
	if (store->context == NULL)
		return true;
	if (exchange(store, &listener, why) && check_deadline(store, why))
		return true;
	keyvalue_close(store);
	report_lost(store, &listener);
	return false;
}

int keyvalue_socket(const struct keyvalue *store)
{
	return store->context == NULL ? -1 : store->context->fd;
}

int64_t keyvalue_deadline_ms(const struct keyvalue *store)
{
	return store->context == NULL || store->count == 0 ? INT64_MAX : store->waiting[store->first].deadline_ms;
}

bool keyvalue_wants_write(const struct keyvalue *store)
{
	return store->has_unsent;
}
