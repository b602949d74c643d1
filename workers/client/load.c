/* carebus load: blood requests at a fixed rate, and how long each took from the moment it was due. */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"
#include "command.h"
#include "load_run.h"
#include "pool.h"

#define AT(member) offsetof(struct load_values, member)

static const struct option_row options[] = {
	{ .name = "via",
		.argument = "WAY",
		.kind = OPTION_TEXT,
		.offset = AT(via),
		.fallback = "amqp",
		.choices = "http|amqp",
		.help = "through the bridge, or as an upstream system" },
	{ .name = "rate",
		.argument = "COUNT",
		.kind = OPTION_NUMBER,
		.offset = AT(rate),
		.fallback = "100",
		.minimum = 1,
		.maximum = SCHEDULE_RATE_MAX,
		.help = "requests a second" },
	{ .name = "duration",
		.argument = "SECONDS",
		.kind = OPTION_NUMBER,
		.offset = AT(duration_s),
		.fallback = "10",
		.minimum = 1,
		.maximum = SCHEDULE_SECONDS_MAX,
		.help = "how long requests become due" },
	{ .name = "mix",
		.argument = "WEIGHTS",
		.kind = OPTION_TEXT,
		.offset = AT(mix),
		.help = "O+=40,O-=7,emergency=5,routine=95: of groups, urgencies, components (default: as usual)" },
	{ .name = "hospital",
		.argument = "ID",
		.kind = OPTION_TEXTS,
		.offset = AT(hospitals),
		.help = "who asks, in turn; may be repeated (default: hospital-001 to -003)" },
	{ .name = "quantity",
		.argument = "UNITS",
		.kind = OPTION_NUMBER,
		.offset = AT(quantity),
		.fallback = "1",
		.minimum = 1,
		.maximum = 100,
		.help = "of each request" },
	{ .name = "open",
		.argument = "COUNT",
		.kind = OPTION_NUMBER,
		.offset = AT(open),
		.fallback = "10000",
		.minimum = 1,
		.maximum = SCHEDULE_OPEN_MAX,
		.help = "requests due and not acknowledged at most; more are counted as overflow and never sent" },
	{ .name = "connections",
		.argument = "COUNT",
		.kind = OPTION_NUMBER,
		.offset = AT(connections),
		.fallback = "32",
		.minimum = 1,
		.maximum = POOL_EXCHANGES_MAX,
		.help = "of HTTP: requests under way at once" },
	{ .name = "wait",
		.argument = "SECONDS",
		.kind = OPTION_NUMBER,
		.offset = AT(wait_s),
		.maximum = DOOR_WAIT_MAX_S,
		.help = "of HTTP: each answer is to be the decision (Prefer: wait)" },
	{ .name = "drain",
		.argument = "SECONDS",
		.kind = OPTION_NUMBER,
		.offset = AT(drain_s),
		.fallback = "10",
		.maximum = 600,
		.help = "how long to wait for what is not yet answered" },
	{ .name = "journal",
		.argument = "FILE",
		.kind = OPTION_TEXT,
		.offset = AT(journal),
		.help = "a JSON line for each request sent, acknowledged and decided, added to the file" },
	{ .name = "verify",
		.argument = "FILE",
		.kind = OPTION_TEXT,
		.offset = AT(verify),
		.help = "sends nothing: asks whether what this journal has as acknowledged is known and decided" },
	{ .name = "remote",
		.kind = OPTION_FLAG,
		.offset = AT(is_remote),
		.help = "allow a host that is not this one" },
	{ 0 },
};

static bool check_host(const struct load_values *values, const char *host)
{
	if (values->is_remote || address_is_loopback(host))
		return true;
	fprintf(stderr, "%s is not this host; a load there needs --remote\n", host);
	return false;
}

/* The contract's own check tells what is wrong with what was asked for. */
static bool make_plan(struct load_run *run, struct why *why)
{
	struct hospital_blood_request request;
	run->plan = (struct load_plan){ .hospitals = &run->values->hospitals, .quantity = run->values->quantity };
	if (getrandom(&run->plan.key, sizeof(run->plan.key), 0) != (ssize_t)sizeof(run->plan.key))
		return because(why, "random", "the system gives no random bytes");
	if (!load_mix_parse(run->values->mix, &run->plan.mix, why))
		return false;
	for (uint64_t i = 0; i <= run->values->hospitals.count; i++) {
		load_plan_request(&run->plan, i, &run->arena, &request);
		if (!schema_check(&hospital_blood_request_schema, &request, why))
			return false;
	}
	return true;
}

static void make_schedule(struct load_run *run)
{
	const struct load_values *values = run->values;
	schedule_init(&run->schedule, (uint64_t)values->rate * (uint64_t)values->duration_s, &run->journal);
	run->schedule.key = run->plan.key;
	run->schedule.rate = (uint64_t)values->rate;
	run->schedule.open_max = (uint64_t)values->open;
}

static enum ending measure(struct load_run *run, struct why *why)
{
	run->schedule.start_us = clock_steady_us();
	run->schedule.wall_offset_us = clock_now_us() - run->schedule.start_us;
	if (!load_loop(run, why) || !journal_close(&run->journal, why))
		return ENDING_FAULT;
	return load_report(run);
}

/* Decisions are heard from the feed where it is known, unless each HTTP answer is to be one. */
static enum ending converse(struct load_run *run, const struct connections *connections, struct door *door,
	struct why *why)
{
	bool is_http = door != NULL;
	bool has_feed = connections->has_watcher && !(is_http && run->values->wait_s > 0);
	if (!make_plan(run, why) || !journal_open(&run->journal, run->values->journal, why))
		return ENDING_FAULT;
	make_schedule(run);
	if (has_feed && (run->hearer = hearer_new(connections, &run->schedule, why)) == NULL)
		return ENDING_FAULT;
	if (is_http)
		run->lane = lane_http(door, (size_t)run->values->connections, run->values->wait_s, &run->schedule);
	else
		run->lane = lane_amqp(&connections->upstream, &run->schedule, why);
	return run->lane == NULL ? ENDING_FAULT : measure(run, why);
}

static void close_run(struct load_run *run)
{
	struct why ignored;
	if (run->lane != NULL)
		run->lane->kind->close(run->lane);
	hearer_free(run->hearer);
	schedule_clear(&run->schedule);
	journal_close(&run->journal, &ignored);
	buffer_clear(&run->body);
	arena_clear(&run->arena);
}

static enum ending send_load(const struct load_values *values, const struct connections *connections,
	struct door *door)
{
	struct why why = { .text = "" };
	struct load_run run = { .values = values, .journal = { .file = -1 } };
	arena_init(&run.arena);
	buffer_init(&run.body);
	enum ending ending = converse(&run, connections, door, &why);
	if (why.text[0] != '\0')
		fprintf(stderr, "%s\n", why.text);
	close_run(&run);
	return ending;
}

static enum ending send_over_http(const struct load_values *values, struct door *door)
{
	struct connections connections;
	bool is_read = connections_read(&connections, 0);
	enum ending ending = is_read ? send_load(values, &connections, door) : ENDING_FAULT;
	connections_clear(&connections);
	return ending;
}

static enum ending load_over_http(const struct load_values *values)
{
	struct door *door = door_new(stderr);
	enum ending ending = ENDING_FAULT;
	if (door != NULL && check_host(values, door_host(door)))
		ending = (values->verify != NULL ? load_verify : send_over_http)(values, door);
	door_free(door);
	return ending;
}

static enum ending load_over_amqp(const struct load_values *values)
{
	struct connections connections;
	enum ending ending = ENDING_FAULT;
	if (connections_read(&connections, CONNECTIONS_UPSTREAM) && check_host(values, connections.upstream.host))
		ending = send_load(values, &connections, NULL);
	connections_clear(&connections);
	return ending;
}

static enum ending run_load(const void *run_values, const struct positionals *positionals)
{
	const struct load_values *values = run_values;
	bool is_http = values->verify != NULL || strcmp(values->via, "http") == 0;
	if (positionals->count > 0 || (values->verify != NULL && values->journal != NULL)) {
		fprintf(stderr, "write `carebus load [OPTION]...`; --verify goes without --journal\n");
		return ENDING_FAULT;
	}
	return (is_http ? load_over_http : load_over_amqp)(values);
}

const struct command command_load = {
	.name = "load",
	.summary = "send requests at a fixed rate and measure",
	.arguments = "",
	.details =
		"Each request is due at its moment, whatever became of those before, and its latency counts from that moment: to the\n"
		"broker's confirm or the bridge's 2xx, and to the decision, heard on the feed (CAREBUS_AMQP_ADMIN,\n"
		"CAREBUS_MANAGEMENT) or, with --wait, from the bridge. Percentiles are exact to 0.1 %. Goes to CAREBUS_AMQP, or with\n"
		"--via http to CAREBUS_HTTP with CAREBUS_TOKEN. The first Ctrl-C ends the sending, the second the waiting.\n"
		"With --journal what was acknowledged is on record even when this program is killed; --verify then asks the bridge\n"
		"for each of them.\n"
		"Exit: 0 all acknowledged and decided (verify: known and decided), 1 some were not sent or not acknowledged (verify: some\n"
		"are missing), 2 a fault, 3 some not decided in time.\n",
	.examples = "  carebus load --rate 500 --duration 30\n"
				"  carebus load --via http --connections 64 --wait 5 --mix O-=1,emergency=1\n"
				"  carebus load --rate 200 --journal run.jsonl; carebus load --verify run.jsonl --drain 60\n",
	.options = options,
	.values_bytes = sizeof(struct load_values),
	.run = run_load,
};
