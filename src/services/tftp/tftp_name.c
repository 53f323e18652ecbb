/* SPDX-License-Identifier: MIT */
#include "services/tftp/tftp_name.h"

/* Copy with "/" for "\". */
static enum err
copy(char out[static TFTP_NAME_MAX + 1], struct span asked)
{
	if (asked.len > TFTP_NAME_MAX)
		return ERR_RANGE;
	for (size_t i = 0; i < asked.len; i++) {
		uint8_t c = asked.at[i];

		if (c < 0x20)
			return ERR_FORMAT;
		out[i] = (char)(c == '\\' ? '/' : c);
	}
	out[asked.len] = '\0';
	return OK;
}

/* Give the part of text behind the root's path, or text where it does not begin with that. */
static const char *
behind_root(const char *text, const char *root)
{
	size_t len = strlen(root);

	while (len > 0 && root[len - 1] == '/')
		len--;
	if (len == 0 || strncmp(text, root, len) != 0 || text[len] != '/')
		return text;
	return text + len;
}

enum err
tftp_name_clean(struct tftp_name *out, struct span asked, const char *root)
{
	char raw[TFTP_NAME_MAX + 1];
	enum err e = copy(raw, asked);
	size_t used = 0;

	if (e != OK)
		return e;
	for (const char *at = behind_root(raw, root); *at != '\0';) {
		size_t len = strcspn(at, "/");

		if (len == 2 && memcmp(at, "..", 2) == 0)
			return ERR_DENIED;
		if (len != 0 && !(len == 1 && *at == '.')) {
			if (used != 0)
				out->text[used++] = '/';
			memcpy(out->text + used, at, len);
			used += len;
		}
		at += len;
		at += *at == '/';
	}
	out->text[used] = '\0';
	return used != 0 ? OK : ERR_FORMAT;
}

bool
tftp_name_trim(struct tftp_name *name)
{
	struct tftp_name rest;
	size_t len = strlen(name->text), keep = len;

	while (keep > 0 && (uint8_t)name->text[keep - 1] >= 0x7f)
		keep--;
	/* Clean anew: what is left may end in "/", "." or "..". */
	if (keep == len || tftp_name_clean(&rest, span_of(name->text, keep), "") != OK)
		return false;
	*name = rest;
	return true;
}
