/* SPDX-License-Identifier: MIT */
/* The filter against DNS rebinding. Hints: RFC 9460 §7.3; names of houses: RFC 6762 appendix G. */
#include "services/dns/dns_rebind.h"

#include <stdio.h>
#include <string.h>

#define HINT_IPV4 4	/* SvcParamKeys, RFC 9460 §14.3.2 */
#define HINT_IPV6 6

/* The first bytes of the wrappings of an IPv4 address in the last four of IPv6. */
static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
static const uint8_t nat64[12] = { 0, 0x64, 0xff, 0x9b };
static const uint8_t compatible[12];

static bool
make_addr(struct addr *out, struct span bytes)
{
	*out = (struct addr){ 0 };
	if (bytes.len == 4) {
		out->in.sin_family = AF_INET;
		memcpy(&out->in.sin_addr, bytes.at, 4);
	} else if (bytes.len == 16) {
		out->in6.sin6_family = AF_INET6;
		memcpy(&out->in6.sin6_addr, bytes.at, 16);
	} else {
		return false;
	}
	return true;
}

static bool
is_inside4(const uint8_t at[static 4])
{
	static const uint8_t broadcast[4] = { 255, 255, 255, 255 };
	struct addr a;

	if (at[0] == 0)		/* "this network", which some stacks take for this machine */
		return at[1] != 0 || at[2] != 0 || at[3] != 0;
	return (make_addr(&a, span_of(at, 4)) && addr_is_private(&a)) ||
	    memcmp(at, broadcast, 4) == 0;
}

bool
dns_rebind_is_inside(struct span addr)
{
	struct addr a;

	if (addr.len == 4)
		return is_inside4(addr.at);
	if (!make_addr(&a, addr))
		return false;
	if (memcmp(addr.at, mapped, 12) == 0 || memcmp(addr.at, nat64, 12) == 0)
		return is_inside4(addr.at + 12);
	/*
	 * ::1 is among these; site-local addresses are gone (RFC 3879), routers that know them not.
	 */
	return addr_is_private(&a) ||
	    (memcmp(addr.at, compatible, 12) == 0 && is_inside4(addr.at + 12)) ||
	    (addr.at[0] == 0xfe && (addr.at[1] & 0xc0) == 0xc0);
}

/* Look through addresses that follow each other. */
static bool
find_in(struct span addrs, size_t size, struct addr *out)
{
	for (; addrs.len >= size; addrs = span_of(addrs.at + size, addrs.len - size))
		if (dns_rebind_is_inside(span_of(addrs.at, size)))
			return make_addr(out, span_of(addrs.at, size));
	return false;
}

/* Look through the parameters of HTTPS or SVCB. */
static bool
find_in_hints(struct span rdata, struct addr *out)
{
	struct wire_rd rd = wire_rd_of(rdata);

	wire_rd_skip(&rd, 2);	/* the priority */
	if (!dns_name_skip(&rd))
		return false;
	while (wire_rd_left(&rd) != 0) {
		uint16_t key = wire_rd_u16(&rd);
		struct span value = wire_rd_bytes(&rd, wire_rd_u16(&rd));

		if (rd.bad)
			return false;
		if (key == HINT_IPV4 && find_in(value, 4, out))
			return true;
		if (key == HINT_IPV6 && find_in(value, 16, out))
			return true;
	}
	return false;
}

static bool
find_in_record(const struct dns_rr *rr, struct addr *out)
{
	switch (rr->type) {
	case DNS_TYPE_A:
		return rr->rdata.len == 4 && find_in(rr->rdata, 4, out);
	case DNS_TYPE_AAAA:
		return rr->rdata.len == 16 && find_in(rr->rdata, 16, out);
	case DNS_TYPE_HTTPS:
	case DNS_TYPE_SVCB:
		return find_in_hints(rr->rdata, out);
	default:
		return false;
	}
}

bool
dns_rebind_find(const struct dns_packed *p, struct addr *out)
{
	size_t head = (size_t)(p->view.body - p->msg);
	struct wire_rd rd = wire_rd_of(span_of(p->msg, head + p->view.body_len));
	struct dns_rr rr;

	wire_rd_skip(&rd, head);
	for (unsigned i = 0; i < p->view.answers && dns_rr_read(&rd, &rr); i++)
		if (find_in_record(&rr, out))
			return true;
	return false;
}

bool
dns_rebind_is_house_name(struct span name)
{
	static const char *const ends[] = {
		"\4home\4arpa", "\10internal", "\5local", "\3lan", "\4home", "\4corp",
		    "\10intranet",
		"\7private", "\11localhost",
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (dns_name_below(name, span_of(ends[i], strlen(ends[i]) + 1)))
			return true;
	return false;
}

void
dns_rebind_refuse(struct dns_packed *p, const struct dns_question *asked, const struct addr *a)
{
	char text[ADDR_TEXT_MAX];

	dns_answer_deny(p, asked, DNS_REBIND_TTL);
	p->has_ede = true;
	p->ede = DNS_EDE_BLOCKED;
	p->ede_len = (uint8_t)snprintf((char *)p->ede_text, sizeof(p->ede_text),
	    "rebinding: %s is an address inside of the house", addr_format_host(a, text));
}
