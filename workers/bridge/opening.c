/* One thread for each opening; it ends with it. */
#include "opening.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

static void tell(struct opening *opening)
{
	static const uint64_t one = 1;
	atomic_store(&opening->is_done, true);
	ssize_t ignored = write(opening->wake_socket, &one, sizeof(one));
	(void)ignored; /* the loop looks once a second as well */
}

static void *run(void *argument)
{
	struct opening *opening = argument;
	opening->is_open = opening->open(opening->connection, &opening->why);
	tell(opening);
	return NULL;
}

void opening_init(struct opening *opening, open_fn *open, void *connection, int wake_socket)
{
	*opening = (struct opening){ .open = open, .connection = connection, .wake_socket = wake_socket };
}

void opening_start(struct opening *opening)
{
	assert(!opening->is_running);
	opening->is_running = true;
	opening->is_open = false;
	atomic_store(&opening->is_done, false);
	int error = pthread_create(&opening->thread, NULL, run, opening);
	if (error == 0)
		return;
	because(&opening->why, "thread", "no thread to open a connection: %s", strerror(error));
	opening->is_running = false;
	tell(opening);
}

bool opening_take(struct opening *opening, bool *is_open, struct why *why)
{
	if (!atomic_load(&opening->is_done))
		return false;
	opening_end(opening);
	atomic_store(&opening->is_done, false);
	*is_open = opening->is_open;
	*why = opening->why;
	return true;
}

void opening_end(struct opening *opening)
{
	if (opening->is_running)
		pthread_join(opening->thread, NULL);
	opening->is_running = false;
}
