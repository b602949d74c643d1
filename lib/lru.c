/* A hash table of chains whose nodes also hang in a ring, most recently used first. */
#include "lru.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"

struct ring {
	struct ring *newer, *older;
};

/* One allocation: the entry's key and value lie behind it. */
struct node {
	struct ring ring; /* first, so that a place in the ring is its node */
	struct lru_entry entry;
	uint64_t hash;
	struct node *next;   /* of the same bucket */
	struct node **place; /* what points to this node: the bucket, or another's `next` */
};

struct lru {
	struct lru_settings settings;
	struct lru_counts counts;
	struct ring ends; /* older = the most, newer = the least recently used, or itself */
	size_t mask;      /* buckets - 1 */
	struct node *buckets[];
};

/* A power of two, so that a chain has one node in the mean at most. */
static size_t count_buckets(size_t entries_max)
{
	size_t count = 1;
	while (count < entries_max)
		count *= 2;
	return count;
}

struct lru *lru_new(const struct lru_settings *settings)
{
	assert(settings->entries_max >= 1 && settings->entries_max <= LRU_ENTRIES_MAX);
	assert(settings->bytes_max >= 1 && settings->bytes_max <= LRU_BYTES_MAX);
	size_t count = count_buckets(settings->entries_max);
	struct lru *lru = calloc(1, sizeof(*lru) + count * sizeof(lru->buckets[0]));
	if (lru == NULL)
		abort();
	lru->settings = *settings;
	lru->mask = count - 1;
	lru->ends.newer = lru->ends.older = &lru->ends;
	return lru;
}

static void link_as_newest(struct lru *lru, struct node *node)
{
	node->ring.newer = &lru->ends;
	node->ring.older = lru->ends.older;
	node->ring.older->newer = &node->ring;
	lru->ends.older = &node->ring;
}

static void unlink_node(struct node *node)
{
	node->ring.newer->older = node->ring.older;
	node->ring.older->newer = node->ring.newer;
}

static void add_to_bucket(struct node **bucket, struct node *node)
{
	node->next = *bucket;
	node->place = bucket;
	if (node->next != NULL)
		node->next->place = &node->next;
	*bucket = node;
}

static bool is_of_key(const struct node *node, uint64_t hash, const char *key, size_t key_bytes)
{
	return node->hash == hash && node->entry.key_bytes == key_bytes
		&& memcmp(node->entry.key, key, key_bytes) == 0;
}

static struct node *find_node(const struct lru *lru, uint64_t hash, const char *key, size_t key_bytes)
{
	struct node *node = lru->buckets[hash & lru->mask];
	while (node != NULL && !is_of_key(node, hash, key, key_bytes))
		node = node->next;
	return node;
}

static size_t cost_of(const struct lru_entry *entry)
{
	return lru_entry_bytes() + entry->key_bytes + entry->value_bytes;
}

/* Of one that is out of the ring. */
static void free_node(struct lru *lru, struct node *node)
{
	*node->place = node->next;
	if (node->next != NULL)
		node->next->place = node->place;
	lru->counts.entries--;
	lru->counts.bytes -= cost_of(&node->entry);
	free(node);
}

static void remove_node(struct lru *lru, struct node *node)
{
	unlink_node(node);
	free_node(lru, node);
}

static struct node *take_oldest(struct lru *lru)
{
	struct ring *oldest = lru->ends.newer;
	lru->ends.newer = oldest->newer;
	oldest->newer->older = &lru->ends;
	return (struct node *)oldest;
}

static void evict_oldest(struct lru *lru)
{
	struct node *node = take_oldest(lru);
	if (lru->settings.evicted != NULL)
		lru->settings.evicted(lru->settings.owner, &node->entry);
	lru->counts.evictions++;
	free_node(lru, node);
}

static struct node *copy_entry(const struct lru_entry *entry, uint64_t hash)
{
	struct node *node = malloc(cost_of(entry));
	if (node == NULL)
		abort();
	char *key = (char *)(node + 1), *value = key + entry->key_bytes + 1;
	memcpy(key, entry->key, entry->key_bytes);
	key[entry->key_bytes] = '\0';
	if (entry->value_bytes > 0)
		memcpy(value, entry->value, entry->value_bytes);
	*node = (struct node){ .entry = *entry, .hash = hash };
	node->entry.key = key;
	node->entry.value = value;
	return node;
}

static bool is_too_large(const struct lru *lru, const struct lru_entry *entry)
{
	return entry->key_bytes > LRU_KEY_MAX || entry->value_bytes > lru->settings.bytes_max
		|| cost_of(entry) > lru->settings.bytes_max;
}

static void make_room(struct lru *lru, size_t bytes)
{
	while (lru->counts.entries >= lru->settings.entries_max
		|| lru->counts.bytes + bytes > lru->settings.bytes_max)
		evict_oldest(lru);
}

size_t lru_entry_bytes(void)
{
	return sizeof(struct node) + 1;
}

const struct lru_entry *lru_find(struct lru *lru, const char *key, size_t key_bytes)
{
	struct node *node = find_node(lru, hash_bytes(key, key_bytes), key, key_bytes);
	if (node == NULL) {
		lru->counts.misses++;
		return NULL;
	}
	lru->counts.hits++;
	unlink_node(node);
	link_as_newest(lru, node);
	return &node->entry;
}

const struct lru_entry *lru_put(struct lru *lru, const struct lru_entry *entry)
{
	uint64_t hash = hash_bytes(entry->key, entry->key_bytes);
	struct node *node = find_node(lru, hash, entry->key, entry->key_bytes);
	if (node != NULL)
		remove_node(lru, node);
	if (is_too_large(lru, entry)) {
		lru->counts.too_large++;
		return NULL;
	}
	make_room(lru, cost_of(entry));
	node = copy_entry(entry, hash);
	add_to_bucket(&lru->buckets[hash & lru->mask], node);
	link_as_newest(lru, node);
	lru->counts.insertions++;
	lru->counts.entries++;
	lru->counts.bytes += cost_of(entry);
	return &node->entry;
}

bool lru_drop(struct lru *lru, const char *key, size_t key_bytes)
{
	struct node *node = find_node(lru, hash_bytes(key, key_bytes), key, key_bytes);
	if (node == NULL)
		return false;
	remove_node(lru, node);
	lru->counts.drops++;
	return true;
}

static void free_all(struct lru *lru)
{
	for (struct ring *place = lru->ends.older; place != &lru->ends;) {
		struct ring *older = place->older;
		free(place);
		place = older;
	}
}

void lru_drop_all(struct lru *lru)
{
	free_all(lru);
	memset(lru->buckets, 0, (lru->mask + 1) * sizeof(lru->buckets[0]));
	lru->ends.newer = lru->ends.older = &lru->ends;
	lru->counts.drops += lru->counts.entries;
	lru->counts.entries = lru->counts.bytes = 0;
}

void lru_free(struct lru *lru)
{
	if (lru == NULL)
		return;
	free_all(lru);
	free(lru);
}

struct lru_counts lru_counts(const struct lru *lru)
{
	return lru->counts;
}
