/* A handle of libcurl that is used again and again, so its connection is kept. */
#include "exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CALL_TIMEOUT_MS = 15000, /* beside what the caller prefers to wait */
	CONNECT_TIMEOUT_MS = 3000,
	ANSWER_BYTES_MAX = 8 * 1024 * 1024,
	HEADER_BYTES = 512,
};

static size_t take_body(char *bytes, size_t size, size_t count, void *owner)
{
	struct buffer *answer = owner;
	if (answer->length_bytes + size * count > ANSWER_BYTES_MAX)
		return 0;
	buffer_add(answer, bytes, size * count);
	return size * count;
}

/* The value behind "Name:", without blanks around it; NULL: another header. */
static const char *value_of(const char *line, size_t length, const char *name, size_t *value_length)
{
	size_t name_length = strlen(name);
	if (length <= name_length || strncasecmp(line, name, name_length) != 0 || line[name_length] != ':')
		return NULL;
	const char *value = line + name_length + 1, *end = line + length;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && strchr(" \t\r\n", end[-1]) != NULL)
		end--;
	*value_length = (size_t)(end - value);
	return value;
}

static size_t take_header(char *line, size_t size, size_t count, void *owner)
{
	struct exchange *exchange = owner;
	size_t length;
	const char *value = value_of(line, size * count, "Location", &length);
	if (value != NULL && length < sizeof(exchange->location)) {
		memcpy(exchange->location, value, length);
		exchange->location[length] = '\0';
	}
	char number[16];
	value = value_of(line, size * count, "Retry-After", &length);
	if (value != NULL && length < sizeof(number)) {
		snprintf(number, sizeof(number), "%.*s", (int)length, value);
		exchange->retry_after_s = strtol(number, NULL, 10);
	}
	return size * count;
}

void exchange_init(struct exchange *exchange)
{
	*exchange = (struct exchange){ .curl = curl_easy_init() };
	if (exchange->curl == NULL)
		abort();
	buffer_init(&exchange->answer);
	curl_easy_setopt(exchange->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(exchange->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(exchange->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(exchange->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	curl_easy_setopt(exchange->curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(exchange->curl, CURLOPT_WRITEDATA, &exchange->answer);
	curl_easy_setopt(exchange->curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(exchange->curl, CURLOPT_HEADERDATA, exchange);
}

void exchange_clear(struct exchange *exchange)
{
	curl_easy_cleanup(exchange->curl);
	curl_slist_free_all(exchange->headers);
	buffer_clear(&exchange->answer);
	*exchange = (struct exchange){ .curl = NULL };
}

static void add_header(struct exchange *exchange, const char *line)
{
	struct curl_slist *headers = curl_slist_append(exchange->headers, line);
	if (headers == NULL)
		abort();
	exchange->headers = headers;
}

static void add_headers(struct exchange *exchange, const char *authorization,
	const struct door_request *request)
{
	char line[HEADER_BYTES];
	curl_slist_free_all(exchange->headers);
	exchange->headers = NULL;
	add_header(exchange, authorization);
	add_header(exchange, "Accept: application/json, application/problem+json");
	add_header(exchange, "Expect:"); /* never wait for 100 */
	if (request->body != NULL)
		add_header(exchange, "Content-Type: application/json");
	if (request->key != NULL) {
		snprintf(line, sizeof(line), "Idempotency-Key: %s", request->key);
		add_header(exchange, line);
	}
	if (request->wait_s > 0) {
		snprintf(line, sizeof(line), "Prefer: wait=%ld", request->wait_s);
		add_header(exchange, line);
	}
	curl_easy_setopt(exchange->curl, CURLOPT_HTTPHEADER, exchange->headers);
}

void exchange_prepare(struct exchange *exchange, const char *base, const char *authorization,
	const struct door_request *request)
{
	struct buffer url;
	buffer_init(&url);
	buffer_add_text(&url, base);
	buffer_add_text(&url, request->path);
	buffer_reset(&exchange->answer);
	exchange->location[0] = '\0';
	exchange->retry_after_s = 0;
	add_headers(exchange, authorization, request);
	curl_easy_setopt(exchange->curl, CURLOPT_URL, buffer_text(&url)); /* copied */
	curl_easy_setopt(exchange->curl, CURLOPT_HTTPGET, 1L);
	if (request->body != NULL) {
		curl_easy_setopt(exchange->curl, CURLOPT_POST, 1L);
		curl_easy_setopt(exchange->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_bytes);
		curl_easy_setopt(exchange->curl, CURLOPT_POSTFIELDS, request->body);
	}
	curl_easy_setopt(exchange->curl, CURLOPT_CUSTOMREQUEST, request->method);
	curl_easy_setopt(exchange->curl, CURLOPT_TIMEOUT_MS, CALL_TIMEOUT_MS + request->wait_s * 1000);
	buffer_clear(&url);
}

void exchange_finish(struct exchange *exchange, bool wants_body, struct door_answer *answer)
{
	*answer = (struct door_answer){ .retry_after_s = exchange->retry_after_s };
	memcpy(answer->location, exchange->location, sizeof(answer->location));
	curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &answer->status);
	if (wants_body && exchange->answer.length_bytes > 0)
		answer->body = json_loadb((const char *)exchange->answer.data, exchange->answer.length_bytes,
			JSON_REJECT_DUPLICATES, NULL);
}

void door_answer_clear(struct door_answer *answer)
{
	json_decref(answer->body);
	*answer = (struct door_answer){ .status = 0 };
}
