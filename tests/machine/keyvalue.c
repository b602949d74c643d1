/* The key-value store against a private Redis; each test starts its own on a free port of loopback. */
#include "keyvalue.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buffer.h"
#include "clock.h"
#include "run.h"

enum { PATIENCE_S = 10, TOKENS_MAX = 8192 };

static pid_t server;
static int port;
static char url[64];
static struct keyvalue *store;

/* What was reported for the puts and gets, in order. */
static struct {
	size_t tokens[TOKENS_MAX];
	bool is_get[TOKENS_MAX];
	bool is_good[TOKENS_MAX]; /* stored, or read */
	int64_t versions[TOKENS_MAX];
	bool has_body[TOKENS_MAX];
	size_t count;
	struct buffer body; /* of the last get */
} reports;

/* A token is the address of its number's byte. */
static char token_bytes[TOKENS_MAX];

static void *token_of(size_t number)
{
	return &token_bytes[number];
}

static size_t note_report(const void *owner, void *token, bool is_good)
{
	ck_assert_ptr_eq(owner, &reports);
	ck_assert_uint_lt(reports.count, TOKENS_MAX);
	reports.tokens[reports.count] = (size_t)((char *)token - token_bytes);
	reports.is_get[reports.count] = false;
	reports.is_good[reports.count] = is_good;
	return reports.count++;
}

static void note_stored(void *owner, void *token, bool is_stored)
{
	note_report(owner, token, is_stored);
}

static void note_read(void *owner, void *token, bool is_read, int64_t version, const char *body,
	size_t body_bytes)
{
	size_t number = note_report(owner, token, is_read);
	reports.is_get[number] = true;
	reports.versions[number] = version;
	reports.has_body[number] = body != NULL;
	buffer_reset(&reports.body);
	buffer_add(&reports.body, body == NULL ? "" : body, body_bytes);
}

static int free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t length = sizeof(address);
	int listening = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(listening, (struct sockaddr *)&address, length), 0);
	ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&address, &length), 0);
	close(listening);
	return ntohs(address.sin_port);
}

/* Ends with the test, however that ends. */
static void start_server(void)
{
	char port_text[8];
	snprintf(port_text, sizeof(port_text), "%d", port);
	server = fork();
	ck_assert_int_ge(server, 0);
	if (server > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int nowhere = open("/dev/null", O_RDWR);
	dup2(nowhere, STDOUT_FILENO);
	dup2(nowhere, STDERR_FILENO);
	execlp("redis-server", "redis-server", "--port", port_text, "--bind", "127.0.0.1", "--save", "",
		"--appendonly", "no", "--user", "hospital", "on", ">geheim", "~view:*", "resetchannels", "-@all",
		"+fcall", "+hget", "+hmget", "+hset", "+pexpire", (char *)NULL);
	_exit(127);
}

static void stop_server(void)
{
	if (server <= 0)
		return;
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	server = 0;
}

/* A connection of the test itself, as the user who may do everything; waits until the server answers. */
static redisContext *administrator(void)
{
	int64_t deadline_ms = clock_steady_ms() + SECONDS(PATIENCE_S);
	for (;;) {
		redisContext *context = redisConnect("127.0.0.1", port);
		redisReply *reply = context->err == 0 ? redisCommand(context, "PING") : NULL;
		bool is_ready = reply != NULL && reply->type == REDIS_REPLY_STATUS;
		freeReplyObject(reply);
		if (is_ready)
			return context;
		redisFree(context);
		ck_assert_int_eq(waitpid(server, NULL, WNOHANG), 0);
		ck_assert_msg(clock_steady_ms() < deadline_ms, "redis-server does not start");
		poll(NULL, 0, 10);
	}
}

static void read_file(const char *path, struct buffer *out)
{
	char chunk[4096];
	size_t length;
	ck_assert_ptr_nonnull(path);
	FILE *file = fopen(path, "re");
	ck_assert_msg(file != NULL, "cannot read %s", path);
	while ((length = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buffer_add(out, chunk, length);
	fclose(file);
}

static void load_functions(redisContext *context)
{
	struct buffer text;
	buffer_init(&text);
	read_file(getenv("VIEWS_LUA"), &text);
	redisReply *reply = redisCommand(context, "FUNCTION LOAD %b", text.data, text.length_bytes);
	ck_assert_ptr_nonnull(reply);
	ck_assert_msg(reply->type != REDIS_REPLY_ERROR, "%s", reply->str);
	freeReplyObject(reply);
	buffer_clear(&text);
}

static void set_up(void)
{
	signal(SIGPIPE, SIG_IGN);
	port = free_port();
	snprintf(url, sizeof(url), "redis://127.0.0.1:%d", port);
	start_server();
	redisContext *context = administrator();
	load_functions(context);
	redisFree(context);
	reports.count = 0;
	buffer_init(&reports.body);
	store = keyvalue_new(url, "hospital", "geheim");
}

static void tear_down(void)
{
	keyvalue_free(store);
	buffer_clear(&reports.body);
	stop_server();
}

static void open_store(void)
{
	struct why why = { 0 };
	ck_assert_msg(keyvalue_open(store, &why), "%s", why.text);
	ck_assert(keyvalue_is_open(store));
	ck_assert_int_ge(keyvalue_socket(store), 0);
}

static void put(const char *key, int64_t version, const char *body, size_t token)
{
	ck_assert(keyvalue_put(store, key, version, body, strlen(body), token_of(token)));
}

static void get(const char *key, size_t token)
{
	ck_assert(keyvalue_get(store, key, token_of(token)));
}

/* Serves until so many reports have come; false: the store failed, `why` tells how. */
static bool serve_until(size_t count, struct why *why)
{
	int64_t deadline_ms = clock_steady_ms() + SECONDS(PATIENCE_S);
	while (reports.count < count) {
		short events = POLLIN | (keyvalue_wants_write(store) ? POLLOUT : 0);
		struct pollfd descriptor = { .fd = keyvalue_socket(store), .events = events };
		ck_assert_msg(clock_steady_ms() < deadline_ms, "only %zu reports", reports.count);
		poll(&descriptor, 1, 50);
		if (!keyvalue_serve(store, note_stored, note_read, &reports, why))
			return false;
	}
	return true;
}

static void assert_served(size_t count)
{
	struct why why = { 0 };
	ck_assert_msg(serve_until(count, &why), "%s", why.text);
}

static void assert_member(const char *key, const char *member, const char *wanted)
{
	redisContext *context = administrator();
	redisReply *reply = redisCommand(context, "HGET %s %s", key, member);
	ck_assert_ptr_nonnull(reply);
	ck_assert_int_eq(reply->type, REDIS_REPLY_STRING);
	ck_assert_str_eq(reply->str, wanted);
	freeReplyObject(reply);
	redisFree(context);
}

START_TEST(a_view_is_stored_with_its_version_and_expires)
{
	open_store();
	put("view:request:1", 7, "{\"status\":\"pending\"}", 1);
	ck_assert(keyvalue_wants_write(store));
	assert_served(1);
	ck_assert(!keyvalue_wants_write(store));
	ck_assert(reports.is_good[0]);
	assert_member("view:request:1", "version", "7");
	assert_member("view:request:1", "body", "{\"status\":\"pending\"}");
	redisContext *context = administrator();
	redisReply *reply = redisCommand(context, "TTL view:request:1");
	ck_assert_int_gt(reply->integer, VIEW_TTL_S - 10);
	ck_assert_int_le(reply->integer, VIEW_TTL_S);
	freeReplyObject(reply);
	redisFree(context);
}
END_TEST

START_TEST(an_older_version_never_overwrites)
{
	open_store();
	put("view:request:1", 2, "two", 1);
	put("view:request:1", 1, "one", 2);
	assert_served(2);
	ck_assert(reports.is_good[1]);
	assert_member("view:request:1", "body", "two");
	put("view:request:1", 10, "ten", 3);
	put("view:request:1", 9, "nine", 4);
	assert_served(4);
	assert_member("view:request:1", "body", "ten");
}
END_TEST

START_TEST(version_0_never_replaces_what_an_owner_told)
{
	open_store();
	put("view:request:1", 0, "guess", 1);
	assert_served(1);
	assert_member("view:request:1", "body", "guess");
	put("view:request:1", 1, "told", 2);
	put("view:request:1", 0, "late guess", 3);
	put("view:request:2", 7, "told", 4);
	put("view:request:2", 0, "late guess", 5);
	assert_served(5);
	ck_assert(reports.is_good[4]);
	assert_member("view:request:1", "body", "told");
	assert_member("view:request:1", "version", "1");
	assert_member("view:request:2", "body", "told");
}
END_TEST

static void assert_read(size_t number, int64_t version, const char *body)
{
	ck_assert(reports.is_get[number] && reports.is_good[number] && reports.has_body[number]);
	ck_assert_int_eq(reports.versions[number], version);
	ck_assert_str_eq(buffer_text(&reports.body), body);
}

START_TEST(a_view_is_read_with_its_version)
{
	open_store();
	get("view:request:1", 1);
	ck_assert(keyvalue_wants_write(store));
	assert_served(1);
	ck_assert(reports.is_get[0] && reports.is_good[0] && !reports.has_body[0]);
	ck_assert_int_eq(reports.versions[0], 0);
	put("view:request:1", 9000000000, "{\"status\":\"pending\"}", 2);
	get("view:request:1", 3);
	assert_served(3);
	assert_read(2, 9000000000, "{\"status\":\"pending\"}");
	put("view:request:2", 0, "", 4);
	get("view:request:2", 5);
	assert_served(5);
	assert_read(4, 0, "");
}
END_TEST

START_TEST(puts_and_gets_are_answered_in_order)
{
	open_store();
	for (size_t i = 0; i < KEYVALUE_WINDOW; i++) {
		if (i % 3 == 0)
			put("view:request:1", (int64_t)i, "{}", i);
		else
			get(i % 3 == 1 ? "view:request:1" : "view:request:2", i);
	}
	ck_assert(!keyvalue_get(store, "view:request:1", NULL));
	ck_assert(!keyvalue_put(store, "view:request:1", 1, "{}", 2, NULL));
	assert_served(KEYVALUE_WINDOW);
	for (size_t i = 0; i < KEYVALUE_WINDOW; i++) {
		ck_assert_uint_eq(reports.tokens[i], i);
		ck_assert(reports.is_good[i] && reports.is_get[i] == (i % 3 != 0));
		ck_assert(!reports.is_get[i] || reports.has_body[i] == (i % 3 == 1));
		ck_assert(i % 3 != 1 || reports.versions[i] == (int64_t)i - 1);
	}
}
END_TEST

static void wait_readable(void)
{
	struct pollfd descriptor = { .fd = keyvalue_socket(store), .events = POLLIN };
	ck_assert_int_eq(poll(&descriptor, 1, PATIENCE_S * 1000), 1);
}

/* The second serve finds all that Redis wrote, beyond the 16 KiB that hiredis would read at once. */
START_TEST(a_burst_of_gets_is_one_write_and_one_read)
{
	enum { BURST = 64, BODY_BYTES = 400 };
	struct why why = { 0 };
	char body[BODY_BYTES + 1];
	snprintf(body, sizeof(body), "%*d", BODY_BYTES, 1);
	open_store();
	put("view:request:1", 1, body, 0);
	assert_served(1);
	for (size_t i = 1; i <= BURST; i++)
		get("view:request:1", i);
	ck_assert(keyvalue_serve(store, note_stored, note_read, &reports, &why));
	ck_assert(!keyvalue_wants_write(store));
	ck_assert_uint_eq(reports.count, 1);
	wait_readable();
	ck_assert(keyvalue_serve(store, note_stored, note_read, &reports, &why));
	ck_assert_uint_eq(reports.count, 1 + BURST);
}
END_TEST

/* Or a store that is always given more to send would not hear the answers in time. */
START_TEST(answers_are_taken_while_more_is_asked)
{
	struct why why = { 0 };
	open_store();
	get("view:request:1", 0);
	ck_assert(keyvalue_serve(store, note_stored, note_read, &reports, &why));
	wait_readable();
	get("view:request:1", 1);
	ck_assert(keyvalue_serve(store, note_stored, note_read, &reports, &why));
	ck_assert_uint_ge(reports.count, 1);
	assert_served(2);
}
END_TEST

START_TEST(reports_come_in_order)
{
	open_store();
	for (size_t i = 0; i < KEYVALUE_WINDOW; i++) {
		char key[32];
		snprintf(key, sizeof(key), "view:request:%zu", i % 100);
		put(key, (int64_t)i, "{}", i);
	}
	ck_assert(!keyvalue_put(store, "view:request:1", 1, "{}", 2, NULL));
	assert_served(KEYVALUE_WINDOW);
	for (size_t i = 0; i < KEYVALUE_WINDOW; i++) {
		ck_assert_uint_eq(reports.tokens[i], i);
		ck_assert(reports.is_good[i]);
	}
}
END_TEST

START_TEST(bodies_may_hold_any_byte_and_be_large)
{
	struct buffer body;
	buffer_init(&body);
	buffer_add(&body, "a\0\r\nb", 5);
	buffer_print(&body, "%*d", 4000000, 1);
	open_store();
	ck_assert(keyvalue_put(store, "view:large:1", 1, buffer_text(&body), body.length_bytes, token_of(1)));
	assert_served(1);
	redisContext *context = administrator();
	redisReply *reply = redisCommand(context, "HGET view:large:1 body");
	ck_assert_uint_eq(reply->len, body.length_bytes);
	ck_assert(memcmp(reply->str, body.data, body.length_bytes) == 0);
	freeReplyObject(reply);
	redisFree(context);
	get("view:large:1", 2);
	assert_served(2);
	ck_assert_uint_eq(reports.body.length_bytes, body.length_bytes);
	ck_assert(memcmp(reports.body.data, body.data, body.length_bytes) == 0);
	buffer_clear(&body);
}
END_TEST

START_TEST(a_closed_store_takes_nothing)
{
	struct why why = { 0 };
	ck_assert(!keyvalue_is_open(store));
	ck_assert(!keyvalue_put(store, "view:request:1", 1, "{}", 2, NULL));
	ck_assert(!keyvalue_get(store, "view:request:1", NULL));
	ck_assert(keyvalue_serve(store, note_stored, note_read, &reports, &why));
	ck_assert_int_eq(keyvalue_socket(store), -1);
	ck_assert(!keyvalue_wants_write(store));
	ck_assert_uint_eq(reports.count, 0);
	keyvalue_free(NULL);
}
END_TEST

static void assert_open_fails(const char *address, const char *password, const char *reason, const char *text)
{
	struct why why = { 0 };
	struct keyvalue *other = keyvalue_new(address, "hospital", password);
	int64_t before_ms = clock_steady_ms();
	ck_assert(!keyvalue_open(other, &why));
	ck_assert_int_lt(clock_steady_ms() - before_ms, 1500);
	ck_assert(!keyvalue_is_open(other));
	ck_assert_str_eq(why.reason, reason);
	ck_assert_msg(strstr(why.text, text) != NULL, "%s", why.text);
	keyvalue_free(other);
}

START_TEST(an_open_that_fails_says_why)
{
	static const char *const wrong[] = { "", "127.0.0.1:6379", "redis://", "redis://127.0.0.1", "redis://:1",
		"redis://h:0", "redis://h:65536", "redis://h:1/db", "redis://u@h:1", "redis://h:x", "rediss://h:1" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_open_fails(wrong[i], NULL, "url", "want redis://host:port");
	assert_open_fails(url, "falsch", "login", "redis refuses user hospital: WRONGPASS");
	stop_server();
	assert_open_fails(url, "geheim", "connection", "Connection refused");
}
END_TEST

START_TEST(a_server_that_hangs_does_not_hold_the_open)
{
	kill(server, SIGSTOP);
	assert_open_fails(url, "geheim", "connection", "redis does not answer");
}
END_TEST

static void assert_all_lost(size_t count)
{
	ck_assert(!keyvalue_is_open(store));
	ck_assert_uint_eq(reports.count, count);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(reports.tokens[i], i);
		ck_assert(!reports.is_good[i]);
	}
}

START_TEST(a_dead_server_loses_what_was_unanswered)
{
	struct why why = { 0 };
	open_store();
	kill(server, SIGSTOP);
	for (size_t i = 0; i < 50; i += 2) {
		put("view:request:1", 1, "{}", i);
		get("view:request:1", i + 1);
	}
	ck_assert(keyvalue_serve(store, note_stored, note_read, &reports, &why));
	stop_server();
	ck_assert(!serve_until(50, &why));
	ck_assert_str_eq(why.reason, "connection");
	assert_all_lost(50);
	for (size_t i = 0; i < 50; i++)
		ck_assert(reports.is_get[i] == (i % 2 == 1) && !reports.has_body[i]);
}
END_TEST

START_TEST(a_server_that_hangs_is_given_up)
{
	struct why why = { 0 };
	open_store();
	kill(server, SIGSTOP);
	put("view:request:1", 1, "{}", 0);
	ck_assert(!serve_until(1, &why));
	ck_assert_str_eq(why.text, "redis: no answer for 500 ms");
	assert_all_lost(1);
}
END_TEST

START_TEST(a_refused_put_closes)
{
	struct why why = { 0 };
	open_store();
	put("other:request:1", 1, "{}", 0);
	put("view:request:1", 1, "{}", 1);
	ck_assert(!serve_until(2, &why));
	ck_assert_str_eq(why.reason, "answer");
	ck_assert_msg(strstr(why.text, "redis: NOPERM") != NULL, "%s", why.text);
	assert_all_lost(2);
	open_store();
	put("view:request:1", 1, "{}", 2);
	assert_served(3);
	ck_assert(reports.is_good[2]);
}
END_TEST

START_TEST(a_refused_get_closes)
{
	struct why why = { 0 };
	open_store();
	get("other:request:1", 0);
	get("view:request:1", 1);
	ck_assert(!serve_until(2, &why));
	ck_assert_str_eq(why.reason, "answer");
	ck_assert_msg(strstr(why.text, "redis: NOPERM") != NULL, "%s", why.text);
	assert_all_lost(2);
}
END_TEST

START_TEST(an_open_does_not_mix_old_puts_with_new_ones)
{
	open_store();
	put("view:request:1", 1, "{}", 0);
	put("view:request:1", 1, "{}", 1);
	keyvalue_close(store);
	ck_assert(!keyvalue_wants_write(store));
	open_store();
	put("view:request:1", 1, "{}", 2);
	assert_served(3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(reports.tokens[i], i);
		ck_assert(reports.is_good[i] == (i == 2));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("keyvalue");
	TCase *test_case = tcase_create("keyvalue");
	tcase_add_checked_fixture(test_case, set_up, tear_down);
	tcase_set_timeout(test_case, 60);
	tcase_add_test(test_case, a_view_is_stored_with_its_version_and_expires);
	tcase_add_test(test_case, an_older_version_never_overwrites);
	tcase_add_test(test_case, version_0_never_replaces_what_an_owner_told);
	tcase_add_test(test_case, a_view_is_read_with_its_version);
	tcase_add_test(test_case, puts_and_gets_are_answered_in_order);
	tcase_add_test(test_case, a_burst_of_gets_is_one_write_and_one_read);
	tcase_add_test(test_case, answers_are_taken_while_more_is_asked);
	tcase_add_test(test_case, reports_come_in_order);
	tcase_add_test(test_case, bodies_may_hold_any_byte_and_be_large);
	tcase_add_test(test_case, a_closed_store_takes_nothing);
	tcase_add_test(test_case, an_open_that_fails_says_why);
	tcase_add_test(test_case, a_server_that_hangs_does_not_hold_the_open);
	tcase_add_test(test_case, a_dead_server_loses_what_was_unanswered);
	tcase_add_test(test_case, a_server_that_hangs_is_given_up);
	tcase_add_test(test_case, a_refused_put_closes);
	tcase_add_test(test_case, a_refused_get_closes);
	tcase_add_test(test_case, an_open_does_not_mix_old_puts_with_new_ones);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
