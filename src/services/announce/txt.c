/* SPDX-License-Identifier: MIT */
/* DNS-SD key/value pairs: reader, writer, look-up. RFC 6763 §6. */
#include "services/announce/txt.h"

static bool
key_is_valid(struct span key)
{
	for (size_t i = 0; i < key.len; i++)
		if (key.at[i] < 0x20 || key.at[i] > 0x7e || key.at[i] == '=')
			return false;
	return key.len != 0;
}

struct txt_pair
txt_split(struct span text)
{
	const uint8_t *sign = text.len != 0 ? memchr(text.at, '=', text.len) : NULL;

	if (sign == NULL)
		return (struct txt_pair){ .key = text };

	size_t key_len = (size_t)(sign - text.at);

	return (struct txt_pair){ .key = span_of(text.at, key_len), .has_value = true,
	    .value = span_of(sign + 1, text.len - key_len - 1) };
}

enum err
txt_put(struct wire_wr *wr, const struct txt_pair *pair)
{
	size_t len = pair->key.len + (pair->has_value ? 1 + pair->value.len : 0);

	if (!key_is_valid(pair->key))
		return ERR_FORMAT;
	if (len > TXT_STRING_MAX)
		return ERR_RANGE;
	wire_wr_u8(wr, (uint8_t)len);
	wire_wr_bytes(wr, pair->key);
	if (pair->has_value) {
		wire_wr_u8(wr, '=');
		wire_wr_bytes(wr, pair->value);
	}
	return wire_wr_finish(wr);
}

bool
txt_next(struct wire_rd *rd, struct txt_pair *pair)
{
	while (!rd->bad && wire_rd_left(rd) != 0) {
		size_t len = wire_rd_u8(rd);

		*pair = txt_split(wire_rd_bytes(rd, len));
		if (!rd->bad && key_is_valid(pair->key))
			return true;
	}
	return false;
}

enum err
txt_check(struct span body)
{
	struct wire_rd rd = wire_rd_of(body);
	size_t strings = 0;

	while (!rd.bad && wire_rd_left(&rd) != 0) {
		wire_rd_skip(&rd, wire_rd_u8(&rd));
		if (++strings > TXT_PAIRS_MAX)
			return ERR_RANGE;
	}
	return wire_rd_finish(&rd);
}

bool
txt_find(struct span body, const char *key, struct span *value)
{
	struct wire_rd rd = wire_rd_of(body);
	struct txt_pair pair;

	while (txt_next(&rd, &pair)) {
		if (span_equal_nocase(pair.key, span_str(key))) {
			*value = pair.value;
			return true;
		}
	}
	return false;
}
