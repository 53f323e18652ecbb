/* SPDX-License-Identifier: MIT */
/*
 * UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF. What can
 * be shown is a short list of exceptions, not a Unicode table: the aim is that a name from the
 * network can neither move a cursor nor reorder or hide what stands around it.
 */
#include "util/utf8.h"

#include <string.h>

/* Invisible characters and those that change the direction of writing. */
static const struct {
	uint32_t first, last;
} hidden[] = {
	{ 0x7f, 0x9f },		/* DEL and the C1 controls */
	{ 0xad, 0xad },		/* soft hyphen */
	{ 0x61c, 0x61c },	/* Arabic letter mark */
	{ 0x180e, 0x180e },	/* Mongolian vowel separator */
	{ 0x200b, 0x200f },	/* zero width, marks of direction */
	{ 0x2028, 0x202e },	/* line and paragraph separator, embeddings, overrides */
	{ 0x2060, 0x206f },	/* word joiner, isolates */
	{ 0xfeff, 0xfeff },	/* byte order mark */
	{ 0xfff0, 0xfffb },	/* interlinear annotation */
	{ 0xfffe, 0xffff },	/* no characters */
	{ 0xe0000, 0xe0fff },	/* tags */
};

/* Decode one character; gives its length, or 0 where the bytes are none. */
static size_t
decode(struct span text, uint32_t *out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	if (text.len == 0)
		return 0;

	uint8_t lead = text.at[0];
	size_t len = lead < 0x80 ? 1 : lead >> 5 == 0x6 ? 2 : lead >> 4 == 0xe ? 3
	    : lead >> 3 == 0x1e ? 4 : 0;

	if (len == 0 || len > text.len)
		return 0;

	uint32_t c = len == 1 ? lead : lead & (0xffu >> (len + 1));

	for (size_t i = 1; i < len; i++) {
		if (text.at[i] >> 6 != 0x2)
			return 0;
		c = c << 6 | (text.at[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*out = c;
	return len;
}

bool
utf8_valid(struct span text)
{
	uint32_t c;

	while (text.len != 0) {
		size_t n = decode(text, &c);

		if (n == 0)
			return false;
		text = span_of(text.at + n, text.len - n);
	}
	return true;
}

size_t
utf8_printable(struct span text)
{
	uint32_t c;
	size_t n = decode(text, &c);

	if (n == 0 || c < 0x20)
		return 0;
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (c >= hidden[i].first && c <= hidden[i].last)
			return 0;
	return n;
}

size_t
utf8_escape_next(struct span *rest, char out[static UTF8_ESCAPED_MAX])
{
	static const char hex[] = "0123456789abcdef";
	static const char plain[] = "\\\n\r\t";
	static const char letter[] = "\\nrt";
	uint8_t c = rest->at[0];
	const char *named = c != 0 ? strchr(plain, c) : NULL;
	size_t n = utf8_printable(*rest);
	size_t used = n;

	if (named != NULL) {
		out[0] = '\\';
		out[1] = letter[named - plain];
		used = 2;
		n = 1;
	} else if (n != 0) {
		memcpy(out, rest->at, n);
	} else {
		out[0] = '\\';
		out[1] = 'x';
		out[2] = hex[c >> 4];
		out[3] = hex[c & 15];
		used = 4;
		n = 1;
	}
	*rest = span_of(rest->at + n, rest->len - n);
	return used;
}
