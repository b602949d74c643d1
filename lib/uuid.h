/* UUIDs as canonical lower-case text. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { UUID_TEXT_BYTES = 37, UUID_BYTES = 16 };

/* Text <-> 16 bytes. False: not a uuid (36 characters, hyphens at 8-4-4-4-12; either case is read). */
bool uuid_parse(const char *text, unsigned char bytes[UUID_BYTES]);
void uuid_print(const unsigned char bytes[UUID_BYTES], char text[UUID_TEXT_BYTES]);

/* Canonical lower case. False: not a uuid. */
bool uuid_canonical(const char *text, char out[UUID_TEXT_BYTES]);

/*
 * RFC 4122 section 4.3, version 5: SHA-1 of namespace and the parts, joined by one NUL byte between two
 * parts. `parts` ends with NULL.
 */
void uuid_from_names(const unsigned char namespace_bytes[UUID_BYTES], const char *const parts[],
	char out[UUID_TEXT_BYTES]);

/* Version 4, from the system's random source. */
void uuid_random(char out[UUID_TEXT_BYTES]);
