/* carebus-bridge: its settings, its loop, its end. */
#include "bridge.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "digest.h"
#include "settings.h"

enum {
	EXIT_CONFIGURATION = 78, /* sysexits.h EX_CONFIG */
	STOP_LIMIT_MS = 4000,
	LEAVE_LIMIT_MS = 500, /* for the answer that the cache's lease is given up */
	INSTANCE_MAX = 32,
	FILES_BESIDE = 64, /* descriptors beside the connections */
};

#define MEMBER(name) offsetof(struct bridge_settings, name)

static const struct setting settings_table[] = {
	{ "AMQP_PASSWORD", SETTING_SECRET, MEMBER(amqp_password), NULL, 0, 0, NULL, "password of who speaks" },
	{ "AMQP_URL", SETTING_TEXT, MEMBER(amqp_url), NULL, 0, 0, NULL,
		"broker, amqp://host:port/vhost without credentials" },
	{ "AMQP_USER", SETTING_TEXT, MEMBER(amqp_user), "bridge", 0, 0, NULL,
		"the broker's user that sends commands and questions" },
	{ "CACHE_BYTES", SETTING_NUMBER, MEMBER(cache_bytes), "67108864", 65536, 1L << 40, NULL,
		"of memory for lists of slots" },
	{ "CACHE_ENTRIES", SETTING_NUMBER, MEMBER(cache_entries), "10000", 0, LRU_ENTRIES_MAX, NULL,
		"lists of slots in memory; 0 = none, and none of Redis" },
	{ "CONNECTIONS_MAX", SETTING_NUMBER, MEMBER(connections_max), "2500", 16, 100000, NULL,
		"HTTP connections at once" },
	{ "HTTP_PORT", SETTING_NUMBER, MEMBER(http_port), NULL, 1, 65535, NULL,
		"loopback port; TLS is a proxy's task" },
	{ "IDEMPOTENCY_SECRET", SETTING_SECRET, MEMBER(idempotency_secret), NULL, 0, 0, NULL,
		"one for all bridges of an installation: an Idempotency-Key becomes a message id under it" },
	{ "INSTANCE", SETTING_TEXT, MEMBER(instance), "1", 0, 0, NULL,
		"tells bridges apart: answers come by it" },
	{ "LISTENER_PASSWORD", SETTING_SECRET, MEMBER(listener_password), NULL, 0, 0, NULL, "and its password" },
	{ "LISTENER_USER", SETTING_TEXT, MEMBER(listener_user), "bridge-listener", 0, 0, NULL,
		"the broker's user that hears the feed and the answers" },
	{ "LOG_FORMAT", SETTING_TEXT, MEMBER(log_format), "logfmt", 0, 0, "logfmt|json",
		"of the lines on stderr" },
	{ "LOG_LEVEL", SETTING_TEXT, MEMBER(log_level), "info", 0, 0, "debug|info|warning|error",
		"lines below it are left out" },
	{ "REDIS_PASSWORD", SETTING_SECRET, MEMBER(redis_password), NULL, 0, 0, NULL,
		"password of the bridge's user" },
	{ "REDIS_URL", SETTING_TEXT, MEMBER(redis_url), NULL, 0, 0, NULL, "redis://host:port" },
	{ "REDIS_USER", SETTING_TEXT, MEMBER(redis_user), "bridge", 0, 0, NULL, "the bridge's user at Redis" },
	{ "TOKENS_FILE", SETTING_TEXT, MEMBER(tokens_file), NULL, 0, 0, NULL,
		"hashes of the bearer tokens, mode 0600; `carebus token` writes it" },
	{ 0 },
};

static void refresh_callers(struct bridge *bridge)
{
	struct why why = { 0 };
	if (!callers_refresh(&bridge->callers, &why))
		log_line(&bridge->log, LOG_ERROR_LEVEL, "the tokens stay as they were", "reason", why.reason,
			"detail", why.text, NULL);
}

static bool was_signalled(const struct bridge *bridge)
{
	struct signalfd_siginfo info;
	return read(bridge->signal_fd, &info, sizeof(info)) == sizeof(info);
}

static void turn(struct bridge *bridge, int64_t limit_ms)
{
	links_serve(bridge);
	calls_expire(&bridge->calls);
	refresh_callers(bridge);
	streams_check(bridge);
	streams_beat(bridge);
	calls_sweep(&bridge->calls);
	links_wait(bridge, limit_ms < bridge->calls.next_ms ? limit_ms : bridge->calls.next_ms);
}

static void leave_cache(struct bridge *bridge)
{
	int64_t deadline_ms = clock_steady_ms() + LEAVE_LIMIT_MS;
	slots_give_up(bridge);
	while (bridge->slots.leaving != 0 && clock_steady_ms() < deadline_ms)
		turn(bridge, deadline_ms);
}

/* No new connections; what waits gets its answer, or is refused in the end; streams are ended. */
static void finish(struct bridge *bridge)
{
	int64_t deadline_ms = clock_steady_ms() + STOP_LIMIT_MS;
	log_line(&bridge->log, LOG_INFO_LEVEL, "stopping", NULL);
	bridge->is_stopping = true;
	http_quiesce(bridge->http);
	streams_end(bridge);
	while (bridge->calls.count > 0 && clock_steady_ms() < deadline_ms)
		turn(bridge, deadline_ms);
	calls_clear(&bridge->calls);
	http_serve(bridge->http);
	leave_cache(bridge);
}

static int open_signals(void)
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* Fewer connections where the system allows no more files: those that come then wait, instead of being lost. */
static void allow_files(struct bridge *bridge)
{
	struct rlimit limit;
	rlim_t wanted = (rlim_t)bridge->settings.connections_max + FILES_BESIDE;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= wanted)
		return;
	bridge->settings.connections_max =
		limit.rlim_cur > (rlim_t)2 * FILES_BESIDE ? (long)limit.rlim_cur - FILES_BESIDE : FILES_BESIDE;
	log_line(&bridge->log, LOG_WARNING_LEVEL,
		"fewer connections than CONNECTIONS_MAX: raise the limit of files", NULL);
}

static enum log_level level_by_name(const char *name)
{
	static const char *const names[] = { "debug", "info", "warning", "error" };
	enum log_level level = LOG_DEBUG_LEVEL;
	while (level < LOG_ERROR_LEVEL && strcmp(names[level], name) != 0)
		level++;
	return level;
}

static void prepare(struct bridge *bridge)
{
	unsigned char digest[SHA256_BYTES];
	const struct bridge_settings *settings = &bridge->settings;
	bridge->log = (struct log){ .worker = "bridge",
		.level = level_by_name(settings->log_level),
		.is_json = strcmp(settings->log_format, "json") == 0 };
	bridge_make_metrics(bridge);
	sha256(settings->idempotency_secret, strlen(settings->idempotency_secret), digest);
	memcpy(bridge->namespace_id, digest, UUID_BYTES);
	bridge->calls.next_ms = INT64_MAX;
	bridge->signal_fd = open_signals();
	allow_files(bridge);
	callers_init(&bridge->callers, settings->tokens_file);
	refresh_callers(bridge);
	links_make(bridge);
}

static bool open_http(struct bridge *bridge)
{
	struct why why = { 0 };
	const struct http_options options = bridge_http_options(bridge);
	bridge->http = http_open(&options, &why);
	if (bridge->http == NULL)
		log_line(&bridge->log, LOG_ERROR_LEVEL, "stopping: this needs attention", "reason", why.reason,
			"detail", why.text, NULL);
	return bridge->http != NULL;
}

static int serve(struct bridge *bridge)
{
	prepare(bridge);
	log_line(&bridge->log, LOG_INFO_LEVEL, "starting", "tag", bridge->tag, NULL);
	bool is_open = open_http(bridge);
	if (is_open) {
		while (!was_signalled(bridge))
			turn(bridge, INT64_MAX);
		finish(bridge);
		http_close(bridge->http);
	}
	links_free(bridge);
	callers_clear(&bridge->callers);
	close(bridge->signal_fd);
	return is_open ? 0 : EXIT_CONFIGURATION;
}

/* It becomes a part of routing keys, and the workers answer no other names. */
static bool check_instance(const char *instance)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
	size_t length = strlen(instance);
	if (length > 0 && length <= INSTANCE_MAX && strspn(instance, allowed) == length)
		return true;
	fprintf(stderr, "INSTANCE: \"%.64s\" is no name: want 1 to %d of a-z, 0-9, _ and -\n", instance,
		INSTANCE_MAX);
	return false;
}

int main(int argc, char *argv[])
{
	bool is_check = argc == 2 && strcmp(argv[1], "--check") == 0;
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		settings_help(settings_table, "carebus-bridge", stdout);
		return 0;
	}
	if (argc != 1 && !is_check) {
		fprintf(stderr,
			"carebus-bridge: takes no arguments but --help and --check; it is configured by its environment\n");
		return EXIT_CONFIGURATION;
	}
	struct bridge *bridge = calloc(1, sizeof(*bridge));
	if (bridge == NULL)
		abort();
	int exit_code = EXIT_CONFIGURATION;
	if (settings_read(settings_table, &bridge->settings, stderr) && check_instance(bridge->settings.instance))
		exit_code = is_check ? 0 : serve(bridge);
	settings_clear(settings_table, &bridge->settings);
	free(bridge);
	return exit_code;
}
