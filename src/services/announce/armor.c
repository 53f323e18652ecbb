/* SPDX-License-Identifier: MIT */
/* Base32 and base64, one bit pump for both. RFC 4648 §4, §6. */
#include "services/announce/armor.h"

#include <stdbool.h>

static const char base32_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
static const char base64_chars[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *
put_chars(char *out, struct span bytes, unsigned bits, const char *chars)
{
	uint32_t acc = 0;
	unsigned have = 0;

	for (size_t i = 0; i < bytes.len; i++) {
		acc = acc << 8 | bytes.at[i];
		for (have += 8; have >= bits; have -= bits)
			*out++ = chars[acc >> (have - bits) & ((1U << bits) - 1)];
	}
	if (have != 0)
		*out++ = chars[acc << (bits - have) & ((1U << bits) - 1)];
	*out = '\0';
	return out;
}

void
armor_base32(char *out, struct span bytes)
{
	put_chars(out, bytes, 5, base32_chars);
}

void
armor_base64(char *out, struct span bytes)
{
	char *end = put_chars(out, bytes, 6, base64_chars);

	while ((end - out) % 4 != 0)
		*end++ = '=';
	*end = '\0';
}

struct bit_sink {
	uint8_t *out;
	size_t left;
	uint32_t acc;
	unsigned have;
};

/* Take in one character; false where it has no place. */
static bool
sink_char(struct bit_sink *s, uint8_t c, unsigned bits, const char *chars)
{
	const char *at = c != 0 ? strchr(chars, c) : NULL;

	if (at == NULL)
		return false;
	s->acc = s->acc << bits | (uint32_t)(at - chars);
	s->have += bits;
	if (s->have < 8)
		return true;
	if (s->left == 0)
		return false;
	s->have -= 8;
	s->left--;
	*s->out++ = (uint8_t)(s->acc >> s->have);
	return true;
}

static enum err
sink_finish(const struct bit_sink *s, unsigned bits)
{
	bool rest_is_zero = (s->acc & ((1U << s->have) - 1)) == 0;

	return s->left == 0 && s->have < bits && rest_is_zero ? OK : ERR_FORMAT;
}

enum err
armor_base64_read(uint8_t *out, size_t len, struct span text)
{
	struct bit_sink s = { .out = out, .left = len };

	for (unsigned pad = 0; pad < 2 && text.len != 0 && text.at[text.len - 1] == '='; pad++)
		text.len--;
	for (size_t i = 0; i < text.len; i++)
		if (!sink_char(&s, text.at[i], 6, base64_chars))
			return ERR_FORMAT;
	return sink_finish(&s, 6);
}

enum err
armor_base32_read(uint8_t *out, size_t len, struct span text)
{
	struct bit_sink s = { .out = out, .left = len };

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.at[i];

		if (c == '-' || c == ' ')
			continue;
		if (c >= 'a' && c <= 'z')
			c = (uint8_t)(c - 'a' + 'A');
		if (!sink_char(&s, c, 5, base32_chars))
			return ERR_FORMAT;
	}
	return sink_finish(&s, 5);
}
