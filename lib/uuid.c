/* UUIDs: text and bytes, versions 4 and 5. */
#include "uuid.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { SHA1_BYTES = 20 };

/* Values of hexadecimal digits, plus one: 0 is no digit. */
static const unsigned char hex_values[UCHAR_MAX + 1] = {
	['0'] = 1,
	['1'] = 2,
	['2'] = 3,
	['3'] = 4,
	['4'] = 5,
	['5'] = 6,
	['6'] = 7,
	['7'] = 8,
	['8'] = 9,
	['9'] = 10,
	['a'] = 11,
	['b'] = 12,
	['c'] = 13,
	['d'] = 14,
	['e'] = 15,
	['f'] = 16,
	['A'] = 11,
	['B'] = 12,
	['C'] = 13,
	['D'] = 14,
	['E'] = 15,
	['F'] = 16,
};

static int hex_value(char digit)
{
	return hex_values[(unsigned char)digit] - 1;
}

static bool hyphen_follows(int byte)
{
	return byte == 3 || byte == 5 || byte == 7 || byte == 9;
}

static void set_version(unsigned char bytes[UUID_BYTES], unsigned version)
{
	bytes[6] = (unsigned char)((bytes[6] & 0x0fu) | (version << 4));
	bytes[8] = (unsigned char)((bytes[8] & 0x3fu) | 0x80u);
}

/*
 * One context, made at the first call and kept: fetching the algorithm at each call costs more than
 * hashing.
 */
static EVP_MD_CTX *sha1_context(void)
{
	static EVP_MD_CTX *context;
	if (context != NULL)
		return context;
	context = EVP_MD_CTX_new();
	EVP_MD *sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	if (context == NULL || sha1 == NULL || EVP_DigestInit_ex2(context, sha1, NULL) != 1)
		abort();
	EVP_MD_free(sha1);
	return context;
}

static void add(EVP_MD_CTX *context, const void *bytes, size_t length)
{
	if (EVP_DigestUpdate(context, bytes, length) != 1)
		abort();
}

bool uuid_parse(const char *text, unsigned char bytes[UUID_BYTES])
{
	unsigned char parsed[UUID_BYTES];
	for (int i = 0; i < UUID_BYTES; i++) {
		int high = hex_value(text[0]);
		int low = high < 0 ? -1 : hex_value(text[1]);
		if (low < 0)
			return false;
		parsed[i] = (unsigned char)(high * 16 + low);
		text += 2;
		if (hyphen_follows(i) && *text++ != '-')
			return false;
	}
	if (*text != '\0')
		return false;
	memcpy(bytes, parsed, UUID_BYTES);
	return true;
}

void uuid_print(const unsigned char bytes[UUID_BYTES], char text[UUID_TEXT_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	for (int i = 0; i < UUID_BYTES; i++) {
		*text++ = digits[bytes[i] >> 4];
		*text++ = digits[bytes[i] & 0x0f];
		if (hyphen_follows(i))
			*text++ = '-';
	}
	*text = '\0';
}

bool uuid_canonical(const char *text, char out[UUID_TEXT_BYTES])
{
	unsigned char bytes[UUID_BYTES];
	if (!uuid_parse(text, bytes))
		return false;
	uuid_print(bytes, out);
	return true;
}

void uuid_from_names(const unsigned char namespace_bytes[UUID_BYTES], const char *const parts[],
	char out[UUID_TEXT_BYTES])
{
	unsigned char hash[SHA1_BYTES];
	EVP_MD_CTX *context = sha1_context();
	if (EVP_DigestInit_ex2(context, NULL, NULL) != 1)
		abort();
	add(context, namespace_bytes, UUID_BYTES);
	for (size_t i = 0; parts[i] != NULL; i++) {
		if (i > 0)
			add(context, "", 1);
		add(context, parts[i], strlen(parts[i]));
	}
	if (EVP_DigestFinal_ex(context, hash, NULL) != 1)
		abort();
	set_version(hash, 5);
	uuid_print(hash, out);
}

void uuid_random(char out[UUID_TEXT_BYTES])
{
	unsigned char bytes[UUID_BYTES];
	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		abort();
	set_version(bytes, 4);
	uuid_print(bytes, out);
}
