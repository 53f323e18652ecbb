/* SPDX-License-Identifier: MIT */
/* IPv6 addresses taken out of answers, or made of IPv4. RFC 6147, RFC 6052 §2.2, RFC 9460 §7.3. */
#include "services/dns/dns_v6.h"

#include <stdio.h>
#include <string.h>

#include "services/dns/dns_rebind.h"

#define HINT_IPV6 6	/* SvcParamKey */

/* --- taking out ------------------------------------------------------------------------------- */

/*
 * Take the hint out of the data of HTTPS or SVCB, in place; gives the new length. What is malformed
 * stays as it is.
 */
static size_t
strip_hint(uint8_t *rdata, size_t len)
{
	struct wire_rd rd = wire_rd_of(span_of(rdata, len));
	size_t hint = len, hint_len = 0;

	wire_rd_skip(&rd, 2);	/* the priority */
	if (!dns_name_skip(&rd))
		return len;
	while (wire_rd_left(&rd) != 0) {
		size_t at = wire_rd_offset(&rd);
		uint16_t key = wire_rd_u16(&rd);

		wire_rd_skip(&rd, wire_rd_u16(&rd));
		if (rd.bad)
			return len;
		if (key == HINT_IPV6) {		/* keys come once, RFC 9460 §2.2 */
			hint = at;
			hint_len = wire_rd_offset(&rd) - at;
		}
	}
	memmove(rdata + hint, rdata + hint + hint_len, len - hint - hint_len);
	return len - hint_len;
}

unsigned
dns_v6_write_stripped(struct dns_wr *w, uint8_t *msg, size_t len)
{
	struct span whole = span_of(msg, len);
	unsigned left_out = 0;
	struct dns_walk walk;
	struct dns_rr rr;

	dns_walk_begin(&walk, whole);
	while (dns_rr_next(&walk, &rr) && rr.section != DNS_SECTION_ADDITIONAL) {
		if (rr.type == DNS_TYPE_AAAA) {
			left_out++;
			continue;
		}
		if (rr.type == DNS_TYPE_HTTPS || rr.type == DNS_TYPE_SVCB)
			rr.rdata.len = strip_hint(msg + (rr.rdata.at - msg), rr.rdata.len);
		dns_wr_copy(w, &rr, whole);
	}
	return left_out;
}

/* --- mapping ---------------------------------------------------------------------------------- */

static const uint8_t well_known[16] = { 0, 0x64, 0xff, 0x9b };	/* 64:ff9b::/96 */

enum err
dns_v6_prefix_parse(struct prefix *out, const char *text)
{
	enum err e = prefix_parse(out, text);

	if (e != OK)
		return e;
	if (out->family != AF_INET6)
		return ERR_FORMAT;
	switch (out->bits) {
	case 32:
	case 40:
	case 48:
	case 56:
	case 64:
		return OK;
	case 96:
		return out->bytes[8] == 0 ? OK : ERR_RANGE;	/* bits 64 to 71 */
	default:
		return ERR_RANGE;
	}
}

const char *
dns_v6_prefix_check(const char *text)
{
	struct prefix p;

	return *text == '\0' || dns_v6_prefix_parse(&p, text) == OK
	    ? NULL
	    : "a prefix of IPv6 with 32, 40, 48, 56, 64 or 96 bits is wanted, as \"64:ff9b::/96\"";
}

bool
dns_v6_map(const struct prefix *p, struct span v4, uint8_t out[static 16])
{
	size_t at = p->bits / 8;

	if (p->bits == 96 && memcmp(p->bytes, well_known, 12) == 0 && dns_rebind_is_inside(v4))
		return false;
	memcpy(out, p->bytes, 16);
	for (size_t i = 0; i < 4; i++) {
		if (at == 8)	/* the byte in the middle stays 0 */
			at++;
		out[at++] = v4.at[i];
	}
	return true;
}

bool
dns_v6_is_excluded(const struct dns_stored *answer)
{
	static const uint8_t ipv4_mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct wire_rd rd = wire_rd_of(span_of(answer->body, answer->body_len));
	bool found = false;
	struct dns_rr rr;

	for (unsigned i = 0; i < answer->answers && dns_rr_read(&rd, &rr); i++) {
		if (rr.type != DNS_TYPE_AAAA || rr.rdata.len != 16)
			continue;
		if (memcmp(rr.rdata.at, ipv4_mapped, sizeof(ipv4_mapped)) != 0)
			return false;
		found = true;
	}
	return found;
}

/* Read the 32 labels of a whole address below ip6.arpa. */
static bool
read_reverse(uint8_t v6[static 16], struct span lower)
{
	static const uint8_t zone[] = "\3ip6\4arpa";

	if (lower.len != 64 + sizeof(zone) || memcmp(lower.at + 64, zone, sizeof(zone)) != 0)
		return false;
	memset(v6, 0, 16);
	for (size_t i = 0; i < 32; i++) {
		const char digits[] = "0123456789abcdef";
		uint8_t c = lower.at[2 * i + 1];
		const char *digit = c != 0 ? strchr(digits, c) : NULL;

		if (lower.at[2 * i] != 1 || digit == NULL)
			return false;
		v6[15 - i / 2] |= (uint8_t)((digit - digits) << i % 2 * 4);
	}
	return true;
}

bool
dns_v6_reverse(const struct prefix *p, struct span lower, struct dns_name *target)
{
	uint8_t v6[16], v4[4], again[16];
	size_t at = p->bits / 8;
	char text[64];

	if (!read_reverse(v6, lower))
		return false;
	for (size_t i = 0; i < sizeof(v4); i++) {
		if (at == 8)
			at++;
		v4[i] = v6[at++];
	}
	/* Other bits than those of the address are as they are made here, or it is another's. */
	if (!dns_v6_map(p, span_of(v4, sizeof(v4)), again) || memcmp(v6, again, sizeof(v6)) != 0)
		return false;
	snprintf(text, sizeof(text), "%u.%u.%u.%u.in-addr.arpa", v4[3], v4[2], v4[1], v4[0]);
	return dns_name_parse(target, span_str(text)) == OK;
}

/* One record of the answer section. */
static void
write_mapped(const struct prefix *p, struct dns_wr *w, struct span msg, const struct dns_rr *rr)
{
	struct wire_rd rd = wire_rd_of(msg);
	struct dns_name owner;
	uint8_t v6[16];

	if (rr->type == DNS_TYPE_RRSIG)
		return;
	if (rr->type != DNS_TYPE_A || rr->rdata.len != 4) {
		dns_wr_copy(w, rr, msg);
		return;
	}
	wire_rd_skip(&rd, rr->owner_at);
	if (!dns_name_expand(&owner, &rd) || !dns_v6_map(p, rr->rdata, v6))
		return;
	dns_wr_record(w, DNS_SECTION_ANSWER, dns_name_span(&owner), DNS_TYPE_AAAA, rr->class,
	    rr->ttl < DNS_V6_MAPPED_TTL ? rr->ttl : DNS_V6_MAPPED_TTL, span_of(v6, sizeof(v6)));
}

void
dns_v6_write_mapped(const struct prefix *p, struct dns_wr *w, struct span msg)
{
	struct dns_walk walk;
	struct dns_rr rr;

	dns_walk_begin(&walk, msg);
	while (dns_rr_next(&walk, &rr)) {
		if (rr.section == DNS_SECTION_ANSWER)
			write_mapped(p, w, msg, &rr);
		else if (rr.section == DNS_SECTION_AUTHORITY)
			dns_wr_copy(w, &rr, msg);
	}
}
