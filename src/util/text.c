/* SPDX-License-Identifier: MIT */
/* Cutting text into lines, words and fields. */
#include "util/text.h"

bool
text_next_line(struct span *rest, struct span *line)
{
	if (rest->len == 0)
		return false;
	*line = text_next_field(rest, '\n');
	return true;
}

struct span
text_next_word(struct span *rest)
{
	while (rest->len != 0 && text_is_blank(rest->at[0]))
		*rest = text_after(*rest, 1);

	struct span word = span_of(rest->at, 0);

	while (word.len < rest->len && !text_is_blank(rest->at[word.len]))
		word.len++;
	*rest = text_after(*rest, word.len);
	return word;
}

struct span
text_next_field(struct span *rest, uint8_t mark)
{
	const uint8_t *end = rest->len != 0 ? memchr(rest->at, mark, rest->len) : NULL;
	struct span field = *rest;

	if (end == NULL) {
		*rest = text_after(*rest, rest->len);
		return field;
	}
	field.len = (size_t)(end - rest->at);
	*rest = text_after(*rest, field.len + 1);
	return field;
}

struct span
text_trim(struct span text)
{
	while (text.len != 0 && text_is_blank(text.at[0]))
		text = text_after(text, 1);
	while (text.len != 0 && text_is_blank(text.at[text.len - 1]))
		text.len--;
	return text;
}

bool
text_u64(struct span text, uint64_t *out)
{
	uint64_t v = 0;

	if (text.len == 0)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t digit = (uint8_t)(text.at[i] - '0');

		if (digit > 9 || v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}
