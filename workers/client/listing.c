/* Page after page, each asked for with the cursor of the one before. */
#include "listing.h"

enum { PAGE_ITEMS_MAX = 100 };

/* One page; its items go behind those of `list`. */
static enum ending add_page(struct door *door, const char *what, const char *path, json_t *list)
{
	struct door_answer answer;
	const struct door_request request = { .method = "GET", .path = path };
	enum ending ending = door_call(door, what, &request, &answer, stderr);
	json_t *items = json_object_get(answer.body, "items");
	if (ending == ENDING_DONE && !json_is_array(items)) {
		fprintf(stderr, "%s: the answer is no list; check CAREBUS_HTTP\n", what);
		ending = ENDING_FAULT;
	}
	if (ending == ENDING_DONE) {
		json_array_extend(json_object_get(list, "items"), items);
		json_object_set(list, "as_of", json_object_get(answer.body, "as_of"));
		json_object_del(list, "next");
		if (json_is_string(json_object_get(answer.body, "next")))
			json_object_set(list, "next", json_object_get(answer.body, "next"));
	}
	door_answer_clear(&answer);
	return ending;
}

static void page_path(struct buffer *page, const char *path, size_t left, const char *cursor)
{
	char number[24];
	snprintf(number, sizeof(number), "%zu", left < PAGE_ITEMS_MAX ? left : PAGE_ITEMS_MAX);
	buffer_reset(page);
	buffer_add_text(page, path);
	door_query(page, "limit", number);
	door_query(page, "cursor", cursor);
}

/* `*list` becomes {as_of, items[, next]}, owned by the caller; NULL where it could not be had. */
static enum ending fetch(struct door *door, const struct listing *listing, json_t **list)
{
	struct buffer page;
	json_t *found = json_pack("{s:n, s:[]}", "as_of", "items");
	enum ending ending = ENDING_DONE;
	size_t count = 0;
	buffer_init(&page);
	do {
		page_path(&page, listing->path, listing->limit - count,
			json_string_value(json_object_get(found, "next")));
		ending = add_page(door, listing->what, buffer_text(&page), found);
		size_t more = json_array_size(json_object_get(found, "items")) - count;
		if (more == 0)
			break; /* a page without items ends it, whatever it says */
		count += more;
	} while (ending == ENDING_DONE && count < listing->limit && json_object_get(found, "next") != NULL);
	buffer_clear(&page);
	*list = ending == ENDING_DONE ? found : NULL;
	if (ending != ENDING_DONE)
		json_decref(found);
	return ending;
}

const char *listing_text(const json_t *item, const char *name)
{
	return json_string_value(json_object_get(item, name));
}

static void print_text(const struct listing *listing, const json_t *list)
{
	struct table table;
	char as_of[CELL_BYTES_MAX];
	const json_t *items = json_object_get(list, "items");
	table_init(&table, listing->columns);
	for (size_t i = 0; i < json_array_size(items); i++)
		listing->add_row(&table, json_array_get(items, i));
	table_print(&table, stdout);
	table_clear(&table);
	print_safe(listing_text(list, "as_of"), as_of, sizeof(as_of));
	printf("%zu%s, as of %s\n", json_array_size(items),
		json_object_get(list, "next") != NULL ? " and more (--limit)" : "", as_of);
}

enum ending listing_show(struct door *door, const struct listing *listing)
{
	json_t *list;
	enum ending ending = fetch(door, listing, &list);
	if (ending == ENDING_DONE && listing->is_json)
		print_json_value(list);
	else if (ending == ENDING_DONE)
		print_text(listing, list);
	json_decref(list);
	return ending;
}

enum ending listing_show_one(struct door *door, const char *what, const char *path, bool is_json)
{
	struct door_answer answer;
	const struct door_request request = { .method = "GET", .path = path };
	enum ending ending = door_call(door, what, &request, &answer, stderr);
	if (ending == ENDING_DONE && is_json)
		print_json_value(answer.body);
	else if (ending == ENDING_DONE)
		print_members(answer.body);
	door_answer_clear(&answer);
	return ending;
}
