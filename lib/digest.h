/* SHA-256, over libcrypto. */
#pragma once

#include <stddef.h>

enum { SHA256_BYTES = 32, SHA256_TEXT_BYTES = 65 };

void sha256(const void *data, size_t length, unsigned char out[SHA256_BYTES]);
void sha256_text(const void *data, size_t length, char out[SHA256_TEXT_BYTES]); /* lower-case hex */
