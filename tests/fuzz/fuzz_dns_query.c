/* SPDX-License-Identifier: MIT */
/*
 * What clients send: every query gets a verdict, and every verdict but silence a reply that can be
 * read, echoes id and question, and has an OPT record if and only if the query had one.
 */
#include "fuzz.h"

#include <string.h>

#include "services/dns/dns_reply.h"

static bool
within(struct span part, struct span whole)
{
	return part.at == NULL ||
	    (part.at >= whole.at && part.at + part.len <= whole.at + whole.len);
}

static void
check_query(const struct dns_query *q, enum dns_verdict v)
{
	struct span name = dns_query_name(q);

	FUZZ_CHECK(within(dns_query_question(q), q->packet));
	FUZZ_CHECK(within(q->cookie, q->packet) && within(q->ecs, q->packet));
	FUZZ_CHECK(q->edns || (q->cookie.at == NULL && q->udp_size == DNS_UDP_PLAIN));
	FUZZ_CHECK(q->udp_size >= DNS_UDP_PLAIN);
	if (q->question_len != 0) {
		FUZZ_CHECK(dns_name_at(name).len == name.len);
		FUZZ_CHECK(dns_name_equal(name, span_of(dns_query_question(q).at, name.len)));
		for (size_t i = 0; i < name.len; i++)
			FUZZ_CHECK(ascii_lower(name.at[i]) == name.at[i]);
	}
	FUZZ_CHECK(v != DNS_QUERY_OK || q->question_len == q->name_len + 4);
}

static void
check_reply(const struct dns_query *q, struct span reply)
{
	struct dns_walk w;
	struct dns_rr rr;
	unsigned opts = 0;

	FUZZ_CHECK(dns_msg_id(reply) == q->id);
	FUZZ_CHECK((dns_msg_flags(reply) & (DNS_FLAG_QR | DNS_FLAG_Z)) == DNS_FLAG_QR);
	FUZZ_CHECK(reply.len >= DNS_HEADER_BYTES + (size_t)q->question_len);
	FUZZ_CHECK(memcmp(reply.at + DNS_HEADER_BYTES, q->packet.at + DNS_HEADER_BYTES,
		       q->question_len) == 0);
	dns_walk_begin(&w, reply);
	while (dns_rr_next(&w, &rr))
		opts += rr.type == DNS_TYPE_OPT;
	FUZZ_CHECK(!w.bad && wire_rd_left(&w.rd) == 0);
	FUZZ_CHECK(opts == (q->edns ? 1u : 0u));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t out[DNS_UDP_PLAIN];
	struct dns_opt opt = { .has_ede = true, .ede_text = span_str("because") };
	struct dns_query q;
	enum dns_verdict v = dns_query_parse(&q, span_of(data, size));

	if (v == DNS_QUERY_DROP) {
		FUZZ_CHECK(size < DNS_HEADER_BYTES || (data[2] & 0x80) != 0);
		return 0;
	}
	check_query(&q, v);
	opt.cookie = q.cookie;
	check_reply(&q, span_of(out, dns_reply_empty(&q, dns_verdict_rcode(v), DNS_FLAG_AD, &opt,
				    out, sizeof(out))));
	return 0;
}
