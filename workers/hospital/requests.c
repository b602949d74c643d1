/* The requests of a batch, sorted by id. */
#include "requests.h"

#include <stdlib.h>
#include <string.h>

const char *message_request_id(const struct message *message)
{
	const char *request_id = NULL;
	if (message->event == HOSPITAL_BLOOD_REQUEST)
		request_id = ((const struct hospital_blood_request *)message->body)->request_id;
	else if (message->event == HOSPITAL_BLOOD_REQUESTED)
		request_id = ((const struct hospital_blood_requested *)message->body)->request_id;
	else if (message->event == HOSPITAL_BLOOD_CANCEL)
		request_id = ((const struct hospital_blood_cancel *)message->body)->request_id;
	else if (message->event == BLOODBANK_BLOOD_APPROVED)
		request_id = ((const struct bloodbank_blood_approved *)message->body)->request_id;
	else if (message->event == BLOODBANK_BLOOD_REJECTED)
		request_id = ((const struct bloodbank_blood_rejected *)message->body)->request_id;
	else if (message->event == BLOODBANK_RESERVATION_RELEASED)
		request_id = ((const struct bloodbank_reservation_released *)message->body)->request_id;
	return request_id == NULL ? message->message_id : request_id;
}

const char *message_hospital_id(const struct message *message)
{
	if (message->event != HOSPITAL_BLOOD_REQUEST)
		return NULL;
	return ((const struct hospital_blood_request *)message->body)->hospital_id;
}

static int item_compare(const void *a, const void *b)
{
	return strcmp(((const struct request *)a)->request_id, ((const struct request *)b)->request_id);
}

struct requests *requests_of(const char *const request_ids[], size_t count, struct arena *arena)
{
	struct requests *requests = arena_new(arena, sizeof(*requests));
	requests->items = arena_array(arena, count, sizeof(*requests->items));
	for (size_t i = 0; i < count; i++)
		requests->items[i].request_id = request_ids[i];
	qsort(requests->items, count, sizeof(*requests->items), item_compare);
	for (size_t i = 0; i < count; i++)
		if (requests->count == 0
			|| item_compare(&requests->items[requests->count - 1], &requests->items[i]) != 0)
			requests->items[requests->count++] = requests->items[i];
	return requests;
}

struct requests *requests_new(const struct batch *batch)
{
	const char **request_ids = arena_array(batch->arena, batch->count, sizeof(*request_ids));
	for (size_t i = 0; i < batch->count; i++)
		request_ids[i] = message_request_id(batch->messages[i]);
	return requests_of(request_ids, batch->count, batch->arena);
}

struct request *requests_find(const struct requests *requests, const char *request_id)
{
	const struct request key = { .request_id = request_id };
	return bsearch(&key, requests->items, requests->count, sizeof(*requests->items), item_compare);
}

static int text_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool requests_knows_hospital(const struct requests *requests, const char *hospital_id)
{
	return bsearch(&hospital_id, requests->hospitals, requests->hospitals_count, sizeof(*requests->hospitals),
			   text_compare)
		!= NULL;
}
