/* PURE. The body of a POST becomes the body of a command. */
#pragma once

#include "problem.h"
#include "route.h"

struct caller;

/*
 * Adds what the path and the token say, checks all by the contract and writes the command as canonical JSON, so that the same request
 * has the same bytes. `key` is what the member `command->key` gets when it is absent. False: `problem` says why; what it points to is in
 * the arena.
 */
bool command_write(const struct command *command, const struct caller *caller, const char *id,
	const char *key, const char *text, size_t length, struct arena *arena, struct buffer *out, void **body,
	struct problem *problem);
