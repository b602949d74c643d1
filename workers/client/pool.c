/* libcurl's multi interface; free exchanges are kept in a stack. */
#include "pool.h"

#include <stdlib.h>

struct call {
	struct exchange exchange;
	struct buffer body;
	uint64_t tag;
	bool is_running;
};

struct pool {
	const struct door *door;
	CURLM *multi;
	struct call *calls;
	struct call **idle; /* the first `idle_count` are free */
	size_t count, idle_count;
	bool wants_bodies;
	pool_done_fn *done;
	void *owner;
};

static void make_calls(struct pool *pool)
{
	pool->calls = calloc(pool->count, sizeof(*pool->calls));
	pool->idle = calloc(pool->count, sizeof(struct call *));
	if (pool->calls == NULL || pool->idle == NULL)
		abort();
	for (size_t i = 0; i < pool->count; i++) {
		struct call *call = &pool->calls[i];
		exchange_init(&call->exchange);
		curl_easy_setopt(call->exchange.curl, CURLOPT_PRIVATE, call);
		buffer_init(&call->body);
		pool->idle[pool->idle_count++] = call;
	}
}

struct pool *pool_new(const struct door *door, size_t exchanges, bool wants_bodies, pool_done_fn *done,
	void *owner)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	if (pool == NULL || (pool->multi = curl_multi_init()) == NULL)
		abort();
	pool->door = door;
	pool->count = exchanges;
	pool->wants_bodies = wants_bodies;
	pool->done = done;
	pool->owner = owner;
	curl_multi_setopt(pool->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)exchanges);
	curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, (long)exchanges);
	curl_multi_setopt(pool->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	make_calls(pool);
	return pool;
}

void pool_free(struct pool *pool)
{
	if (pool == NULL)
		return;
	for (size_t i = 0; i < pool->count; i++) {
		struct call *call = &pool->calls[i];
		if (call->is_running)
			curl_multi_remove_handle(pool->multi, call->exchange.curl);
		exchange_clear(&call->exchange);
		buffer_clear(&call->body);
	}
	curl_multi_cleanup(pool->multi);
	free(pool->calls);
	free(pool->idle);
	free(pool);
}

size_t pool_room(const struct pool *pool)
{
	return pool->idle_count;
}

size_t pool_in_flight(const struct pool *pool)
{
	return pool->count - pool->idle_count;
}

void pool_send(struct pool *pool, const struct door_request *request, uint64_t tag)
{
	struct call *call = pool->idle[--pool->idle_count];
	struct door_request own = *request;
	buffer_reset(&call->body);
	if (request->body != NULL) {
		buffer_add(&call->body, request->body, request->body_bytes);
		own.body = buffer_text(&call->body);
	}
	call->tag = tag;
	call->is_running = true;
	door_prepare(pool->door, &call->exchange, &own);
	curl_multi_add_handle(pool->multi, call->exchange.curl);
}

static void finish(struct pool *pool, const CURLMsg *message)
{
	struct call *call = NULL;
	struct door_answer answer = { .status = 0 };
	CURLcode code = message->data.result;
	curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
	curl_multi_remove_handle(pool->multi, message->easy_handle); /* ends the message's life */
	if (code == CURLE_OK)
		exchange_finish(&call->exchange, pool->wants_bodies, &answer);
	call->is_running = false;
	pool->idle[pool->idle_count++] = call;
	pool->done(pool->owner, call->tag, code, &answer);
	door_answer_clear(&answer);
}

void pool_serve(struct pool *pool)
{
	int running, left;
	curl_multi_perform(pool->multi, &running);
	for (CURLMsg *message; (message = curl_multi_info_read(pool->multi, &left)) != NULL;)
		if (message->msg == CURLMSG_DONE)
			finish(pool, message);
}

void pool_wait(struct pool *pool, const struct pollfd sockets[], size_t count, int timeout_ms)
{
	struct curl_waitfd extra[POOL_SOCKETS_MAX];
	for (size_t i = 0; i < count && i < POOL_SOCKETS_MAX; i++)
		extra[i] = (struct curl_waitfd){ .fd = sockets[i].fd,
			.events = (short)(((sockets[i].events & POLLIN) != 0 ? CURL_WAIT_POLLIN : 0)
				| ((sockets[i].events & POLLOUT) != 0 ? CURL_WAIT_POLLOUT : 0)) };
	curl_multi_poll(pool->multi, extra, (unsigned)count, timeout_ms, NULL);
}
