/* A hash of bytes for tables in memory: fast, the same in every process, no defence against chosen keys. */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *bytes, size_t length);
