/* SPDX-License-Identifier: MIT */
/*
 * What is sent to an upstream and what is taken for its answer: bytes only, no sockets, no clock.
 *
 * An answer belongs to a query where the id is the same, it is a response to a standard query, and
 * it has exactly one question, equal to ours byte by byte in the letter case we chose (RFC 5452
 * §9.1, draft-vixie-dnsext-dns0x20). Nothing behind the question is believed here.
 */
#include "services/dns/dns_upstream_priv.h"

#include <assert.h>
#include <string.h>

#include "services/dns/dns_query.h"

void
dns_query_write(struct dns_transaction *t, uint64_t random, struct span cookie)
{
	struct dns_name name;
	struct dns_ask ask = {
		.id = t->id,
		.flags = (uint16_t)((t->ask.rd ? DNS_FLAG_RD : 0) | (t->ask.cd ? DNS_FLAG_CD : 0) |
		    (t->ask.ad ? DNS_FLAG_AD : 0)),
		.type = t->ask.type,
		.class = t->ask.class,
		.edns = t->edns,
		.dnssec_ok = t->ask.dnssec_ok,
		.cookie = t->cookie ? cookie : span_of(NULL, 0),
		.pad = t->padded ? DNS_PADDING : 0,
	};

	dns_name_copy(&name, dns_name_span(&t->name));
	if (t->mixed)
		dns_name_mix_case(name.wire, name.len, random);
	ask.name = dns_name_span(&name);
	t->question_len = (uint16_t)(name.len + 4);

	size_t len = dns_ask_write(&ask, t->query, sizeof(t->query));

	assert(len != 0);
	t->query_len = (uint16_t)len;
}

enum dns_check
dns_reply_check(const struct dns_transaction *t, struct span bytes)
{
	const uint8_t *asked = t->query + DNS_HEADER_BYTES;

	if (bytes.len < DNS_HEADER_BYTES ||
	    (dns_msg_flags(bytes) & (DNS_FLAG_QR | DNS_FLAG_OPCODE)) != DNS_FLAG_QR)
		return DNS_CHECK_MALFORMED;
	if (dns_msg_u16(bytes, 4) != 1 || bytes.len - DNS_HEADER_BYTES < t->question_len)
		return DNS_CHECK_QUESTION;

	const uint8_t *got = bytes.at + DNS_HEADER_BYTES;

	if (memcmp(got, asked, t->question_len) == 0)
		return DNS_CHECK_OK;
	/* Type and class are no letters, but their bytes may look like some. */
	if (memcmp(got + t->name.len, asked + t->name.len, 4) != 0 ||
	    !span_equal_nocase(span_of(got, t->name.len), span_of(asked, t->name.len)))
		return DNS_CHECK_QUESTION;
	return t->mixed ? DNS_CHECK_CASE : DNS_CHECK_OK;
}

static void
read_options(struct dns_reply_opt *out, struct span rdata)
{
	struct wire_rd rd = wire_rd_of(rdata);

	while (wire_rd_left(&rd) != 0) {
		uint16_t code = wire_rd_u16(&rd);
		struct span data = wire_rd_bytes(&rd, wire_rd_u16(&rd));

		if (rd.bad)
			return;
		if (code == DNS_OPTION_COOKIE)
			out->cookie = data;
	}
}

void
dns_reply_opt(struct dns_reply_opt *out, struct span bytes)
{
	struct dns_walk walk;
	struct dns_rr rr;

	*out = (struct dns_reply_opt){ .rcode = dns_msg_flags(bytes) & DNS_FLAG_RCODE };
	dns_walk_begin(&walk, bytes);
	while (dns_rr_next(&walk, &rr)) {
		if (rr.section != DNS_SECTION_ADDITIONAL || rr.type != DNS_TYPE_OPT)
			continue;
		out->present = true;
		out->rcode = (uint16_t)(out->rcode | (rr.ttl >> 24) << 4);
		read_options(out, rr.rdata);
		return;
	}
}
