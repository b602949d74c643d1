/* The views that the bare loop puts into Redis: sent in one burst, the answers read when the batch lands. */
#include "bare.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "keyvalue.h"

static redisContext *store;

static void check_reply(void *answer, int type)
{
	redisReply *reply = answer;
	if (reply == NULL || reply->type != type)
		fail("redis: %s", reply == NULL ? store->errstr : reply->str);
	freeReplyObject(reply);
}

void bare_connect_views(void)
{
	const char *port = strrchr(setting("REDIS_URL"), ':');
	store = redisConnect("127.0.0.1", port == NULL ? 0 : (int)strtol(port + 1, NULL, 10));
	if (store == NULL || store->err != 0)
		fail("redis: %s", store == NULL ? "out of memory" : store->errstr);
	check_reply(redisCommand(store, "AUTH %s %s", setting("REDIS_USER"), setting("REDIS_PASSWORD")),
		REDIS_REPLY_STATUS);
}

size_t bare_put_views(const struct bare_batch *batch)
{
	size_t count = 0;
	int is_sent = 0;
	for (size_t i = 0; i < batch->outputs_count; i++) {
		const struct bare_output *output = &batch->outputs[i];
		if (!output->is_view)
			continue;
		redisAppendCommand(store, "FCALL view_put 1 view:stock:%s %" PRId64 " %d %s", output->routing_key,
			output->version, VIEW_TTL_S, output->body);
		count++;
	}
	while (count > 0 && !is_sent)
		if (redisBufferWrite(store, &is_sent) != REDIS_OK)
			fail("redis: %s", store->errstr);
	return count;
}

void bare_take_views(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		void *reply = NULL;
		redisGetReply(store, &reply);
		check_reply(reply, REDIS_REPLY_INTEGER);
	}
}
