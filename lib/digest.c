/* SHA-256 and HMAC by libcrypto. */
#include "digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

/*
 * One context, made at the first call and kept: fetching the algorithm at each call costs more than
 * hashing.
 */
static EVP_MD_CTX *sha256_context(void)
{
	static EVP_MD_CTX *context;
	if (context != NULL)
		return context;
	context = EVP_MD_CTX_new();
	EVP_MD *algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (context == NULL || algorithm == NULL || EVP_DigestInit_ex2(context, algorithm, NULL) != 1)
		abort();
	EVP_MD_free(algorithm);
	return context;
}

void sha256(const void *data, size_t length, unsigned char out[SHA256_BYTES])
{
	EVP_MD_CTX *context = sha256_context();
	if (EVP_DigestInit_ex2(context, NULL, NULL) != 1 || EVP_DigestUpdate(context, data, length) != 1
		|| EVP_DigestFinal_ex(context, out, NULL) != 1)
		abort();
}

static void print_hex(const unsigned char hash[SHA256_BYTES], char out[SHA256_TEXT_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	for (int i = 0; i < SHA256_BYTES; i++) {
		*out++ = digits[hash[i] >> 4];
		*out++ = digits[hash[i] & 0x0f];
	}
	*out = '\0';
}

void sha256_text(const void *data, size_t length, char out[SHA256_TEXT_BYTES])
{
	unsigned char hash[SHA256_BYTES];
	sha256(data, length, hash);
	print_hex(hash, out);
}

void hmac_text(const void *key, size_t key_bytes, const char *text, char out[SHA256_TEXT_BYTES])
{
	unsigned char hash[SHA256_BYTES];
	if (HMAC(EVP_sha256(), key, (int)key_bytes, (const unsigned char *)text, strlen(text), hash, NULL)
		== NULL)
		abort();
	print_hex(hash, out);
}
