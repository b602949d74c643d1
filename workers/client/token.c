/* carebus token: makes, lists and revokes the bearer tokens of the HTTP door, in the file that the bridge reads. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"
#include "command.h"
#include "moment_option.h"
#include "print.h"
#include "secret_file.h"
#include "token_text.h"
#include "tokens.h"

enum { HASH_SHOWN = 12 };

struct token_values {
	struct common_values common;
	const char *file, *subject, *role, *facility, *expires, *token_file;
	long rate;
};

#define AT(member) offsetof(struct token_values, member)

static const struct option_row options[] = {
	{ .name = "file",
		.argument = "FILE",
		.kind = OPTION_TEXT,
		.offset = AT(file),
		.is_required = true,
		.help = "the bridge's token file" },
	{ .name = "subject",
		.argument = "NAME",
		.kind = OPTION_TEXT,
		.offset = AT(subject),
		.help = "add: whose it is; an opaque reference, no name" },
	{ .name = "role",
		.argument = "NAME",
		.kind = OPTION_TEXT,
		.offset = AT(role),
		.choices = "admin|hospital|bank|clinic|reader",
		.help = "add: what it may do" },
	{ .name = "facility",
		.argument = "ID",
		.kind = OPTION_TEXT,
		.offset = AT(facility),
		.help = "add: where; * is everywhere, which admin and reader have if not told otherwise" },
	{ .name = "rate",
		.argument = "COUNT",
		.kind = OPTION_NUMBER,
		.offset = AT(rate),
		.fallback = "50",
		.maximum = TOKEN_RATE_MAX,
		.help = "add: requests a second at most; 0 = no limit" },
	{ .name = "expires",
		.argument = "TIME",
		.kind = OPTION_TEXT,
		.offset = AT(expires),
		.help = "add: 2030-01-31T00:00:00Z, or from now: +12h, +30d (default: never)" },
	{ .name = "token-file",
		.argument = "FILE",
		.kind = OPTION_TEXT,
		.offset = AT(token_file),
		.help = "add: the token is written there, mode 0600, instead of being printed" },
	{ 0 },
};

/* One run of the command, with the file locked and read. */
struct run {
	const struct token_values *values;
	const char *who; /* revoke: whose */
	struct secret_file file;
	struct buffer text;
	struct arena arena;
	struct tokens tokens;
	bool is_json;
};

static bool read_file(struct run *run, struct why *why)
{
	struct why fault;
	if (secret_file_exists(&run->file) && !tokens_read_file(run->file.path, &run->text, why))
		return false;
	if (tokens_parse(buffer_text(&run->text), run->text.length_bytes, &run->arena, &run->tokens, &fault))
		return true;
	return because(why, "tokens", "%s: %.200s", run->file.path, fault.text);
}

static bool read_expiry(const struct token_values *values, struct token *token, struct why *why)
{
	int64_t now_us = clock_now_us();
	token->has_expires_at = values->expires != NULL;
	if (!token->has_expires_at)
		return true;
	if (!moment_option_read(values->expires, now_us, &token->expires_at))
		return because(why, "usage", "--expires: \"%.64s\" is no time; write 2030-01-31T00:00:00Z or +30d",
			values->expires);
	token->expires_at -= token->expires_at % MICROSECONDS_PER_SECOND;
	return token->expires_at > now_us || because(why, "usage", "--expires: that is over already");
}

/* A token of a facility is for that one, unless the caller says that it is for all. */
static bool read_facility(const struct token_values *values, struct token *token, struct why *why)
{
	bool is_bound = token->role != TOKEN_ADMIN && token->role != TOKEN_READER;
	if (values->facility == NULL && is_bound)
		return because(why, "usage", "--facility: missing: which %s; * is all of them", values->role);
	if (values->facility != NULL && strcmp(values->facility, "*") != 0)
		token->facility_id = values->facility;
	return true;
}

static bool describe(const struct token_values *values, struct token *token, struct why *why)
{
	*token = (struct token){ .subject = values->subject, .rate_per_s = values->rate };
	if (values->subject == NULL || values->role == NULL)
		return because(why, "usage", "add needs --subject and --role");
	return token_role_find(values->role, &token->role) && read_facility(values, token, why)
		&& token_check(token, why) && read_expiry(values, token, why);
}

static bool make_secret(char text[TOKEN_TEXT_BYTES], struct why *why)
{
	unsigned char secret[TOKEN_SECRET_BYTES];
	if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		return because(why, "random", "the system gives no random bytes: %s", strerror(errno));
	token_text_make(secret, text);
	explicit_bzero(secret, sizeof(secret));
	return true;
}

static bool write_secret(const char *path, const char *secret, struct why *why)
{
	struct secret_file file;
	struct buffer text;
	if (!secret_file_open(&file, path, why))
		return false;
	buffer_init(&text);
	buffer_print(&text, "%s\n", secret);
	bool is_written = secret_file_replace(&file, buffer_text(&text), text.length_bytes, why);
	explicit_bzero(text.data, text.length_bytes);
	buffer_clear(&text);
	secret_file_close(&file);
	return is_written;
}

/* What was added must be readable before anyone relies on it; a token that cannot be handed over is taken back. */
static bool hand_out(struct run *run, const struct token *token, const char *secret, struct why *why)
{
	struct tokens tokens;
	size_t before = run->text.length_bytes;
	token_text_add(&run->text, token);
	if (!tokens_parse(buffer_text(&run->text), run->text.length_bytes, &run->arena, &tokens, why)
		|| !secret_file_replace(&run->file, buffer_text(&run->text), run->text.length_bytes, why))
		return false;
	if (run->values->token_file == NULL || write_secret(run->values->token_file, secret, why))
		return true;
	struct why ignored;
	secret_file_replace(&run->file, buffer_text(&run->text), before, &ignored);
	return false;
}

static json_t *to_json(const struct token *token)
{
	char hash[SHA256_TEXT_BYTES], expires[TIME_TEXT_BYTES] = "";
	token_hash(token, hash);
	if (token->has_expires_at)
		time_print(token->expires_at, expires);
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:s*}", "hash", hash, "subject", token->subject, "role",
		token_role_name(token->role), "facility", token->facility_id == NULL ? "*" : token->facility_id,
		"rate", (json_int_t)token->rate_per_s, "expires_at", token->has_expires_at ? expires : NULL);
}

static void tell_secret(const struct run *run, const struct token *token, const char *secret)
{
	bool is_in_file = run->values->token_file != NULL;
	if (run->is_json) {
		json_t *told = to_json(token);
		if (!is_in_file)
			json_object_set_new(told, "token", json_string(secret));
		print_json_value(told);
		json_decref(told);
	} else if (is_in_file) {
		printf("the token of %s is in %s\n", token->subject, run->values->token_file);
	} else {
		printf("%s\n", secret);
		fprintf(stderr, "this is the only time it is shown; %s keeps its hash\n", run->file.path);
	}
}

static enum ending add(struct run *run, struct why *why)
{
	struct token token;
	char secret[TOKEN_TEXT_BYTES];
	if (!describe(run->values, &token, why) || !make_secret(secret, why))
		return ENDING_FAULT;
	sha256(secret, strlen(secret), token.digest);
	bool is_added = hand_out(run, &token, secret, why);
	if (is_added)
		tell_secret(run, &token, secret);
	explicit_bzero(secret, sizeof(secret));
	return is_added ? ENDING_DONE : ENDING_FAULT;
}

static void list_row(struct table *table, const struct token *token, int64_t now_us)
{
	char hash[SHA256_TEXT_BYTES], rate[24] = "no limit", expires[TIME_TEXT_BYTES] = "never";
	token_hash(token, hash);
	hash[HASH_SHOWN] = '\0';
	if (token->rate_per_s > 0)
		snprintf(rate, sizeof(rate), "%ld/s", token->rate_per_s);
	if (token->has_expires_at)
		time_print(token->expires_at, expires);
	bool is_over = token->has_expires_at && token->expires_at <= now_us;
	const char *const cells[] = { hash, token->subject, token_role_name(token->role),
		token->facility_id == NULL ? "*" : token->facility_id, rate, expires, is_over ? "expired" : "" };
	table_add(table, cells, is_over && print_has_color() ? COLOR_RED : NULL);
}

static void list_text(const struct run *run)
{
	static const struct column columns[] = { { .title = "HASH" }, { .title = "SUBJECT" }, { .title = "ROLE" },
		{ .title = "FACILITY" }, { .title = "RATE", .is_number = true }, { .title = "EXPIRES" },
		{ .title = "", .is_colored = true }, { 0 } };
	struct table table;
	table_init(&table, columns);
	for (size_t i = 0; i < run->tokens.count; i++)
		list_row(&table, &run->tokens.items[i], clock_now_us());
	table_print(&table, stdout);
	table_clear(&table);
}

static enum ending list(struct run *run, struct why *why)
{
	if (!secret_file_exists(&run->file)) {
		because(why, "absent", "%s does not exist; `carebus token add` makes it", run->file.path);
		return ENDING_FAULT;
	}
	if (!run->is_json) {
		list_text(run);
		return ENDING_DONE;
	}
	json_t *told = json_array();
	for (size_t i = 0; i < run->tokens.count; i++)
		json_array_append_new(told, to_json(&run->tokens.items[i]));
	print_json_value(told);
	json_decref(told);
	return ENDING_DONE;
}

static enum ending revoke(struct run *run, struct why *why)
{
	struct buffer rest;
	size_t removed;
	buffer_init(&rest);
	enum ending ending = ENDING_FAULT;
	if (!token_text_revoke(&run->text, run->who, &rest, &removed, why)) {
		ending = strcmp(why->reason, "absent") == 0 ? ENDING_NO : ENDING_FAULT;
	} else if (secret_file_replace(&run->file, buffer_text(&rest), rest.length_bytes, why)) {
		ending = ENDING_DONE;
		if (run->is_json)
			printf("{ \"revoked\": %zu }\n", removed);
		else
			printf("%zu revoked; the bridge forgets it within 5 s\n", removed);
	}
	buffer_clear(&rest);
	return ending;
}

static const struct verb {
	const char *name;
	size_t words; /* behind it */
	enum ending (*run)(struct run *run, struct why *why);
} verbs[] = {
	{ "add", 0, add },
	{ "list", 0, list },
	{ "revoke", 1, revoke },
};

static const struct verb *find_verb(const struct positionals *positionals)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (positionals->count == verbs[i].words + 1 && strcmp(positionals->items[0], verbs[i].name) == 0)
			return &verbs[i];
	fprintf(stderr, "write `carebus token add`, `list` or `revoke SUBJECT|HASH`\n");
	return NULL;
}

static enum ending run_verb(struct run *run, const struct verb *verb, struct why *why)
{
	if (!secret_file_open(&run->file, run->values->file, why))
		return ENDING_FAULT;
	bool is_read = secret_file_lock(&run->file, why) && read_file(run, why);
	enum ending ending = is_read ? verb->run(run, why) : ENDING_FAULT;
	secret_file_close(&run->file);
	return ending;
}

static enum ending run_token(const void *values, const struct positionals *positionals)
{
	struct why why = { .text = "" };
	struct run run = { .values = values };
	const struct verb *verb = find_verb(positionals);
	if (verb == NULL)
		return ENDING_FAULT;
	run.who = positionals->items[1];
	run.is_json = strcmp(run.values->common.format, "json") == 0;
	buffer_init(&run.text);
	arena_init(&run.arena);
	enum ending ending = run_verb(&run, verb, &why);
	if (why.text[0] != '\0')
		fprintf(stderr, "%s\n", why.text);
	buffer_clear(&run.text);
	arena_clear(&run.arena);
	return ending;
}

const struct command command_token = {
	.name = "token",
	.summary = "make, list and revoke tokens of the HTTP door",
	.arguments = " add|list|revoke [WHO]",
	.details =
		"Changes the file that the bridge reads, which holds the hash of each token and never the token: add shows it once.\n"
		"The file is made with mode 0600, replaced whole, and keeps its owner. revoke WHO takes all tokens of a subject, or\n"
		"the one whose hash begins with the given 8 digits or more.\n"
		"Exit: 0 done, 1 revoke found none, 2 a fault.\n",
	.examples =
		"  carebus token add --file tokens --subject ward-7 --role hospital --facility hospital-001 --expires +30d\n"
		"  carebus token list --file tokens\n"
		"  carebus token revoke --file tokens ward-7\n",
	.options = options,
	.values_bytes = sizeof(struct token_values),
	.run = run_token,
};
