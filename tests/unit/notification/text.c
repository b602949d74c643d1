/* Texts are cut behind whole characters, lists where they do not fit any more. */
#include "text.h"

#include <stdio.h>
#include <string.h>

#include "run.h"

static struct arena arena;

static void open_arena(void)
{
	arena_init(&arena);
}

static void close_arena(void)
{
	arena_clear(&arena);
}

/* `count` times the character. */
static char *repeated(const char *character, size_t count)
{
	size_t bytes = strlen(character);
	char *text = arena_new(&arena, count * bytes + 1);
	for (size_t i = 0; i < count; i++)
		memcpy(text + i * bytes, character, bytes);
	return text;
}

START_TEST(what_fits_stays)
{
	char *text = repeated("a", TEXT_MAX);
	ck_assert_uint_eq(strlen(text_cut(text)), TEXT_MAX);
	ck_assert_uint_eq(strlen(text_cut(repeated("a", TEXT_MAX + 1))), TEXT_MAX);
	ck_assert_str_eq(text_cut(arena_text(&arena, "")), "");
}
END_TEST

START_TEST(a_character_is_never_cut)
{
	static const char *const characters[] = { "\xC3\xA4", "\xE6\x97\xA5", "\xF0\x9D\x84\x9E" };
	for (size_t i = 0; i < 3; i++) {
		size_t bytes = strlen(characters[i]);
		const char *text = text_cut(repeated(characters[i], TEXT_MAX));
		ck_assert_uint_eq(strlen(text), TEXT_MAX / bytes * bytes);
		ck_assert_str_eq(text + strlen(text) - bytes, characters[i]);
	}
}
END_TEST

START_TEST(a_sentence_lists_its_items)
{
	struct sentence sentence;
	sentence_begin(&sentence, "These");
	ck_assert_str_eq(sentence_end(&sentence, &arena), "These");
	sentence_add(&sentence, "one");
	sentence_add(&sentence, "two");
	ck_assert_str_eq(sentence_end(&sentence, &arena), "These: one, two");
}
END_TEST

/* However long the items are: the text fits, and every item is listed or counted. */
START_TEST(what_does_not_fit_is_counted)
{
	struct sentence sentence;
	unsigned int left_out = 0;
	sentence_begin(&sentence, "These");
	for (int i = 0; i < 100; i++)
		sentence_add(&sentence, repeated("x", (size_t)_i));
	const char *text = sentence_end(&sentence, &arena);
	ck_assert_uint_le(strlen(text), TEXT_MAX);
	size_t listed = 0;
	for (const char *at = text; *at != '\0'; at++)
		listed += *at == ':' || *at == ',';
	const char *tail = strstr(text, " and ");
	if (tail != NULL)
		ck_assert_int_eq(sscanf(tail, " and %u more", &left_out), 1);
	ck_assert_uint_eq(listed + left_out, 100);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notification text");
	TCase *tests = tcase_create("text");
	tcase_add_checked_fixture(tests, open_arena, close_arena);
	tcase_add_test(tests, what_fits_stays);
	tcase_add_test(tests, a_character_is_never_cut);
	tcase_add_test(tests, a_sentence_lists_its_items);
	tcase_add_loop_test(tests, what_does_not_fit_is_counted, 0, 60);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
