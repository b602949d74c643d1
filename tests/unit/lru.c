/* The least recently used map: who leaves first, both limits, what is counted, and random work against a plain model. */
#include "lru.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

enum { ROUNDS = 20, STEPS = 1000, KEYS = 40, VALUE_MAX = 200, ENTRIES = 16, ROOM = 4000 };

static struct lru *lru;
static unsigned evicted_count;
static char evicted_last[LRU_KEY_MAX + 1];

static void note_evicted(void *owner, const struct lru_entry *entry)
{
	ck_assert_ptr_eq(owner, &lru);
	ck_assert_uint_eq(strlen(entry->key), entry->key_bytes);
	evicted_count++;
	snprintf(evicted_last, sizeof(evicted_last), "%s", entry->key);
}

static void set_up_with(size_t entries_max, size_t bytes_max)
{
	lru_free(lru);
	lru = lru_new(&(struct lru_settings){
		.entries_max = entries_max, .bytes_max = bytes_max, .evicted = note_evicted, .owner = &lru });
	evicted_count = 0;
}

static void set_up(void)
{
	set_up_with(3, LRU_BYTES_MAX);
}

static void tear_down(void)
{
	lru_free(lru);
	lru = NULL;
}

static const struct lru_entry *put(const char *key, const char *value)
{
	return lru_put(lru,
		&(struct lru_entry){ .key = key,
			.key_bytes = strlen(key),
			.value = value,
			.value_bytes = strlen(value),
			.certificate = 7,
			.version = 3 });
}

static const char *get(const char *key)
{
	static char text[VALUE_MAX];
	const struct lru_entry *entry = lru_find(lru, key, strlen(key));
	if (entry == NULL)
		return NULL;
	ck_assert_str_eq(entry->key, key);
	snprintf(text, sizeof(text), "%.*s", (int)entry->value_bytes, (const char *)entry->value);
	return text;
}

START_TEST(what_was_put_is_found)
{
	char value[] = "free";
	const struct lru_entry *entry = put("p1/2026-03-01", value);
	ck_assert_ptr_nonnull(entry);
	ck_assert_uint_eq(entry->certificate, 7);
	ck_assert_int_eq(entry->version, 3);
	value[0] = 'X'; /* it was copied */
	ck_assert_str_eq(get("p1/2026-03-01"), "free");
	ck_assert_ptr_null(get("p1/2026-03-0"));
	ck_assert_ptr_null(get("p1/2026-03-011"));
	ck_assert_ptr_nonnull(put("", ""));
	ck_assert_str_eq(get(""), "");
}
END_TEST

START_TEST(the_least_recently_used_leaves_first)
{
	put("a", "1");
	put("b", "2");
	put("c", "3");
	ck_assert_str_eq(get("a"), "1");
	put("d", "4");
	ck_assert_str_eq(evicted_last, "b");
	put("c", "5"); /* a replacement evicts nobody */
	ck_assert_uint_eq(evicted_count, 1);
	put("e", "6");
	ck_assert_str_eq(evicted_last, "a");
	ck_assert_str_eq(get("c"), "5");
	ck_assert_ptr_null(get("b"));
}
END_TEST

START_TEST(bytes_are_a_limit_of_their_own)
{
	size_t each = lru_entry_bytes() + 1 + 10;
	set_up_with(100, 2 * each);
	put("a", "0123456789");
	put("b", "0123456789");
	ck_assert_uint_eq(lru_counts(lru).bytes, 2 * each);
	ck_assert_uint_eq(evicted_count, 0);
	put("c", "");
	ck_assert_uint_eq(evicted_count, 1);
	ck_assert_ptr_null(get("a"));
	put("d", "0123456789012345678901234567890123456789"); /* takes the room of both */
	ck_assert_uint_eq(lru_counts(lru).entries, 1);
	ck_assert_uint_le(lru_counts(lru).bytes, 2 * each);
}
END_TEST

START_TEST(what_is_too_large_is_not_kept_and_hides_the_old)
{
	char key[LRU_KEY_MAX + 2];
	memset(key, 'k', sizeof(key));
	key[LRU_KEY_MAX + 1] = '\0';
	ck_assert_ptr_null(put(key, "too long a key"));
	key[LRU_KEY_MAX] = '\0';
	ck_assert_ptr_nonnull(put(key, "just right"));
	set_up_with(3, lru_entry_bytes() + 1 + 4);
	ck_assert_ptr_nonnull(put("a", "old"));
	ck_assert_ptr_null(put("a", "new!!"));
	ck_assert_ptr_null(get("a"));
	ck_assert_uint_eq(lru_counts(lru).too_large, 1);
	ck_assert_uint_eq(evicted_count, 0);
	ck_assert_ptr_nonnull(put("a", "fits"));
}
END_TEST

START_TEST(drops_are_no_evictions)
{
	put("a", "1");
	put("b", "2");
	put("c", "3");
	ck_assert(lru_drop(lru, "b", 1));
	ck_assert(!lru_drop(lru, "b", 1));
	ck_assert_ptr_null(get("b"));
	lru_drop_all(lru);
	ck_assert_ptr_null(get("a"));
	ck_assert_uint_eq(lru_counts(lru).drops, 3);
	ck_assert_uint_eq(lru_counts(lru).evictions, 0);
	ck_assert_uint_eq(lru_counts(lru).entries, 0);
	ck_assert_uint_eq(lru_counts(lru).bytes, 0);
	put("a", "4");
	ck_assert_str_eq(get("a"), "4");
}
END_TEST

START_TEST(hits_and_misses_are_counted)
{
	put("a", "1");
	get("a");
	get("a");
	get("z");
	struct lru_counts counts = lru_counts(lru);
	ck_assert_uint_eq(counts.hits, 2);
	ck_assert_uint_eq(counts.misses, 1);
	ck_assert_uint_eq(counts.insertions, 1);
}
END_TEST

START_TEST(one_entry_is_a_map_too)
{
	set_up_with(1, LRU_BYTES_MAX);
	put("a", "1");
	put("b", "2");
	ck_assert_ptr_null(get("a"));
	ck_assert_str_eq(get("b"), "2");
	lru_free(NULL);
}
END_TEST

/* The plain model: a list, most recently used first. */
struct item {
	unsigned key;
	size_t value_bytes;
	unsigned char fill;
};

static struct item items[ENTRIES + 1];
static size_t items_count;

static size_t name_key(unsigned key, char out[8])
{
	return (size_t)snprintf(out, 8, "key%u", key);
}

static size_t find_item(unsigned key)
{
	size_t place = 0;
	while (place < items_count && items[place].key != key)
		place++;
	return place;
}

static void remove_item(size_t place)
{
	items_count--;
	memmove(&items[place], &items[place + 1], (items_count - place) * sizeof(items[0]));
}

static void push_item(struct item item)
{
	memmove(&items[1], &items[0], items_count * sizeof(items[0]));
	items[0] = item;
	items_count++;
}

static size_t sum_items(void)
{
	size_t sum = 0;
	char name[8];
	for (size_t i = 0; i < items_count; i++)
		sum += lru_entry_bytes() + name_key(items[i].key, name) + items[i].value_bytes;
	return sum;
}

static void put_both(unsigned key)
{
	char name[8];
	unsigned char value[VALUE_MAX];
	struct item item = { key, (size_t)(random() % VALUE_MAX), (unsigned char)random() };
	memset(value, item.fill, sizeof(value));
	size_t place = find_item(key);
	if (place < items_count)
		remove_item(place);
	push_item(item);
	while (items_count > ENTRIES || sum_items() > ROOM)
		items_count--;
	ck_assert_ptr_nonnull(lru_put(lru,
		&(struct lru_entry){ .key = name,
			.key_bytes = name_key(key, name),
			.value = value,
			.value_bytes = item.value_bytes }));
}

static void find_both(unsigned key)
{
	char name[8];
	const struct lru_entry *entry = lru_find(lru, name, name_key(key, name));
	size_t place = find_item(key);
	ck_assert_int_eq(entry != NULL, place < items_count);
	if (entry == NULL)
		return;
	struct item item = items[place];
	ck_assert_uint_eq(entry->value_bytes, item.value_bytes);
	for (size_t i = 0; i < item.value_bytes; i++)
		ck_assert_uint_eq(((const unsigned char *)entry->value)[i], item.fill);
	remove_item(place);
	push_item(item);
}

static void drop_both(unsigned key)
{
	char name[8];
	size_t place = find_item(key);
	ck_assert_int_eq(lru_drop(lru, name, name_key(key, name)), place < items_count);
	if (place < items_count)
		remove_item(place);
}

static void work_on_both(void)
{
	unsigned key = (unsigned)(random() % KEYS);
	long what = random() % 100;
	if (what == 0) {
		lru_drop_all(lru);
		items_count = 0;
	} else if (what < 10) {
		drop_both(key);
	} else if (what < 50) {
		put_both(key);
	} else {
		find_both(key);
	}
	ck_assert_uint_eq(lru_counts(lru).entries, items_count);
	ck_assert_uint_eq(lru_counts(lru).bytes, sum_items());
}

START_TEST(random_work_agrees_with_a_plain_list)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		srandom(round);
		set_up_with(ENTRIES, ROOM);
		items_count = 0;
		for (unsigned step = 0; step < STEPS; step++)
			work_on_both();
		ck_assert_uint_eq(lru_counts(lru).evictions, evicted_count);
		ck_assert_uint_gt(evicted_count, 0);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lru");
	TCase *test_case = tcase_create("lru");
	tcase_add_checked_fixture(test_case, set_up, tear_down);
	tcase_add_test(test_case, what_was_put_is_found);
	tcase_add_test(test_case, the_least_recently_used_leaves_first);
	tcase_add_test(test_case, bytes_are_a_limit_of_their_own);
	tcase_add_test(test_case, what_is_too_large_is_not_kept_and_hides_the_old);
	tcase_add_test(test_case, drops_are_no_evictions);
	tcase_add_test(test_case, hits_and_misses_are_counted);
	tcase_add_test(test_case, one_entry_is_a_map_too);
	tcase_add_test(test_case, random_work_agrees_with_a_plain_list);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
