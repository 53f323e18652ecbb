/* SPDX-License-Identifier: MIT */
/*
 * Any text makes a set that answers; in how many pieces it comes makes no difference; and a list of
 * one name blocks that name.
 */
#include "fuzz.h"

#include <string.h>

#include "services/dns/dns_listfile.h"
#include "util/text.h"

static const uint8_t key[SEAL_SHORT_KEY_BYTES] = "fuzz";

static struct dns_list *
read_pieces(struct dns_listfile *f, struct span text, bool exact, size_t step)
{
	struct dns_list_builder *b;
	struct dns_list *l;

	FUZZ_CHECK(dns_list_builder_new(&b, 500) == OK);
	dns_listfile_begin(f, b, 1, exact);
	while (text.len != 0) {
		size_t n = text.len < step ? text.len : step;

		FUZZ_CHECK(dns_listfile_feed(f, span_of(text.at, n)) == OK);
		text = text_after(text, n);
	}
	FUZZ_CHECK(dns_listfile_end(f) == OK);
	FUZZ_CHECK(dns_list_finish(&l, b, key) == OK);
	dns_list_builder_free(b);
	return l;
}

static bool
finds(const struct dns_list *l, struct span lower)
{
	struct dns_list_match m;
	struct dns_trail t;

	dns_trail_of(&t, lower, dns_list_has_tops(l), key);
	if (!dns_list_find(l, DNS_LIST_BLOCK, &t, &m))
		return false;
	FUZZ_CHECK(m.source == 1 && dns_name_below(lower, m.name));
	return true;
}

/* A list of one plain name blocks that name. */
static void
check_name(struct span word)
{
	static struct dns_listfile f;
	struct dns_name n;
	struct dns_list *l;

	for (size_t i = 0; i < word.len; i++)
		if (word.at[i] == 0 ||
		    strchr("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-_.", word.at[i]) == NULL)
			return;
	/* A digit at the end may make it an address. */
	if (dns_name_parse(&n, word) != OK || dns_name_labels(dns_name_span(&n)) < 2 ||
	    strchr("0123456789.", word.at[word.len - 1]) != NULL)
		return;
	dns_name_lower(n.wire, dns_name_span(&n));
	l = read_pieces(&f, word, false, SIZE_MAX);
	FUZZ_CHECK(f.stats.names == 1 && finds(l, dns_name_span(&n)));
	dns_list_free(l);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dns_listfile whole, parts;
	struct span text = span_of(data, size);
	bool exact = size != 0 && (data[0] & 1) != 0;
	struct dns_list *a = read_pieces(&whole, text, exact, SIZE_MAX);
	struct dns_list *b = read_pieces(&parts, text, exact, size != 0 ? 1 + data[0] / 2u : 1);
	const struct dns_listfile_stats *st = &whole.stats;
	const struct dns_list_stats *ls = dns_list_stats(a);
	struct span line;

	FUZZ_CHECK(memcmp(st, &parts.stats, sizeof(*st)) == 0);
	FUZZ_CHECK(memcmp(ls, dns_list_stats(b), sizeof(*ls)) == 0);
	FUZZ_CHECK(st->bytes == size);
	FUZZ_CHECK(ls->names[0] + ls->names[1] + ls->duplicates + ls->covered + ls->refused ==
	    st->names);
	FUZZ_CHECK(ls->patterns == st->patterns);
	for (unsigned i = 0; i < 8 && text_next_line(&text, &line); i++)
		check_name(text_next_word(&line));
	dns_list_free(a);
	dns_list_free(b);
	return 0;
}
