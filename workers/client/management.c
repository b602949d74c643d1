/* Over libcurl: bounded in time and size, no redirects, HTTP only. */
#include "management.h"

#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "buffer.h"

enum {
	CALL_TIMEOUT_MS = 15000,
	CONNECT_TIMEOUT_MS = 3000,
	ANSWER_BYTES_MAX = 64 * 1024 * 1024,
};

struct management {
	CURL *curl;
	char *vhost; /* encoded */
	char base[2 * ADDRESS_PART_MAX];
	struct buffer answer;
};

char *management_encode(struct management *management, const char *name)
{
	char *encoded = curl_easy_escape(management->curl, name, 0);
	char *copy = encoded == NULL ? NULL : strdup(encoded);
	curl_free(encoded);
	if (copy == NULL)
		abort();
	return copy;
}

static size_t take_answer(char *bytes, size_t size, size_t count, void *owner)
{
	struct buffer *answer = owner;
	if (answer->length_bytes + size * count > ANSWER_BYTES_MAX)
		return 0;
	buffer_add(answer, bytes, size * count);
	return size * count;
}

struct management *management_new(const struct address *address, const char *vhost)
{
	struct management *management = calloc(1, sizeof(*management));
	if (management == NULL || (management->curl = curl_easy_init()) == NULL) {
		free(management);
		return NULL;
	}
	size_t length = strlen(address->url);
	while (length > 0 && address->url[length - 1] == '/')
		length--;
	memcpy(management->base, address->url, length);
	management->vhost = management_encode(management, vhost);
	buffer_init(&management->answer);
	curl_easy_setopt(management->curl, CURLOPT_USERNAME, address->user);
	curl_easy_setopt(management->curl, CURLOPT_PASSWORD, address->password);
	curl_easy_setopt(management->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(management->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(management->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(management->curl, CURLOPT_TIMEOUT_MS, (long)CALL_TIMEOUT_MS);
	curl_easy_setopt(management->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	curl_easy_setopt(management->curl, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(management->curl, CURLOPT_WRITEDATA, &management->answer);
	return management;
}

void management_free(struct management *management)
{
	if (management == NULL)
		return;
	curl_easy_cleanup(management->curl);
	buffer_clear(&management->answer);
	free(management->vhost);
	free(management);
}

/* "queues/%v/x" below the base. */
static void make_url(const struct management *management, const char *path, struct buffer *url)
{
	const char *place = strstr(path, "%v");
	buffer_add_text(url, management->base);
	buffer_add_text(url, "/api/");
	if (place == NULL) {
		buffer_add_text(url, path);
		return;
	}
	buffer_add(url, path, (size_t)(place - path));
	buffer_add_text(url, management->vhost);
	buffer_add_text(url, place + 2);
}

static CURLcode perform(struct management *management, const char *method, const char *path, const char *body)
{
	struct buffer url;
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	buffer_init(&url);
	make_url(management, path, &url);
	buffer_reset(&management->answer);
	curl_easy_setopt(management->curl, CURLOPT_URL, buffer_text(&url));
	curl_easy_setopt(management->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(management->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(management->curl, CURLOPT_HTTPGET, 1L);
	if (body != NULL)
		curl_easy_setopt(management->curl, CURLOPT_COPYPOSTFIELDS, body);
	curl_easy_setopt(management->curl, CURLOPT_CUSTOMREQUEST, method);
	CURLcode code = curl_easy_perform(management->curl);
	curl_slist_free_all(headers);
	buffer_clear(&url);
	return code;
}

static bool tell_status(long status, const char *method, const char *path, const char *answer,
	struct why *why)
{
	if (status == 404)
		return because(why, "absent", "%s %s: there is no such thing", method, path);
	if (status == 401 || status == 403)
		return because(why, "refused", "%s %s: refused (%ld); check the user and the password of the URL",
			method, path, status);
	return because(why, "management", "%s %s: answered %ld: %.120s", method, path, status, answer);
}

static bool read_answer(const struct buffer *text, json_t **answer, const char *path, struct why *why)
{
	json_error_t fault;
	*answer = NULL;
	if (text->length_bytes == 0)
		return true;
	*answer = json_loadb((const char *)text->data, text->length_bytes, 0, &fault);
	return *answer != NULL || because(why, "management", "%s: the answer is not JSON: %s", path, fault.text);
}

bool management_call(struct management *management, const char *method, const char *path, const json_t *body,
	json_t **answer, struct why *why)
{
	long status = 0;
	char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
	CURLcode code = perform(management, method, path, text);
	free(text);
	if (code != CURLE_OK)
		return because(why, "connection", "the management API at %s: %s; check that the broker runs",
			management->base, curl_easy_strerror(code));
	curl_easy_getinfo(management->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200 || status > 299)
		return tell_status(status, method, path, buffer_text(&management->answer), why);
	return answer == NULL || read_answer(&management->answer, answer, path, why);
}
