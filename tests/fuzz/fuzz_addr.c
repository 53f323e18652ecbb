/* SPDX-License-Identifier: MIT */
/* Addresses and prefixes: what is accepted comes out as text that means the same. */
#include "fuzz.h"

#include "util/addr.h"

#include <string.h>

static void
address_round_trip(const char *text)
{
	struct addr a, b;
	char first[ADDR_TEXT_MAX], second[ADDR_TEXT_MAX];

	if (addr_parse(&a, text, 53) != OK)
		return;
	addr_format(&a, first);
	FUZZ_CHECK(addr_parse(&b, first, 0) == OK);
	FUZZ_CHECK(addr_equal(&a, &b));
	FUZZ_CHECK(strcmp(first, addr_format(&b, second)) == 0);
	addr_format_host(&a, first);
	FUZZ_CHECK(addr_parse(&b, first, addr_port(&a)) == OK);
	FUZZ_CHECK(addr_equal(&a, &b));
	addr_unmap(&b);
	FUZZ_CHECK(addr_port(&a) == addr_port(&b));

	/* Any address lies in each of its own prefixes. */
	for (unsigned bits = 0; bits <= 128; bits += 9) {
		struct prefix p;

		prefix_of(&p, &a, bits);
		FUZZ_CHECK(prefix_match(&p, &a));
	}
}

static void
prefix_round_trip(const char *text)
{
	struct prefix p, q;
	char buf[ADDR_TEXT_MAX];

	if (prefix_parse(&p, text) != OK)
		return;
	FUZZ_CHECK(prefix_parse(&q, prefix_format(&p, buf)) == OK);
	FUZZ_CHECK(p.family == q.family && p.bits == q.bits);
	FUZZ_CHECK(memcmp(p.bytes, q.bytes, sizeof(p.bytes)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	FUZZ_CHECK(text != NULL);
	if (size != 0)
		memcpy(text, data, size);
	text[size] = '\0';
	address_round_trip(text);
	prefix_round_trip(text);
	free(text);
	return 0;
}
