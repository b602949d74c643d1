/*
 * libFuzzer: the file of tokens. What is read is sorted, each once, within its limits; printed, it is read as the same.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "tokens.h"

static void check_token(const struct token *token)
{
	must(strlen(token->subject) >= 1 && strlen(token->subject) <= TOKEN_SUBJECT_MAX,
		"a subject keeps its limit");
	must(strpbrk(token->subject, " \r\n\t") == NULL, "and is one word");
	must(token->role < TOKEN_ROLES, "a role is one of the list");
	must(token->rate_per_s >= 0 && token->rate_per_s <= TOKEN_RATE_MAX, "a rate keeps its limits");
	must(token->facility_id == NULL || strlen(token->facility_id) <= TOKEN_SUBJECT_MAX, "so does a facility");
}

static int is_same(const struct token *a, const struct token *b)
{
	return memcmp(a->digest, b->digest, sizeof(a->digest)) == 0 && strcmp(a->subject, b->subject) == 0
		&& a->role == b->role && a->rate_per_s == b->rate_per_s && a->has_expires_at == b->has_expires_at
		&& (!a->has_expires_at || a->expires_at == b->expires_at)
		&& (a->facility_id == NULL) == (b->facility_id == NULL)
		&& (a->facility_id == NULL || strcmp(a->facility_id, b->facility_id) == 0);
}

static void check_printed(const struct tokens *tokens, struct arena *arena)
{
	struct buffer printed;
	struct tokens again;
	struct why why = { 0 };
	buffer_init(&printed);
	for (size_t i = 0; i < tokens->count; i++)
		token_print(&tokens->items[i], &printed);
	must(tokens_parse(buffer_text(&printed), printed.length_bytes, arena, &again, &why),
		"what was printed can be read");
	must(again.count == tokens->count, "as many");
	for (size_t i = 0; i < tokens->count; i++)
		must(is_same(&tokens->items[i], &again.items[i]), "and the same");
	buffer_clear(&printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scan scan = { .next = data, .left_bytes = size };
	struct arena arena;
	struct tokens tokens;
	struct why why = { 0 };
	size_t length;
	char *text = fuzz_rest(&scan, &length);
	arena_init(&arena);
	if (tokens_parse(text, length, &arena, &tokens, &why)) {
		for (size_t i = 0; i < tokens.count; i++) {
			check_token(&tokens.items[i]);
			must(i == 0 || memcmp(tokens.items[i - 1].digest, tokens.items[i].digest, SHA256_BYTES) < 0,
				"they are sorted, each once");
		}
		check_printed(&tokens, &arena);
	} else {
		must(why.text[0] != '\0', "a refusal says why");
	}
	arena_clear(&arena);
	free(text);
	return 0;
}
