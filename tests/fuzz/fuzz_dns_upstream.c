/* SPDX-License-Identifier: MIT */
/*
 * What upstreams send: only the asked question is taken, and what the OPT record is said to hold
 * lies within the message. The first byte chooses what was asked; the rest is what comes back.
 */
#include "fuzz.h"

#include <string.h>

#include "services/dns/dns_upstream_priv.h"

static void
ask(struct dns_transaction *t, uint8_t how)
{
	static const char *const names[] = {".", "example", "www.example", "a.b.c.d.example"};

	memset(t, 0, sizeof(*t));
	FUZZ_CHECK(dns_name_parse(&t->name, span_str(names[how & 3])) == OK);
	t->ask.type = (how & 4) != 0 ? DNS_TYPE_A : 65280;
	t->ask.class = DNS_CLASS_IN;
	t->mixed = (how & 8) != 0;
	t->edns = (how & 16) != 0;
	t->cookie = (how & 32) != 0;
	t->id = 0x4711;
	dns_query_write(t, 0x123456789abcdef0, span_of("\1\2\3\4\5\6\7\10", 8));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dns_transaction t;
	struct dns_reply_opt opt;

	if (size == 0)
		return 0;
	ask(&t, data[0]);

	struct span bytes = span_of(data + 1, size - 1);
	enum dns_check check = dns_reply_check(&t, bytes);

	/* What we send is never taken for an answer, and what is taken names the question. */
	FUZZ_CHECK(dns_reply_check(&t, span_of(t.query, t.query_len)) == DNS_CHECK_MALFORMED);
	if (check == DNS_CHECK_OK || check == DNS_CHECK_CASE) {
		FUZZ_CHECK(bytes.len >= DNS_HEADER_BYTES + (size_t)t.question_len);
		FUZZ_CHECK(dns_msg_u16(bytes, 4) == 1);

		struct span name =
		    dns_name_at(span_of(bytes.at + DNS_HEADER_BYTES, bytes.len - DNS_HEADER_BYTES));

		FUZZ_CHECK(dns_name_equal(name, dns_name_span(&t.name)));
		FUZZ_CHECK(check != DNS_CHECK_OK || !t.mixed ||
			   span_equal(name, span_of(t.query + DNS_HEADER_BYTES, t.name.len)));
	}
	if (bytes.len < DNS_HEADER_BYTES)
		return 0;
	dns_reply_opt(&opt, bytes);
	if (opt.cookie.at != NULL)
		FUZZ_CHECK(opt.cookie.at >= bytes.at &&
			   opt.cookie.at + opt.cookie.len <= bytes.at + bytes.len);
	FUZZ_CHECK(opt.present || (opt.cookie.len == 0 && opt.rcode < 16));
	return 0;
}
