/* The environment, one call at a time, and what an answer means. */
#include "door.h"

#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "problem.h"

enum {
	TOKEN_BYTES_MAX = 256,
};

struct door {
	char base[2 * ADDRESS_PART_MAX];
	char host[ADDRESS_PART_MAX];
	char authorization[TOKEN_BYTES_MAX + 32];
	struct exchange exchange;
};

struct environment {
	const char *http, *token;
};

static const struct setting table[] = {
	{ .name = "CAREBUS_HTTP",
		.kind = SETTING_TEXT,
		.offset = offsetof(struct environment, http),
		.fallback = "",
		.help = "http://host:port of the bridge" },
	{ .name = "CAREBUS_TOKEN",
		.kind = SETTING_SECRET,
		.offset = offsetof(struct environment, token),
		.fallback = "",
		.help = "the bearer token" },
	{ .name = NULL },
};

const struct setting *door_settings(void)
{
	return table;
}

static bool is_set(const char *name, const char *file_name)
{
	const char *value = getenv(name), *file = getenv(file_name);
	return (value != NULL && value[0] != '\0') || (file != NULL && file[0] != '\0');
}

bool door_is_known(void)
{
	return is_set("CAREBUS_HTTP", "CAREBUS_HTTP_FILE") && is_set("CAREBUS_TOKEN", "CAREBUS_TOKEN_FILE");
}

/* RFC 6750's letters: nothing that could end the header. */
static bool take_token(struct door *door, const char *token, FILE *faults)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";
	size_t length = strlen(token);
	if (length == 0) {
		fprintf(faults, "CAREBUS_TOKEN is not set; `compose/status --env` prints it\n");
		return false;
	}
	if (length > TOKEN_BYTES_MAX || strspn(token, letters) != length) {
		fprintf(faults, "CAREBUS_TOKEN is no bearer token; `carebus token add` makes one\n");
		return false;
	}
	snprintf(door->authorization, sizeof(door->authorization), "Authorization: Bearer %s", token);
	return true;
}

static bool take_base(struct door *door, const char *url, FILE *faults)
{
	struct address address;
	struct why why;
	if (url[0] == '\0') {
		fprintf(faults, "CAREBUS_HTTP is not set; `compose/status --env` prints it\n");
		return false;
	}
	bool is_good = address_parse(&address, "CAREBUS_HTTP", url, &why)
		&& (strncmp(address.url, "http://", 7) == 0 || strncmp(address.url, "https://", 8) == 0);
	if (is_good) {
		memcpy(door->base, address.url, sizeof(door->base));
		memcpy(door->host, address.host, sizeof(door->host));
		size_t length = strcspn(door->base, "?#");
		while (length > 0 && door->base[length - 1] == '/')
			length--;
		door->base[length] = '\0';
	} else {
		fprintf(faults, "CAREBUS_HTTP is not of the form http://host:port\n");
	}
	address_clear(&address);
	return is_good;
}

struct door *door_new(FILE *faults)
{
	struct environment environment = { .http = NULL };
	struct door *door = calloc(1, sizeof(*door));
	if (door == NULL)
		abort();
	bool is_good = settings_read(table, &environment, faults);
	if (is_good) {
		is_good = take_base(door, environment.http, faults);
		is_good &= take_token(door, environment.token, faults);
	}
	settings_clear(table, &environment);
	exchange_init(&door->exchange);
	if (is_good)
		return door;
	door_free(door);
	return NULL;
}

void door_free(struct door *door)
{
	if (door == NULL)
		return;
	exchange_clear(&door->exchange);
	explicit_bzero(door, sizeof(*door));
	free(door);
}

const char *door_host(const struct door *door)
{
	return door->host;
}

void door_prepare(const struct door *door, struct exchange *exchange, const struct door_request *request)
{
	exchange_prepare(exchange, door->base, door->authorization, request);
}

static enum ending tell_connection(const struct door *door, const char *what, CURLcode code, FILE *faults)
{
	bool is_late = code == CURLE_OPERATION_TIMEDOUT;
	fprintf(faults, "%s: %s: %s; %s\n", what, door->base, curl_easy_strerror(code),
		is_late ? "it may have been done all the same: ask again, the same request does nothing twice"
				: "check CAREBUS_HTTP, and that the bridge runs");
	return is_late ? ENDING_NO_ANSWER : ENDING_FAULT;
}

static enum ending tell_problem(const char *what, const struct door_answer *answer, FILE *faults)
{
	struct buffer text;
	const struct problem problem = {
		.status = answer->status, .body = answer->body, .retry_after_s = answer->retry_after_s
	};
	buffer_init(&text);
	problem_write(&problem, what, &text);
	fputs(buffer_text(&text), faults);
	buffer_clear(&text);
	return problem_ending(answer->status);
}

enum ending door_call(struct door *door, const char *what, const struct door_request *request,
	struct door_answer *answer, FILE *faults)
{
	*answer = (struct door_answer){ .status = 0 };
	door_prepare(door, &door->exchange, request);
	CURLcode code = curl_easy_perform(door->exchange.curl);
	if (code != CURLE_OK)
		return tell_connection(door, what, code, faults);
	exchange_finish(&door->exchange, true, answer);
	bool is_good = answer->status >= 200 && answer->status <= 299;
	if (is_good && answer->body == NULL) {
		fprintf(faults, "%s: the answer (%ld) is not JSON; check CAREBUS_HTTP\n", what, answer->status);
		return ENDING_FAULT;
	}
	return is_good ? ENDING_DONE : tell_problem(what, answer, faults);
}

static void encode(struct buffer *path, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	for (; *text != '\0'; text++)
		if (strchr(plain, *text) != NULL)
			buffer_add_byte(path, (unsigned char)*text);
		else
			buffer_print(path, "%%%02X", (unsigned)(unsigned char)*text);
}

void door_part(struct buffer *path, const char *part)
{
	encode(path, part);
}

void door_query(struct buffer *path, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buffer_print(path, "%c%s=", strchr(buffer_text(path), '?') == NULL ? '?' : '&', name);
	encode(path, value);
}
