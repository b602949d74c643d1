/* SHA-256 against the examples of FIPS 180-4, HMAC against those of RFC 4231. */
#include "digest.h"

#include <stdlib.h>
#include <string.h>

#include "run.h"

START_TEST(known_answers)
{
	char text[SHA256_TEXT_BYTES];
	sha256_text("", 0, text);
	ck_assert_str_eq(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	sha256_text("abc", 3, text);
	ck_assert_str_eq(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, text);
	ck_assert_str_eq(text, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}
END_TEST

/* RFC 4231, test cases 2 and 6. */
START_TEST(known_codes)
{
	char text[SHA256_TEXT_BYTES];
	unsigned char long_key[131];
	hmac_text("Jefe", 4, "what do ya want for nothing?", text);
	ck_assert_str_eq(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(long_key, 0xaa, sizeof(long_key));
	hmac_text(long_key, sizeof(long_key), "Test Using Larger Than Block-Size Key - Hash Key First", text);
	ck_assert_str_eq(text, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}
END_TEST

START_TEST(a_million_letters)
{
	const size_t length = 1000000;
	char text[SHA256_TEXT_BYTES];
	char *letters = malloc(length);
	ck_assert_ptr_nonnull(letters);
	memset(letters, 'a', length);
	sha256_text(letters, length, text);
	free(letters);
	ck_assert_str_eq(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
END_TEST

START_TEST(bytes_and_text_agree)
{
	unsigned char bytes[SHA256_BYTES];
	char text[SHA256_TEXT_BYTES];
	sha256("x\0y", 3, bytes);
	sha256_text("x\0y", 3, text);
	for (int i = 0; i < SHA256_BYTES; i++)
		ck_assert_uint_eq(bytes[i], strtoul((char[]){ text[2 * i], text[2 * i + 1], '\0' }, NULL, 16));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("digest");
	TCase *test_case = tcase_create("digest");
	tcase_add_test(test_case, known_answers);
	tcase_add_test(test_case, known_codes);
	tcase_add_test(test_case, a_million_letters);
	tcase_add_test(test_case, bytes_and_text_agree);
	suite_add_tcase(suite, test_case);
	return run_suite(suite);
}
