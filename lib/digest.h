/* SHA-256 and HMAC with it, over libcrypto. */
#pragma once

#include <stddef.h>

enum { SHA256_BYTES = 32, SHA256_TEXT_BYTES = 65 };

void sha256(const void *data, size_t length, unsigned char out[SHA256_BYTES]);
void sha256_text(const void *data, size_t length, char out[SHA256_TEXT_BYTES]); /* lower-case hex */

/* RFC 2104 with SHA-256, of a text; lower-case hex. */
void hmac_text(const void *key, size_t key_bytes, const char *text, char out[SHA256_TEXT_BYTES]);
