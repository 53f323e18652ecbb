/* SPDX-License-Identifier: MIT */
/*
 * Names in requests, before and after the rules: what comes out is a relative path that leads
 * nowhere else. And netascii, torn into pieces: what was encoded is decoded the same.
 */
#include "fuzz.h"

#include <string.h>

#include "services/tftp/tftp_map.h"
#include "services/tftp/tftp_name.h"
#include "services/tftp/tftp_netascii.h"

static void
is_relative(const struct tftp_name *name)
{
	const char *at = name->text;

	FUZZ_CHECK(memchr(at, '\0', sizeof(name->text)) != NULL && *at != '\0');
	for (const char *c = at; *c != '\0'; c++)
		FUZZ_CHECK((uint8_t)*c >= 0x20 && *c != '\\');
	for (;;) {
		size_t len = strcspn(at, "/");

		FUZZ_CHECK(len != 0 && !(len == 1 && *at == '.'));
		FUZZ_CHECK(!(len == 2 && memcmp(at, "..", 2) == 0));
		if (at[len] == '\0')
			break;
		at += len + 1;
	}
}

static struct tftp_map *
rules(void)
{
	static const struct tftp_map_rule all[] = {
		{ .pattern = "^cfg/(.*)$", .to = "hosts/${mac}/\\1${ip}" },
		{ .pattern = "(.)(.*)x", .to = "\\2/\\1\\0..", .nocase = true },
		{ .pattern = "^secret/" },
		{ .pattern = "[^a-z./]+", .to = "", .final = true },
	};
	struct tftp_map *map;
	size_t bad;

	FUZZ_CHECK(tftp_map_new(&map, all, sizeof(all) / sizeof(all[0]), &bad) == OK);
	return map;
}

static void
names(struct span asked)
{
	static struct tftp_map *map;
	struct tftp_client who = { .mac_known = true, .mac = { 2, 3, 4, 5, 6, 7 } };
	struct tftp_name name, again;

	if (map == NULL)
		map = rules();
	if (tftp_name_clean(&name, asked, "/srv/tftp/") != OK)
		return;
	is_relative(&name);
	/* Clean is clean, wherever the root is. */
	FUZZ_CHECK(tftp_name_clean(&again, span_str(name.text), "") == OK);
	FUZZ_CHECK(strcmp(again.text, name.text) == 0);
	if (tftp_name_trim(&again))
		is_relative(&again);
	FUZZ_CHECK(addr_parse(&who.peer, "192.0.2.7", 0) == OK);
	who.server = who.peer;
	if (tftp_map_apply(map, &who, &name, NULL, NULL) == OK)
		is_relative(&name);
}

/* Encode in packets of `cut` bytes, decode each by itself. */
static void
netascii(struct span in, size_t cut)
{
	struct tftp_netascii enc = { 0 }, dec = { 0 };
	uint8_t packet[256], plain[sizeof(packet) + 1];
	const uint8_t *at = in.at, *end = at + in.len;
	size_t len, n;

	do {
		len = tftp_netascii_encode(&enc, &in, packet, cut);
		FUZZ_CHECK(len <= cut);
		n = tftp_netascii_decode(&dec, span_of(packet, len), plain);
		FUZZ_CHECK(n <= len + 1 && n <= (size_t)(end - at));
		FUZZ_CHECK(memcmp(plain, at, n) == 0);
		at += n;
	} while (len == cut);
	FUZZ_CHECK(in.len == 0 && at == end && tftp_netascii_decode_end(&dec, plain) == 0);
}

/* What others have encoded need not be right: nothing is lost but the pairs. */
static void
foreign(struct span in, size_t cut)
{
	struct tftp_netascii dec = { 0 };
	uint8_t plain[257];
	size_t total = 0, size = in.len;

	while (in.len != 0) {
		size_t len = in.len < cut ? in.len : cut;

		total += tftp_netascii_decode(&dec, span_of(in.at, len), plain);
		in = span_of(in.at + len, in.len - len);
	}
	total += tftp_netascii_decode_end(&dec, plain);
	FUZZ_CHECK(total <= size && 2 * total >= size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;

	struct span rest = span_of(data + 1, size - 1);

	names(rest);
	netascii(rest, data[0] + 1U);
	foreign(rest, data[0] + 1U);
	return 0;
}
