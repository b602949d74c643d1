/* FNV-1a, and a last mix so that the low bits depend on all of them. */
#include "hash.h"

#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)
#define MIX_FACTOR UINT64_C(0xff51afd7ed558ccd)

uint64_t hash_bytes(const void *bytes, size_t length)
{
	const unsigned char *next = bytes;
	uint64_t hash = FNV_BASIS;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ next[i]) * FNV_PRIME;
	hash = (hash ^ hash >> 33) * MIX_FACTOR;
	return hash ^ hash >> 33;
}
